// The libraries of a bundle, read from esbuild's metafile: only what is in the output counts.
import { readdir, readFile } from 'node:fs/promises';

const LICENCE_FILE = /^(licen[cs]e|copying)(\.|$)/i;

/** node_modules/a/b.js → node_modules/a; node_modules/@s/a/node_modules/b/c.js → node_modules/@s/a/node_modules/b */
const packageOf = (input) => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

/** The folders of the packages with at least one byte in the output, sorted. */
function foldersOf(metafile) {
  const used = Object.values(metafile.outputs)
    .flatMap((output) => Object.entries(output.inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([input]) => packageOf(input));
  return [...new Set(used)].filter((folder) => folder !== undefined).sort();
}

/**
 * Which packages a package imports, by folder. Own files count as `''`: also those that replace a module of a library,
 * so a replaced module is no library here.
 */
function importsOf(metafile) {
  const imports = new Map();
  for (const [input, { imports: found }] of Object.entries(metafile.inputs)) {
    const from = packageOf(input) ?? '';
    const to = imports.get(from) ?? imports.set(from, new Set()).get(from);
    for (const { path, external } of found) {
      const folder = external === true ? undefined : packageOf(path);
      if (folder !== undefined && folder !== from) to.add(folder);
    }
  }
  return imports;
}

async function licenceText(root, folder, { author, license }) {
  const file = (await readdir(root + folder)).sort().find((entry) => LICENCE_FILE.test(entry));
  if (file !== undefined) return (await readFile(`${root}${folder}/${file}`, 'utf8')).replaceAll('\r', '').trim();
  const by = typeof author === 'string' ? author : (author?.name ?? 'its authors');
  return `Copyright ${by}\n(licence ${license})`;
}

/**
 * @param root the project's folder
 * @param metafile esbuild's metafile of the bundle
 * @returns for each library, sorted by folder: `folder` (in the project), its `package.json`, the lock file's
 *   `integrity`, `licence` (identifier and text) and `imports` (folders of the libraries that it imports); and
 *   `imported`, the folders that own files import
 * @throws when an installed library is not the one of package-lock.json, or names no licence
 */
export async function librariesOf(root, metafile) {
  const { packages } = JSON.parse(await readFile(`${root}package-lock.json`, 'utf8'));
  const folders = foldersOf(metafile);
  const imports = importsOf(metafile);
  const importedBy = (folder) => folders.filter((other) => imports.get(folder)?.has(other));
  const libraries = await Promise.all(
    folders.map(async (folder) => {
      const manifest = JSON.parse(await readFile(`${root}${folder}/package.json`, 'utf8'));
      const locked = packages[folder];
      if (locked?.version !== manifest.version) {
        throw new Error(`${folder} is ${manifest.version}, but ${locked?.version} in package-lock.json: run npm ci`);
      }
      if (typeof manifest.license !== 'string') throw new Error(`${folder} names no licence`);
      const licence = { id: manifest.license, text: await licenceText(root, folder, manifest) };
      return { folder, manifest, integrity: locked.integrity, licence, imports: importedBy(folder) };
    }),
  );
  return { libraries, imported: importedBy('') };
}
