/** The configuration file: its limits, and that nothing in it is a surprise. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Option } from 'commander';
import fc from 'fast-check';
import { stringify } from 'smol-toml';
import { CannotRun, UsageError } from '../../../functions/failures.ts';
import { configLimits, readConfigFile } from '../../../scripts/settings/config-file.ts';
import { runs } from '../../thoroughness.ts';

const options = [new Option('--port <number>'), new Option('--no-page'), new Option('--config <file>')];

let place: string;
before(async () => {
  place = await mkdtemp(join(tmpdir(), 'config-file-'));
});
after(() => rm(place, { recursive: true }));

async function read(text: string) {
  const file = join(place, 'indexer.toml');
  await writeFile(file, text);
  return await readConfigFile(file, options);
}

const directories = (count: number) =>
  Array.from({ length: count }, (_, index) => `[[directories]]\npath = "d${index}"\n`).join('');

describe('a configuration file', () => {
  test('may have fileBytesMax', async () => {
    const { fileBytesMax } = configLimits;
    const ofLength = (length: number) => `port = 1\n#${'x'.repeat(length - 'port = 1\n#'.length)}`;
    assert.deepEqual((await read(ofLength(fileBytesMax))).settings, { port: 1 });
    const message = `${place}/indexer.toml: expected at most ${fileBytesMax} bytes, found more: is it a configuration file?`;
    await assert.rejects(read(ofLength(fileBytesMax + 1)), new UsageError(message));
  });

  test('may name directoriesMax', async () => {
    const { directoriesMax } = configLimits;
    assert.equal((await read(directories(directoriesMax))).directories.length, directoriesMax);
    await assert.rejects(read(directories(directoriesMax + 1)), /expected at most 50 \[\[directories\]\], found 51: /);
  });

  test('may be a device without an end', async () => {
    await assert.rejects(readConfigFile('/dev/zero', options), UsageError);
  });

  test('that cannot be read is named', async () => {
    await assert.rejects(readConfigFile(place, options), new CannotRun(`${place}: it is a directory`));
  });

  test('is read, or refused with a sentence, whatever is in it', async () => {
    const name = fc.oneof(
      fc.constantFrom(
        'port',
        'page',
        'config',
        'directories',
        '__proto__',
        'constructor',
        '',
        '--',
        '-',
        'no-port',
        'port=1',
      ),
      fc.string({ unit: 'grapheme' }),
    );
    const value = fc.oneof(
      fc.integer(),
      fc.string(),
      fc.boolean(),
      fc.double({ noNaN: true }),
      fc.array(fc.record({ path: fc.string() })),
      fc.dictionary(fc.string(), fc.integer()),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.dictionary(name, value).map(stringify), fc.string()), async (text) => {
        try {
          await read(text);
        } catch (error) {
          assert.ok(error instanceof UsageError, String((error as Error).stack));
          assert.match(error.message, /^[^\n]*indexer\.toml: [^\n]+$/);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});
