// Generates debian/copyright with the licence of every library in the bundle, which most licences require.
import { readdir, readFile } from 'node:fs/promises';

const LICENCE_FILE = /^(licen[cs]e|copying)(\.|$)/i;

/** node_modules/a/b.js → node_modules/a; node_modules/@s/a/node_modules/b/c.js → node_modules/@s/a/node_modules/b */
const packageOf = (input) => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

async function licenceOf(root, folder) {
  const { name, version, license, author } = JSON.parse(await readFile(`${root}${folder}/package.json`, 'utf8'));
  if (typeof license !== 'string') throw new Error(`${folder} names no licence`);
  const file = (await readdir(root + folder)).sort().find((entry) => LICENCE_FILE.test(entry));
  const by = typeof author === 'string' ? author : (author?.name ?? 'its authors');
  const text =
    file === undefined ? `Copyright ${by}\n(licence ${license})` : await readFile(`${root}${folder}/${file}`, 'utf8');
  return { name, version, license, text: text.replaceAll('\r', '').trim() };
}

/** @param inputs esbuild's input files, relative to the root @returns the text of debian/copyright */
export async function copyright(root, inputs) {
  const folders = [...new Set(inputs.map(packageOf).filter((folder) => folder !== undefined))].sort();
  const licences = await Promise.all(folders.map((folder) => licenceOf(root, folder)));
  const sections = licences.map(
    ({ name, version, license, text }) => `${'-'.repeat(78)}\n${name} ${version} (${license})\n\n${text}\n`,
  );
  return `thermal-provision is not published under a licence: its owner decides who may use it.
Copyright: the owner of thermal-provision.

The program is one bundle with the libraries below, each under its own licence.

${sections.join('\n')}`;
}
