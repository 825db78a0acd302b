// Writes docs/*.schema.json from the zod schemas of `status` and `fleet`. With --check it only compares, and fails when
// one is stale.
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './loadTypeScript.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

const { z, statusSchema, fleetSchema } = await loadTypeScript(`
  export * as z from 'zod/mini';
  export { statusSchema } from './src/status/deviceStatus.ts';
  export { fleetSchema } from './src/fleet/fleetJson.ts';
`);

for (const [command, zodSchema] of Object.entries({ status: statusSchema, fleet: fleetSchema })) {
  const name = `docs/${command}.schema.json`;
  const schema = { title: `thermal-provision ${command} --format json`, ...z.toJSONSchema(zodSchema) };
  const content = execFileSync(`${root}node_modules/.bin/biome`, ['format', `--stdin-file-path=${root}${name}`], {
    cwd: root,
    input: JSON.stringify(schema),
    encoding: 'utf8',
  });
  if (!check) {
    await writeFile(root + name, content);
    console.log(`wrote ${name}`);
  } else if ((await readFile(root + name, 'utf8').catch(() => '')) === content) {
    console.log(`${name} is up to date`);
  } else {
    console.error(`${name} is stale: run npm run schema`);
    process.exitCode = 1;
  }
}
