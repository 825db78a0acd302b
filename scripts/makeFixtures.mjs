// Keeps interrupted device folders of this version for the upgrade suite (test/certify/upgrade/): once, at its release.
import { runTypeScript } from './runTypeScript.mjs';

process.exitCode = await runTypeScript('test/certify/upgrade/makeFixtures.ts');
