// Generates the Debian changelog from CHANGELOG.md, without "Unreleased".
import { readFile } from 'node:fs/promises';

const NAME = 'thermal-provision';
const DISTRIBUTION = 'stable';
/** lintian complains about longer lines. */
const WIDTH = 79;

const RELEASE = /^\[(?<version>\d[^\]]*)\] - (?<date>\d{4}-\d\d-\d\d)\n(?<body>.*)/s;

/** Removes Markdown: links become their text, code becomes its content. */
const plain = (markdown) =>
  markdown
    .replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();

/** Breaks a text into lines of WIDTH. */
function wrapped(text, first, rest) {
  const lines = [];
  let line = first;
  for (const word of text.split(' ')) {
    const longer = line.endsWith(' ') ? line + word : `${line} ${word}`;
    if (longer.length <= WIDTH || line === rest) {
      line = longer;
    } else {
      lines.push(line);
      line = rest + word;
    }
  }
  return [...lines, line];
}

/** "### Added" with its list → a line "  * Added: …" for each entry. */
function entries(body) {
  return body.split(/^### /m).flatMap((part) => {
    const [kind, ...items] = part.split(/^- /m);
    return items.flatMap((item) => wrapped(`${plain(kind)}: ${plain(item)}`, '  * ', '    '));
  });
}

/**
 * @param root the project's folder
 * @returns the text, the maintainer, the newest version, and the time of what is built (seconds since the epoch):
 *   SOURCE_DATE_EPOCH, or noon UTC on the day of the newest release
 * @throws when CHANGELOG.md has no release, or a release without an entry
 */
export async function debianChangelog(root) {
  const control = await readFile(`${root}packaging/debian/control.in`, 'utf8');
  const maintainer = /^Maintainer: (.+)$/m.exec(control)?.[1] ?? '';
  const sections = (await readFile(`${root}CHANGELOG.md`, 'utf8')).split(/^## /m).slice(1);
  const releases = sections.flatMap((section) => {
    const { version, date, body } = RELEASE.exec(section)?.groups ?? {};
    return version === undefined ? [] : [{ version, time: new Date(`${date}T12:00:00Z`), lines: entries(body) }];
  });
  if (releases.length === 0) throw new Error('CHANGELOG.md has no release');
  const stanzas = releases.map(({ version, time, lines }) => {
    if (lines.length === 0) throw new Error(`CHANGELOG.md has no entry for ${version}`);
    const head = `${NAME} (${version}) ${DISTRIBUTION}; urgency=medium`;
    return `${head}\n\n${lines.join('\n')}\n\n -- ${maintainer}  ${time.toUTCString().replace('GMT', '+0000')}\n`;
  });
  const [{ version, time }] = releases;
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? time.getTime() / 1000);
  return { text: stanzas.join('\n'), maintainer, version, seconds };
}
