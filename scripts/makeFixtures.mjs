// Makes the missing interrupted device folders of this version for the upgrade suite (test/proofs/certify/upgrade/).
import { runTypeScript } from './runTypeScript.mjs';

process.exitCode = await runTypeScript('test/proofs/certify/upgrade/makeFixtures.ts');
