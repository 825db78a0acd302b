#!/usr/bin/env node
/** main.js of the Debian package: without simulator and demonstration. */
import { boot } from './cli/boot.ts';

await boot(() => import('./cli/deviceProgram.ts'));
