// Generates debian/copyright with the licence of every library in the bundle, which most licences require.

/** @param libraries those of `librariesOf` @returns the text of debian/copyright */
export function copyright(libraries) {
  const sections = libraries.map(
    ({ manifest, licence }) =>
      `${'-'.repeat(78)}\n${manifest.name} ${manifest.version} (${licence.id})\n\n${licence.text}\n`,
  );
  return `thermal-provision is not published under a licence: its owner decides who may use it.
Copyright: the owner of thermal-provision.

The program is one bundle with the libraries below, each under its own licence.

${sections.join('\n')}`;
}
