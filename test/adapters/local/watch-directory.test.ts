import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type DirectoryWatch,
  type WatchOptions,
  watchDirectory,
  watchLimits,
} from '../../../functions/adapters/local/watch-directory.ts';
import type { Watch } from '../../../functions/adapters/local/watched-directory.ts';
import type { WatchFacts } from '../../../functions/adapters/local/why-polled.ts';
import { keyLimits } from '../../../functions/keys.ts';
import { ManualClock } from '../manual-clock.ts';

let top: string;
let root: string;
let clock: ManualClock;
let watch: DirectoryWatch | undefined;
/** `file All/x.tgz`, `directory All/`, `tree a/`, `notice …`. */
let told: string[];

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'watch-')));
  root = join(top, 'D');
  await mkdir(root);
  clock = new ManualClock();
  told = [];
});

afterEach(async () => {
  await watch?.close();
  watch = undefined;
  await rm(top, { recursive: true, force: true });
});

async function start(options: Omit<WatchOptions, 'clock'> = {}): Promise<void> {
  watch = await watchDirectory(
    root,
    {
      onFile: (key) => told.push(`file ${key}`),
      onDirectory: (prefix) => told.push(`directory ${prefix}`),
      onTree: (prefix) => told.push(`tree ${prefix}`),
      onNotice: (sentence) => told.push(`notice ${sentence.replaceAll(top, '')}`),
    },
    { clock, ...options },
  );
}

/** A file is also found by comparing its directory, and both by comparing a tree above: which one is reported depends on timing. */
function isTold(line: string): boolean {
  const [kind = '', path = ''] = line.split(' ');
  const directory = path.slice(0, path.lastIndexOf('/') + 1);
  return told.some((each) => {
    const [toldKind = '', toldPath = ''] = each.split(' ');
    if (each === line) return true;
    if (kind === 'file' && toldKind === 'directory') return toldPath === directory;
    return kind !== 'tree' && toldKind === 'tree' && directory.startsWith(toldPath);
  });
}

/** Lets the time pass until this holds. */
async function until(holds: () => boolean, message: () => string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!holds()) {
    assert.ok(Date.now() < deadline, message());
    await clock.advance(watchLimits.quietMilliseconds);
    await sleep(2);
  }
}

async function untilTold(...lines: string[]): Promise<void> {
  const message = () => `expected ${JSON.stringify(lines)}, was told ${JSON.stringify(told)}`;
  await until(() => lines.every(isTold), message);
}

/** Lets pass what is under way. */
async function untilQuiet(): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    await clock.advance(watchLimits.quietMilliseconds);
    await sleep(2);
  }
}

async function write(...keys: string[]): Promise<void> {
  for (const key of keys) {
    await mkdir(dirname(join(root, key)), { recursive: true });
    await writeFile(join(root, key), 'x');
  }
}

const move = (from: string, to: string) => rename(join(root, from), join(root, to));
const remove = (key: string) => rm(join(root, key), { recursive: true });
const levels = (count: number) => Array.from({ length: count }, (_, level) => `l${level}`).join('/');

describe('watchDirectory', () => {
  const cases: {
    readonly what: string;
    readonly before?: readonly string[];
    readonly act: () => Promise<unknown>;
    readonly expected: readonly string[];
    readonly not?: RegExp;
    /** A package that is written after what was expected was told, and must be told of, too. */
    readonly afterwards: string;
  }[] = [
    {
      what: 'packages and indexes, and no other file',
      before: ['All/a.tgz'],
      act: () => write('All/a.tgz', 'All/b.txz', 'All/pkg_summary.gz', 'All/README', 'All/.c.tgz', 'top.tar'),
      expected: ['file All/a.tgz', 'file All/b.txz', 'file All/pkg_summary.gz', 'file top.tar'],
      not: /README|\.c\.tgz/,
      afterwards: 'All/c.tgz',
    },
    {
      what: 'a package that is removed, and one that is renamed, without a comparison',
      before: ['All/a.tgz', 'All/b.tgz'],
      act: async () => {
        await remove('All/a.tgz');
        await move('All/b.tgz', 'All/c.tgz');
      },
      expected: ['file All/a.tgz', 'file All/b.tgz', 'file All/c.tgz'],
      not: /directory|tree/,
      afterwards: 'All/d.tgz',
    },
    {
      what: 'a nested tree that is moved in',
      act: async () => {
        await write('.S/a/b/c/All/x.tgz', '.S/a/d/All/y.tgz');
        await move('.S/a', 'a');
      },
      expected: ['directory a/b/c/All/', 'directory a/d/All/'],
      not: /directory (a|a.b|a.d)\/$/,
      afterwards: 'a/b/c/All/z.tgz',
    },
    {
      what: 'three branches that are moved in at once',
      act: async () => {
        await write('.S/a/All/x.tgz', '.S/b/All/x.tgz', '.S/c/All/x.tgz');
        await Promise.all(['a', 'b', 'c'].map((name) => move(`.S/${name}`, name)));
      },
      expected: ['directory a/All/', 'directory b/All/', 'directory c/All/'],
      afterwards: 'c/All/z.tgz',
    },
    {
      what: 'ten levels that are made at once',
      act: () => write(`${levels(10)}/w.tgz`),
      expected: [`directory ${levels(10)}/`],
      afterwards: `${levels(10)}/x.tgz`,
    },
    {
      what: 'a directory that is renamed twice',
      before: ['.S/a/All/x.tgz'],
      act: async () => {
        await move('.S/a', 'b');
        await move('b', 'c');
      },
      expected: ['directory c/All/'],
      afterwards: 'c/All/y.tgz',
    },
    {
      what: 'two trees that are swapped',
      before: ['a/All/x.tgz', 'b/p/All/y.tgz'],
      act: async () => {
        await move('a', '.t');
        await move('b', 'a');
        await move('.t', 'b');
      },
      expected: ['tree a/', 'tree b/', 'directory a/p/All/', 'directory b/All/'],
      afterwards: 'a/p/All/z.tgz',
    },
    {
      what: 'a directory that is removed and made again, on a file system that gives it the same inode',
      before: ['a/All/x.tgz'],
      act: async () => {
        await remove('a');
        await mkdir(join(root, 'a', 'All'), { recursive: true });
      },
      expected: ['directory a/All/'],
      afterwards: 'a/All/y.tgz',
    },
    {
      what: 'a directory that vanishes with all below it',
      before: ['a/b/All/x.tgz'],
      act: () => move('a', '.a'),
      expected: ['tree a/'],
      not: /directory/,
      afterwards: 'y.tgz',
    },
    {
      what: 'a directory that came and went',
      act: async () => {
        await mkdir(join(root, 'a'));
        await rmdir(join(root, 'a'));
      },
      expected: ['tree a/'],
      afterwards: 'y.tgz',
    },
    {
      what: 'a directory in the place of a package, and a package in the place of a directory',
      before: ['All/a.tgz', 'All/b.tgz/x.tgz'],
      act: async () => {
        await remove('All/a.tgz');
        await remove('All/b.tgz');
        await write('All/a.tgz/x.tgz', 'All/b.tgz');
      },
      expected: ['directory All/a.tgz/', 'tree All/b.tgz/', 'file All/b.tgz'],
      afterwards: 'All/a.tgz/y.tgz',
    },
    {
      what: 'a name that is not text',
      before: ['All/a.tgz'],
      act: () => writeFile(Buffer.concat([Buffer.from(`${root}/All/`), Buffer.from([0xff, 0x2e, 0x74])]), ''),
      expected: ['directory All/'],
      afterwards: 'All/b.tgz',
    },
    {
      what: 'nothing of hidden directories, and of what a link leads to',
      before: ['.b/All/a.tgz', 'c/All/a.tgz'],
      act: async () => {
        await mkdir(join(top, 'elsewhere'));
        await symlink(join(top, 'elsewhere'), join(root, 'link'));
        await write('.b/All/b.tgz', 'link/b.tgz', 'c/All/b.tgz');
      },
      expected: ['file c/All/b.tgz'],
      not: /\.b|link\/./,
      afterwards: 'c/All/c.tgz',
    },
  ];
  for (const { what, before = [], act, expected, not, afterwards } of cases) {
    it(`reports ${what}`, async () => {
      await write(...before);
      await start();
      await act();
      await untilTold(...expected);
      assert.deepEqual(
        told.filter((line) => not?.test(line)),
        [],
      );
      await untilQuiet();
      told = [];
      await write(afterwards);
      await untilTold(`file ${afterwards}`);
    });
  }

  it('reports nothing of what is there at the start', async () => {
    await write('a/b/All/x.tgz', 'y.tgz');
    await start();
    await write('z.tgz');
    await untilTold('file z.tgz');
    assert.deepEqual(new Set(told), new Set(['file z.tgz']));
  });

  it(`watches directories ${keyLimits.directoriesMax} levels deep, and none below`, async () => {
    const deepest = levels(keyLimits.directoriesMax);
    await mkdir(join(root, deepest, 'deeper'), { recursive: true });
    await start();
    await write(`${deepest}/deeper/x.tgz`, `${deepest}/x.tgz`);
    await untilTold(`file ${deepest}/x.tgz`);
    await untilQuiet();
    assert.deepEqual(
      told.filter((line) => line.includes('deeper')),
      [],
    );
  });

  it('follows a link to the root', async () => {
    await write('All/x.tgz');
    await symlink(root, join(top, 'link'));
    [root] = [join(top, 'link')];
    await start();
    await write('All/y.tgz');
    await untilTold('file All/y.tgz');
  });

  it('finds its root again after that was removed', async () => {
    await write('All/x.tgz');
    await start();
    await rm(root, { recursive: true });
    await untilQuiet();
    await write('All/y.tgz');
    await untilTold('directory All/');
    await untilQuiet();
    told = [];
    await write('All/z.tgz');
    await untilTold('file All/z.tgz');
  });

  it('reports nothing after it was closed', async () => {
    await write('All/x.tgz');
    await start();
    await write('All/y.tgz', 'a/All/x.tgz');
    await watch?.close();
    told = [];
    await write('All/z.tgz');
    await untilQuiet();
    assert.deepEqual(told, []);
  });
});

/** Watches that report what a test has them report. */
class ScriptedWatches {
  readonly #open = new Map<string, Parameters<Watch>[1]>();
  readonly #errors = new Map<string, Parameters<Watch>[2]>();
  /** What `watch` throws for a directory. */
  refuse: (key: string) => string | undefined = () => undefined;

  readonly watch: Watch = (path, onEvent, onError) => {
    const code = this.refuse(path.slice(root.length + 1));
    if (code !== undefined) throw Object.assign(new Error(`${code}: said so`), { code });
    this.#open.set(path, onEvent);
    this.#errors.set(path, onError);
    return {
      close: () => {
        if (this.#open.get(path) === onEvent) this.#open.delete(path);
      },
    };
  };

  get open(): string[] {
    return [...this.#open.keys()].map((path) => path.slice(root.length + 1)).sort();
  }

  report(directory: string, kind: 'rename' | 'change', name: string | null): void {
    const onEvent = this.#open.get(join(root, directory));
    assert.ok(onEvent, `${directory} is not watched`);
    onEvent(kind, name === null ? null : Buffer.from(name));
  }

  fail(directory: string, error: Error): void {
    this.#errors.get(join(root, directory))?.(error);
  }
}

/** A machine with these settings in /proc. */
function machine(platform: NodeJS.Platform, settings?: Readonly<Record<string, string>>, type = 0xef53): WatchFacts {
  return {
    platform,
    fileSystemType: async () => type,
    readText: async (path) => settings?.[path] ?? assert.fail('no such file'),
  };
}
const linux = machine('linux', {
  '/proc/sys/fs/inotify/max_queued_events': '100\n',
  '/proc/sys/fs/inotify/max_user_watches': '8192\n',
  '/proc/sys/user/max_inotify_watches': '8192\n',
  '/proc/sys/fs/inotify/max_user_instances': '128\n',
  '/proc/sys/user/max_inotify_instances': '2\n',
});

describe('watchDirectory where watches report less', () => {
  let watches: ScriptedWatches;
  beforeEach(() => {
    watches = new ScriptedWatches();
  });
  const begin = (facts: WatchFacts = linux, options: Omit<WatchOptions, 'clock'> = {}) =>
    start({ watch: watches.watch, facts, ...options });

  /** What was told may come before the last directory is watched. */
  async function untilWatched(...keys: string[]): Promise<void> {
    const message = () => `expected watches of ${JSON.stringify(keys)}, found ${JSON.stringify(watches.open)}`;
    await until(() => isDeepStrictEqual(watches.open, keys), message);
  }

  it('compares the directory after an event without a name, and finds new directories in it', async () => {
    await write('All/x.tgz');
    await begin();
    await write('All/y.tgz', 'All/sub/z.tgz');
    watches.report('All', 'rename', null);
    await untilTold('directory All/', 'directory All/sub/');
    await untilWatched('', 'All', 'All/sub');
  });

  it('compares a directory once for many events without a name', async () => {
    await write('All/x.tgz');
    await begin();
    for (let event = 0; event < 40; event += 1) watches.report('All', 'rename', null);
    await untilTold('directory All/');
    await untilQuiet();
    assert.deepEqual(told, ['directory All/']);
  });

  for (const { events, isSuspicious } of [
    { events: 49, isSuspicious: false },
    { events: 50, isSuspicious: true },
  ]) {
    const what = isSuspicious ? 'compares everything' : 'compares nothing';
    it(`${what} after ${events} events at once, of 100 that the kernel keeps`, async () => {
      await write('a/x.tgz', 'b/x.tgz');
      await begin();
      await write('b/sub/x.tgz');
      for (let event = 0; event < events; event += 1) watches.report('a', 'change', 'x.tgz');
      await untilTold('file a/x.tgz');
      if (isSuspicious) await untilTold('tree ', 'directory b/sub/');
      else {
        await untilQuiet();
        assert.deepEqual(
          told.filter((line) => !line.startsWith('file')),
          [],
        );
      }
    });
  }

  it('does not take as many events in several turns for a burst', async () => {
    await write('a/x.tgz');
    await begin();
    for (let turn = 0; turn < 4; turn += 1) {
      for (let event = 0; event < 49; event += 1) watches.report('a', 'change', 'x.tgz');
      await sleep(1);
    }
    assert.deepEqual(
      told.filter((line) => !line.startsWith('file')),
      [],
    );
  });

  for (const { what, code, facts, notice } of [
    {
      what: 'no watch is left',
      code: 'ENOSPC',
      facts: linux,
      notice:
        'no inotify watch is left. It and everything else that cannot be watched is compared every 5 seconds. To change that, raise fs.inotify.max_user_watches (now 8192), for example: sysctl fs.inotify.max_user_watches=524288.',
    },
    {
      what: 'no instance is left, in a container with a limit of its own',
      code: 'EMFILE',
      facts: linux,
      notice:
        'no inotify instance or file descriptor is left. It and everything else that cannot be watched is compared every 5 seconds. To change that, raise user.max_inotify_instances (now 2), for example: sysctl user.max_inotify_instances=1024, or the limit of open files (ulimit -n).',
    },
    {
      what: 'no watch is left, and there is no /proc',
      code: 'ENOSPC',
      facts: machine('linux'),
      notice:
        'no inotify watch is left. It and everything else that cannot be watched is compared every 5 seconds. To change that, raise fs.inotify.max_user_watches, for example: sysctl fs.inotify.max_user_watches=524288.',
    },
    {
      what: 'too many files are open, on a system that takes one for each watch',
      code: 'EMFILE',
      facts: machine('netbsd'),
      notice:
        'each watch needs a file descriptor, and none is left. It and everything else that cannot be watched is compared every 5 seconds. To change that, raise the limit of open files (ulimit -n).',
    },
    {
      what: 'there are no watches at all',
      code: 'ENOSYS',
      facts: linux,
      notice: 'ENOSYS: said so. It and everything else that cannot be watched is compared every 5 seconds.',
    },
  ]) {
    it(`says so once and compares every 5 seconds where ${what}`, async () => {
      await write('a/x.tgz', 'b/x.tgz', 'b/y.tgz');
      watches.refuse = () => code;
      await begin(facts);
      assert.deepEqual(told, [`notice /D cannot be watched: ${notice}`]);
      assert.deepEqual(
        watch?.polled.map(({ directories }) => directories),
        [3],
      );

      await write('a/x.tgz', 'b/z.tgz', 'c/x.tgz');
      await remove('b/y.tgz');
      await clock.advance(watchLimits.patrolMilliseconds - 1);
      await sleep(20);
      assert.equal(told.length, 1);
      await untilTold('file a/x.tgz', 'file b/z.tgz', 'file b/y.tgz', 'directory c/');
      await write('c/x.tgz');
      await untilTold('file c/x.tgz');
      assert.deepEqual(told.filter((line) => /notice|file b.x/.test(line)).length, 1);
    });
  }

  it('polls what comes after the last watch was taken, and watches it once there are some again', async () => {
    await write('a/x.tgz');
    await begin();
    watches.refuse = () => 'ENOSPC';
    await write('b/c/x.tgz');
    watches.report('', 'rename', 'b');
    await untilTold('directory b/c/');
    assert.deepEqual(watches.open, ['', 'a']);
    assert.deepEqual(
      watch?.polled.map(({ kind, directories }) => [kind, directories]),
      [['no watch left', 2]],
    );
    assert.deepEqual(told.filter((line) => /notice .D.b cannot/.test(line)).length, 1);

    await write('b/c/y.tgz');
    await untilTold('file b/c/y.tgz');

    watches.refuse = () => undefined;
    await clock.advance(watchLimits.patrolMilliseconds);
    await untilWatched('', 'a', 'b', 'b/c');
    assert.deepEqual(watch?.polled, []);
  });

  it('polls a directory whose watch fails later', async () => {
    await write('a/x.tgz');
    await begin();
    watches.refuse = (key) => (key === 'a' ? 'ENOSPC' : undefined);
    watches.fail('a', Object.assign(new Error('ended'), { code: 'EINTR' }));
    await untilTold('directory a/');
    await write('a/y.tgz');
    await untilTold('file a/y.tgz');
  });

  it('finds what changed without an event within a patrol: entries, another directory, a watch that died', async () => {
    await write('a/x.tgz', 'b/x.tgz');
    await begin();
    await write('a/y.tgz');
    await clock.advance(watchLimits.patrolMilliseconds);
    await untilTold('directory a/');

    await write('.c/p/x.tgz');
    await move('b', '.b');
    await move('.c', 'b');
    await clock.advance(watchLimits.patrolMilliseconds);
    await untilTold('tree b/', 'directory b/p/');
    await untilWatched('', 'a', 'b', 'b/p');
    await write('b/p/y.tgz');
    watches.report('b/p', 'rename', 'y.tgz');
    await untilTold('file b/p/y.tgz');
  });

  it('does not compare what an event told of', async () => {
    await write('a/x.tgz');
    await begin();
    await write('a/y.tgz');
    watches.report('a', 'rename', 'y.tgz');
    await clock.advance(3 * watchLimits.patrolMilliseconds);
    await untilQuiet();
    assert.deepEqual(told, ['file a/y.tgz']);
  });

  it('polls a file system that other machines write to', async () => {
    await write('a/x.tgz');
    await begin({ ...linux, fileSystemType: async () => 0xff534d42 | 0 });
    assert.deepEqual(told, [
      'notice /D cannot be watched: its file system (cifs) does not report every change. It and everything else that cannot be watched is compared every 5 seconds.',
    ]);
    assert.deepEqual(watches.open, []);
    await write('a/y.tgz');
    await untilTold('file a/y.tgz');
  });

  it('watches where the file system cannot be told', async () => {
    await begin({ ...linux, fileSystemType: () => Promise.reject(new Error('ENOSYS')) });
    assert.deepEqual([watches.open, told], [[''], []]);
  });

  it('polls everything, as often as it is asked to', async () => {
    await write('a/x.tgz');
    await begin(linux, { pollMilliseconds: 1_000 });
    assert.deepEqual(told, ['notice /D is not watched but compared every second, as --poll asks']);
    assert.deepEqual(watches.open, []);
    await write('a/x.tgz');
    await clock.advance(1_000);
    await untilTold('file a/x.tgz');
  });

  for (const platform of ['darwin', 'freebsd', 'netbsd', 'sunos'] as const) {
    it(`compares files of watched directories now and then on ${platform}, where a write may have no event`, async () => {
      await write('a/x.tgz');
      await begin(machine(platform));
      assert.deepEqual([watches.open, watch?.polled], [['', 'a'], []]);
      await writeFile(join(root, 'a/x.tgz'), 'written in place');
      await clock.advance((watchLimits.patrolsPerComparison - 1) * watchLimits.patrolMilliseconds);
      await untilTold('file a/x.tgz');
    });
  }
});
