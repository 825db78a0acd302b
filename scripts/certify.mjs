// Builds the agent and the suites, then runs them:
// npm run certify [-- --full] [--only NAME] [--scenario PATTERN] [--trial PATTERN] [--seed N] [--agent MAIN.JS]
import { buildAgentUnlessGiven, runTypeScript } from './runTypeScript.mjs';

const given = process.argv.slice(2);
buildAgentUnlessGiven(given);
process.exitCode = await runTypeScript('test/proofs/certify/main.ts', given);
