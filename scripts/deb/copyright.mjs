// Generates debian/copyright with the licence of every library in the bundle, which most licences require.

/** Licences that every Debian system has as a file. Debian wants its name instead of the text (Debian policy, 12.5). */
const COMMON = { 'Apache-2.0': '/usr/share/common-licenses/Apache-2.0' };

/**
 * @param libraries those of `librariesOf`
 * @param onDebian whether the package is for a system that has Debian's common licences
 * @returns the text of debian/copyright
 */
export function copyright(libraries, onDebian) {
  const textOf = ({ id, text }) =>
    onDebian && Object.hasOwn(COMMON, id) ? `The text of this licence is in ${COMMON[id]}.` : text;
  const sections = libraries.map(
    ({ manifest, licence }) =>
      `${'-'.repeat(78)}\n${manifest.name} ${manifest.version} (${licence.id})\n\n${textOf(licence)}\n`,
  );
  return `thermal-provision is not published under a licence: its owner decides who may use it.
Copyright: the owner of thermal-provision.

The program is one bundle with the libraries below, each under its own licence.

${sections.join('\n')}`;
}
