import { describe, expect, it } from 'vitest';
import { callsIn, callsOn, changes, errorsOf } from './straceCalls.ts';

const TRACE = `100 openat(AT_FDCWD</>, "/d/a.tmp", O_WRONLY|O_CREAT|O_EXCL, 0600) = 21</d/a.tmp>
100 write(21</d/a.tmp>, "{\\"path\\": \\"x\\"}"..., 400) = 400
101 write(20</d/events.jsonl>, "{}\\n", 3 <unfinished ...>
100 fsync(21</d/a.tmp> <unfinished ...>
101 <... write resumed>)                = 3
100 <... fsync resumed>)                = 0
100 close(21</d/a.tmp>)                 = 0
100 rename("/d/a.tmp", "/d/a")          = 0
100 openat(AT_FDCWD</>, "/d", O_RDONLY|O_CLOEXEC|O_DIRECTORY) = 21</d>
100 statx(21</d>, "", AT_STATX_SYNC_AS_STAT|AT_EMPTY_PATH, STATX_ALL, {stx_mask=STATX_ALL}) = 0
100 write(22</d/b>, "x", 1)             = 1
100 +++ exited with 0 +++
`;

describe('the calls in a trace of strace', () => {
  it('are counted for each name, interrupted calls once, without close and exits', () => {
    expect(callsIn(TRACE).map(({ thread, name, nth }) => `${thread} ${name} ${nth}`)).toEqual([
      '100 openat 1',
      '100 write 1',
      '101 write 2',
      '100 fsync 1',
      '100 rename 1',
      '100 openat 2',
      '100 statx 1',
      '100 write 3',
    ]);
  });

  it('have the paths of their arguments and descriptors', () => {
    const paths = (name: string) => callsIn(TRACE).find((call) => call.name === name)?.paths;
    expect(paths('write')).toEqual(['/d/a.tmp']);
    expect(paths('rename')).toEqual(['/d/a.tmp', '/d/a']);
    expect(paths('statx')).toEqual(['/d']);
  });

  it('are counted again for a set of paths, as strace counts them', () => {
    const writes = callsOn(callsIn(TRACE), ['/d/b', '/d/events.jsonl']).map(({ name, nth, paths }) => [
      name,
      nth,
      paths,
    ]);
    expect(writes).toEqual([
      ['write', 1, ['/d/events.jsonl']],
      ['write', 2, ['/d/b']],
    ]);
  });

  it('are classified: calls that change the disk, calls that only read, and the errors that each can return', () => {
    const calls = callsIn(TRACE);
    expect(calls.filter(changes).map(({ name, nth }) => `${name} ${nth}`)).toEqual([
      'openat 1',
      'write 1',
      'write 2',
      'fsync 1',
      'rename 1',
      'write 3',
    ]);
    const errors = (name: string, nth: number) => {
      const call = calls.find((known) => known.name === name && known.nth === nth);
      return call === undefined ? [] : errorsOf(call);
    };
    expect(errors('openat', 1)).toContain('ENOSPC');
    expect(errors('openat', 2)).toEqual(['EIO', 'EACCES']);
    expect(errors('statx', 1)).toEqual(['EIO']);
    expect(errors('write', 1)).not.toContain('EROFS');
  });
});
