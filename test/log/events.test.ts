import { expect, it } from 'vitest';
import { EVENTS } from '../../src/log/events.ts';
import { sourcesIn } from '../architecture/sources.ts';

/** The catalogue itself, and what reads events back from a recorded log. */
const NOT_LOGGING = /^src\/(log\/events\.ts|history|report|status|watch|cli\/terminal)/;
const texts = sourcesIn('src')
  .filter(({ path }) => !NOT_LOGGING.test(path))
  .map(({ text }) => text);

/** Whether a source has the name; its second half may be computed: `credentials.${reason}`. */
function isLogged(event: string): boolean {
  const [room, what] = event.split('.');
  const hasName = (text: string): boolean =>
    text.includes(`'${event}'`) || (text.includes(`\`${room}.\${`) && text.includes(`'${what}'`));
  return texts.some(hasName);
}

it('the catalogue has no event that nothing logs', () => {
  expect(Object.keys(EVENTS).filter((event) => !isLogged(event))).toEqual([]);
});
