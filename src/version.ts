declare const AGENT_VERSION: string | undefined;

/** The version in package.json, put in by the build; sources run directly (tests) have none. */
export const VERSION = typeof AGENT_VERSION === 'string' ? AGENT_VERSION : '0.0.0-source';
