// Writes the software bill of materials of each bundle, and checks it: npm run sbom [-- --outdir FOLDER].
// With --check it only checks: those of the bundles, or the given files: npm run check:sbom [-- FILE...]
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SPEC_VERSION } from './billOfMaterials.mjs';
import { shippedBills } from './bills.mjs';
import { problemsOf } from './checkBill.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { values, positionals } = parseArgs({
  options: {
    outdir: { type: 'string', default: `${root}dist-sbom` },
    check: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

for (const [name, bill] of Object.entries(await shippedBills(root, positionals))) {
  const problems = await problemsOf(bill);
  for (const problem of problems) console.error(`${name}: ${problem}`);
  if (problems.length > 0) {
    process.exitCode = 1;
    continue;
  }
  console.log(`${name}: CycloneDX ${SPEC_VERSION}, ${JSON.parse(bill).components.length} components, allowed licences`);
  if (!values.check) {
    await mkdir(values.outdir, { recursive: true });
    await writeFile(join(values.outdir, name), bill);
    console.log(`wrote ${join(values.outdir, name)}`);
  }
}
