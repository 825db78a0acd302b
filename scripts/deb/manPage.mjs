// Generates the manual page from the definitions of the command line, so that it always agrees with --help.
import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The commander program of the package. */
async function deviceProgram() {
  // Below node_modules, so that Node finds commander, which is not in the bundle.
  const bundle = `${root}node_modules/.cache/thermal-provision/device-program-${process.pid}.mjs`;
  try {
    await build({
      absWorkingDir: root,
      entryPoints: ['src/cli/deviceProgram.ts'],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      logLevel: 'warning',
    });
    return (await import(bundle)).createDeviceProgram();
  } finally {
    await rm(bundle, { force: true });
  }
}

/** Escapes text for roff: no line starts a request, and no hyphen becomes a dash. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll(/[“”]/g, '"')
    .replaceAll('’', "'")
    .replaceAll(/^([.'])/gm, '\\&$1');

const option = (help, it) => `.TP\n.B ${roff(help.optionTerm(it))}\n${roff(help.optionDescription(it))}`;

/** The text that addHelpText has added to a command's help. */
function textAfter(command) {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text.slice(command.helpInformation().length).trim();
}

/** Fills paragraphs. Examples, and headings with indented lines, keep their line breaks. */
function paragraphs(text) {
  return text
    .split(/\n{2,}/)
    .map((part) => (/^ +\S/m.test(part) ? `.PP\n.nf\n${roff(part)}\n.fi` : `.PP\n${roff(part)}`))
    .join('\n');
}

function section(help, command) {
  const own = help.visibleOptions(command).filter((it) => it.long !== '--help');
  const usage = `${command.parent.name()} ${command.name()} ${command.usage()}`;
  const lines = [`.SS ${roff(command.name())}`, `.nf\n${roff(usage)}\n.fi`, `.PP\n${roff(command.description())}`];
  for (const it of help.visibleArguments(command)) {
    lines.push(`.TP\n.I ${roff(help.argumentTerm(it))}\n${roff(help.argumentDescription(it))}`);
  }
  lines.push(...own.map((it) => option(help, it)));
  const after = textAfter(command);
  if (after !== '') lines.push(paragraphs(after));
  return [
    ...lines,
    ...help
      .visibleCommands(command)
      .filter((it) => it.name() !== 'help')
      .map((it) => section(help, it)),
  ];
}

/** @param date the date in the page's header @returns the page in roff */
export async function manPage({ version, date }) {
  const program = await deviceProgram();
  const help = program.createHelp();
  const commands = help.visibleCommands(program).filter((it) => it.name() !== 'help');
  const parts = {
    VERSION: version,
    DATE: date,
    DESCRIPTION: `.SH DESCRIPTION\n${roff(program.description())}\n${paragraphs(textAfter(program))}`,
    COMMANDS: commands
      .flatMap((it) => section(help, it))
      .flat(Infinity)
      .join('\n'),
  };
  const template = await readFile(new URL('../../packaging/man/thermal-provision.1.in', import.meta.url), 'utf8');
  return template.replaceAll(/@([A-Z]+)@/g, (_all, name) => parts[name]);
}
