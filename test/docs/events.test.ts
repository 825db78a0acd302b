import { describe, expect, it } from 'vitest';
import { LOG_LEVELS } from '../../src/log/log.ts';
import { loggedEvents } from './logEvents.ts';
import { readPage, rowsUnder } from './markdown.ts';

describe('the tables of docs/events.md', () => {
  const { levels, unreadable } = loggedEvents();
  const documented = rowsUnder(readPage('docs/events.md'), 'event').map(([event = '', level = '']) => ({
    event,
    level,
  }));

  it('have every event that the sources log, once, at its levels', () => {
    const shown = documented.map(({ event, level }) => [event, level.split(', ').sort()] as const);
    expect(new Map(shown)).toEqual(levels);
    expect(shown).toHaveLength(levels.size);
    for (const { level } of documented) for (const one of level.split(', ')) expect(LOG_LEVELS).toContain(one);
  });

  it('can be complete: every event is a literal in its log call', () => {
    // The one that passes a name on is found by the calls that create it.
    expect(unreadable).toEqual(['client/rateLimitedWarning.ts']);
  });
});
