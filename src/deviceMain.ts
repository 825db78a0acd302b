#!/usr/bin/env node
/** main.js of the Debian package: without simulator and demonstration. */
import { requireNode } from './nodeVersion.ts';

requireNode();
void import('./cli/boot.ts').then(({ boot }) => boot(() => import('./cli/deviceProgram.ts')));
