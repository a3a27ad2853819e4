import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { readPackage } from '../../functions/package/read-package.ts';
import { type Entry, entriesOf, type Headers, makeArchive, makePackage, noise, paxRecord } from '../package-maker.ts';
import { assertMalformed, ByteSource, recordOf } from './byte-source.ts';

const entries = entriesOf({});
const [contents, comment, description, payload] = entries as [Entry, Entry, Entry, Entry];
const longName = `${'directory/'.repeat(15)}file`;

function read(archive: Uint8Array) {
  return readPackage(new ByteSource(archive));
}

describe('the metadata of a package', () => {
  for (const headers of ['ustar', 'gnu', 'pax'] satisfies Headers[]) {
    it(`is read after ${headers} headers, before a payload with a long name`, async () => {
      const parts = { buildInfo: 'OPSYS=NetBSD\n', sizePkg: '12\n', payload: { [longName]: 'x', bin: 'y' } };
      const metadata = await read(makePackage({ ...parts, headers, compression: 'none' }));
      const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();
      assert.equal(text(metadata.contents), `@cwd /usr/pkg\n@name made-1.0\n${longName}\nbin\n`);
      assert.equal(text(metadata.comment), 'A package made for a test\n');
      assert.equal(text(metadata.description), 'It holds nothing of use.\n');
      assert.equal(text(metadata.buildInfo), 'OPSYS=NetBSD\n');
      assert.equal(text(metadata.sizePkg), '12\n');
      assert.equal(metadata.signature, undefined);
    });
  }

  it('ends each at its first NUL', async () => {
    const { comment, description } = await read(
      makePackage({ comment: 'one\0two\n', description: '\0', compression: 'none' }),
    );
    assert.equal(Buffer.from(comment).toString(), 'one');
    assert.equal(description.length, 0);
  });

  const stops: readonly [what: string, entry: Entry][] = [
    ['a payload file', payload],
    ['a name that only starts like one', { name: '+DESCRIPTION' }],
    ['a name of a directory above', { name: './+DESC' }],
    ['a directory with the name of one', { name: '+DESC', type: '5' }],
    ['a directory by its trailing slash', { name: '+DESC/' }],
    ['a name in lower case', { name: '+desc' }],
    [
      'a name that is not UTF-8, in a pax header',
      { name: 'x', type: 'x', body: Buffer.from('13 path=\xff\xff\xff\xff\n', 'latin1') },
    ],
  ];
  for (const [what, entry] of stops) {
    it(`ends before ${what}`, async () => {
      await assertMalformed(
        read(makeArchive([contents, comment, entry, payload, description])),
        'missing-metadata',
        /\+DESC/,
      );
      await recordOf(makeArchive([contents, comment, description, entry, payload]));
    });
  }

  it('that is missing is reported with the entry that was found instead', async () => {
    for (const [name, found] of [
      ['./+CONTENTS', './+CONTENTS'],
      ['._+CONTENTS', '._+CONTENTS'],
      ['b\u00e4r\x1b', 'b\u00e4r\\u001b'],
      ['n'.repeat(300), 'n'.repeat(100)],
    ] as const) {
      await assert.rejects(read(makeArchive([{ name }, ...entries], 'gnu')), (error: Error) => {
        return error.message.includes(`other file, found "${found}" and no +CONTENTS, no +COMMENT, no +DESC, at byte`);
      });
    }
    await assertMalformed(
      read(makeArchive([contents])),
      'missing-metadata',
      /found the end of the archive and no \+COMMENT/,
    );
  });

  it('skips the other metadata files, whatever they contain', async () => {
    const others = ['+INSTALL', '+DEINSTALL', '+DISPLAY', '+MTREE_DIRS', '+BUILD_VERSION', '+SIZE_ALL', '+PRESERVE'];
    const more = ['+VIEWS', '+REQUIRED_BY', '+INSTALLED_INFO'];
    const between = [...others, ...more, ...others].map((name) => ({ name, body: noise(700) }));
    await recordOf(makeArchive([contents, ...between, comment, description, payload]));
  });

  for (const name of ['+CONTENTS', '+COMMENT', '+DESC', '+BUILD_INFO', '+SIZE_PKG']) {
    it(`is corrupt with two ${name}, even if both are empty`, async () => {
      const twice = [{ name }, ...entries.filter((entry) => entry.name !== name), { name }].filter(
        (entry) => entry !== payload,
      );
      await assertMalformed(read(makeArchive(twice)), 'repeated-metadata', new RegExp(`\\${name}`));
    });
  }

  it('may be all there is: the archive ends with a block of zeros', async () => {
    for (const lastBody of ['text', '', 'x'.repeat(512)]) {
      const archive = makeArchive([contents, comment, { name: '+DESC', body: lastBody }]);
      for (const zeros of [512, 1024, 9 * 512]) {
        const end = Buffer.concat([archive.subarray(0, -1024), Buffer.alloc(zeros)]);
        assert.equal(Buffer.from((await read(end)).description).toString(), lastBody);
      }
      await assertMalformed(read(archive.subarray(0, -1024)), 'truncated', /found its end/);
    }
  });

  it('ends at the first block of zeros, whatever follows', async () => {
    const whole = makeArchive([contents, comment, description]);
    for (const rest of [Buffer.alloc(1), noise(700), makeArchive([description])]) {
      assert.deepEqual(await read(Buffer.concat([whole, rest])), await read(whole));
    }
    const cut = Buffer.concat([makeArchive([contents, comment]), makeArchive([description, payload])]);
    await assertMalformed(read(cut), 'missing-metadata', /\+DESC/);
  });

  it('does not depend on global pax headers', async () => {
    const global = { name: 'x', type: 'g', body: paxRecord('path', 'elsewhere') + paxRecord('size', '1') };
    assert.deepEqual(await read(makeArchive([global, ...entries])), await read(makeArchive(entries)));
  });

  it('takes no longer for a large global pax header before many others', async () => {
    const keywords = Array.from({ length: 40_000 }, (_, index) => paxRecord(`k${index}`, ''));
    const global = { name: 'x', type: 'g', body: keywords.join('') };
    const headers = Array.from({ length: 1_000 }, () => ({ name: 'x', type: 'x', body: paxRecord('a', 'b') }));
    const start = performance.now();
    await read(makeArchive([global, ...headers, ...entries]));
    assert.ok(performance.now() - start < 2_000);
  });

  it('is read after headers of old tar and GNU tar', async () => {
    const old = entries.map((entry) => ({ ...entry, header: { 156: '\0', 257: '\0'.repeat(8), 345: 'no prefix' } }));
    await recordOf(makeArchive(old));
    const gnu = entries.map((entry) => ({ ...entry, header: { 257: 'ustar  \0', 345: '15300421370\0' } }));
    await recordOf(makeArchive(gnu));
    const blanks = entries.map((entry) => ({ ...entry, header: { 124: '      ', 135: ' ', 100: '   644 ' } }));
    await recordOf(makeArchive(blanks));
  });

  it('ignores pax headers without a name, and long names of links', async () => {
    const without = { name: 'x', type: 'x', body: paxRecord('path', '') };
    const link = { name: '././@LongLink', type: 'K', body: 'elsewhere\0' };
    await recordOf(makeArchive([contents, comment, without, link, description, payload]));
  });

  it('may have a name in a pax header, and in a GNU one', async () => {
    const named = { name: 'x', type: 'x', body: paxRecord('path', '+DESC') };
    await recordOf(makeArchive([contents, comment, named, { ...description, name: 'y' }, payload]));
    const several = {
      ...named,
      body: `${paxRecord('comment', 'a=b\nc')}${paxRecord('path', '+DESC')}${paxRecord('x', '')}`,
    };
    await recordOf(makeArchive([contents, comment, several, { ...description, name: 'y' }, payload]));
    const linked = { name: '././@LongLink', type: 'L', body: '+DESC\0' };
    await recordOf(makeArchive([contents, comment, linked, { ...description, name: 'y' }, payload]));
  });
});

describe('a damaged archive', () => {
  const sizeFields: readonly [what: string, size: string, code: string][] = [
    ['letters', 'zzzzzzzzzzz\0', 'corrupt-archive'],
    ['a negative base-256 number', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00', 'corrupt-archive'],
    ['a base-256 number with an unknown flag', '\x81\0\0\0\0\0\0\0\0\0\0\x05', 'corrupt-archive'],
    ['a base-256 number beyond 2^53', '\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff', 'too-large'],
    ['more than the archive has', '00000077777\0', 'truncated'],
  ];
  for (const [what, size, code] of sizeFields) {
    it(`is refused: a size of ${what}`, async () => {
      await assertMalformed(read(makeArchive([contents, { ...comment, header: { 124: size } }, description])), code);
    });
  }

  for (const [size, code] of [
    ['huge', 'corrupt-archive'],
    ['-1', 'corrupt-archive'],
    ['99999999999999999999', 'too-large'],
  ] as const) {
    it(`is refused: a size of ${size} in a pax header`, async () => {
      const header = { name: 'x', type: 'x', body: paxRecord('size', size) };
      await assertMalformed(read(makeArchive([contents, header, comment, description])), code);
    });
  }

  for (const body of [
    '7 a=b',
    '6 a=b',
    '5 a=b\n',
    '4 a\n6 b=c\n',
    '7 a=b\n',
    '0 a=b\n',
    'a=b\n',
    '4 a=',
    '-6 a=b\n',
    ' \n',
    '\0',
  ]) {
    it(`is refused: the pax record ${JSON.stringify(body)}`, async () => {
      const archive = makeArchive([contents, { name: 'x', type: 'x', body }, comment, description]);
      await assertMalformed(read(archive), 'corrupt-archive', /at byte 1024 of/);
    });
  }

  it('is refused where it ends within a header, within a file, or within the padding', async () => {
    const archive = makeArchive(entries);
    const uncaught: unknown[] = [];
    const note = (error: unknown) => uncaught.push(error);
    process.on('uncaughtException', note);
    for (const bytes of [512 + 1, 512 + 150, 512 + 511, 1024 + 1, 1024 + 511, 1536 + 1, 1536 + 20, 3 * 1024 - 1]) {
      await assertMalformed(read(archive.subarray(0, bytes)), 'truncated', /archive$/);
    }
    await setImmediate();
    process.off('uncaughtException', note);
    assert.deepEqual(uncaught, []);
  });

  it('is refused where the second header is not one', async () => {
    const archive = makeArchive(entries);
    archive[1024 + 5] = 0x7a;
    await assertMalformed(read(archive), 'corrupt-archive', /at byte 1024 of/);
  });
});
