#!/usr/bin/env node
import { boot } from './cli/boot.ts';

await boot(() => import('./cli/program.ts'));
