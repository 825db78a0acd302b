declare const AGENT_VERSION: string | undefined;

/** The version in package.json, which the build inserts. Sources that run directly (tests) have no version. */
export const VERSION = typeof AGENT_VERSION === 'string' ? AGENT_VERSION : '0.0.0-source';
