// The manual page, made from the command line's own definitions, so that it can't say anything else than --help does.
import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The commands of the package, as commander has them. */
async function deviceProgram() {
  // Below node_modules, so that commander, which stays outside the bundle, is found.
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

/** Text as roff takes it: no line begins with a request, no hyphen becomes a dash. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll(/[“”]/g, '"')
    .replaceAll('’', "'")
    .replaceAll(/^([.'])/gm, '\\&$1');

const option = (help, it) => `.TP\n.B ${roff(help.optionTerm(it))}\n${roff(help.optionDescription(it))}`;

/** What addHelpText has put behind a command's help. */
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

/** Paragraphs flow; a heading with lines that are indented below it, and every example, stays as it is. */
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

/** @param date as the page's head shows it @returns roff */
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
