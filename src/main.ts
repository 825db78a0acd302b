#!/usr/bin/env node
import { requireNode } from './nodeVersion.ts';

requireNode();
void import('./cli/boot.ts').then(({ boot }) => boot(() => import('./cli/program.ts')));
