import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { type BreakageCode, BrokenIndex, indexesTaken, readIndex, readSummary } from './pkgin-reader.ts';
import { isThorough } from './thoroughness.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const concatenated = (...parts: (Uint8Array | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? bytes(part) : part)));

const one = 'PKGNAME=one-1.0\nCOMMENT=The first\nFILE_SIZE=100\n\n';
const two = 'PKGNAME=two-2.0nb1\nDEPENDS=one>=1\nDEPENDS=three-[0-9]*\nFILE_SIZE=200\n\n';

interface Broken {
  readonly what: string;
  readonly summary: string;
  readonly code: BreakageCode;
  readonly point: number;
  readonly offset: number;
  readonly line: string;
}

const brokenSummaries: readonly Broken[] = [
  {
    what: 'a record that ends without an empty line, at the end',
    summary: `${one}PKGNAME=x-1\nFILE_SIZE=1\n`,
    code: 'no-final-empty-line',
    point: 4,
    offset: one.length,
    line: 'PKGNAME=x-1',
  },
  {
    what: 'a last line without its newline',
    summary: `${one}PKGNAME=x-1\nFILE_SIZE=1`,
    code: 'no-final-empty-line',
    point: 4,
    offset: one.length,
    line: 'PKGNAME=x-1',
  },
  {
    what: 'an empty line that begins the summary',
    summary: `\n${one}`,
    code: 'empty-line',
    point: 4,
    offset: 0,
    line: '',
  },
  {
    what: 'two empty lines between records',
    summary: `${one}\n${two}`,
    code: 'empty-line',
    point: 4,
    offset: one.length,
    line: '',
  },
  {
    what: 'two empty lines at the end',
    summary: `${one}\n`,
    code: 'empty-line',
    point: 4,
    offset: one.length,
    line: '',
  },
  { what: 'two newlines and nothing else', summary: '\n\n', code: 'empty-line', point: 4, offset: 0, line: '' },
  {
    what: 'a line without =',
    summary: `${one}PKGNAME=x-1\nFILE_SIZE=1\nhalf a line\n\n`,
    code: 'no-equals-sign',
    point: 5,
    offset: one.length + 24,
    line: 'half a line',
  },
  {
    what: 'CRLF throughout',
    summary: one.replaceAll('\n', '\r\n'),
    code: 'crlf',
    point: 5,
    offset: one.length - 1 + 3,
    line: '\r',
  },
  {
    what: 'a NUL in a value',
    summary: `${one}PKGNAME=x-1\nCOMMENT=a\0b\nFILE_SIZE=1\n\n`,
    code: 'nul',
    point: 5,
    offset: one.length + 12,
    line: 'COMMENT=a\0b',
  },
  { what: 'nothing at all', summary: '', code: 'empty-summary', point: 6, offset: 0, line: '' },
  {
    what: 'a record without PKGNAME',
    summary: `${one}COMMENT=Nameless\nFILE_SIZE=1\n\n`,
    code: 'no-name',
    point: 7,
    offset: one.length,
    line: 'COMMENT=Nameless',
  },
  {
    what: 'a record with an empty PKGNAME',
    summary: `PKGNAME=\nFILE_SIZE=1\n\n${one}`,
    code: 'no-name',
    point: 7,
    offset: 0,
    line: 'PKGNAME=',
  },
  ...['', 'FILE_SIZE=\n', 'FILE_SIZE=0\n', 'FILE_SIZE=000\n', 'FILE_SIZE=many\n', 'FILE_SIZE=-1\n'].map(
    (sizeLine): Broken => ({
      what: sizeLine === '' ? 'a record without FILE_SIZE' : sizeLine.trimEnd(),
      summary: `${one}PKGNAME=x-1\n${sizeLine}\n${two}`,
      code: 'bad-file-size',
      point: 8,
      offset: one.length,
      line: 'PKGNAME=x-1',
    }),
  ),
  ...['12kB', '1e3', ' 12', '12 ', '0x10', '12\r'].map(
    (size): Broken => ({
      what: `FILE_SIZE ${JSON.stringify(size)}`,
      summary: `PKGNAME=x-1\nFILE_SIZE=${size}\n\n`,
      code: 'bad-file-size',
      point: 8,
      offset: 0,
      line: 'PKGNAME=x-1',
    }),
  ),
  {
    what: 'a line of 8,191 bytes',
    summary: `${one}PKGNAME=x-1\nCOMMENT=${'c'.repeat(8_191 - 8)}\nFILE_SIZE=1\n\n`,
    code: 'line-too-long',
    point: 11,
    offset: one.length + 12,
    line: `COMMENT=${'c'.repeat(8_191 - 8)}`,
  },
];

function assertBroken(read: () => unknown, expected: Partial<Broken>): void {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof BrokenIndex, `expected a BrokenIndex, got ${error}`);
    const { code, point, offset, line } = error;
    assert.deepEqual({ code, point, offset, line, ...expected }, { code, point, offset, line });
    return true;
  });
}

describe('readSummary refuses', () => {
  for (const { what, summary, ...expected } of brokenSummaries) {
    test(`${what}: ${expected.code} (point ${expected.point})`, () => {
      assertBroken(() => readSummary(bytes(summary)), expected);
    });
  }

  test('a summary that ends anywhere but behind a record (points 4, 6)', () => {
    const whole = bytes(one + two);
    for (let length = 0; length < whole.length; length += 1) {
      if (length === one.length) continue;
      assert.throws(() => readSummary(whole.subarray(0, length)), BrokenIndex, `cut after ${length} bytes`);
    }
  });

  test('with a message that tells what, where and the line', () => {
    assert.throws(() => readSummary(bytes(`${one}oops\n\n`)), {
      message: `pkgin (point 5): expected NAME=VALUE, found a line without =, at byte ${one.length}: "oops"`,
    });
  });
});

describe('readSummary reads', () => {
  test('one newline as an empty repository (point 6)', () => {
    const { packages, duplicates, records } = readSummary(bytes('\n'));
    assert.deepEqual({ packages: packages.size, duplicates, records }, { packages: 0, duplicates: [], records: 0 });
  });

  test('every record, with all its values in order', () => {
    const { packages, duplicates, records } = readSummary(bytes(one + two));
    assert.deepEqual([...packages.keys()], ['one-1.0', 'two-2.0nb1']);
    assert.deepEqual(duplicates, []);
    assert.equal(records, 2);
    const second = packages.get('two-2.0nb1');
    assert.deepEqual(second?.fields.get('DEPENDS'), ['one>=1', 'three-[0-9]*']);
    assert.equal(second?.fileSize, 200);
    assert.equal(Buffer.from(second?.record ?? []).toString('latin1'), two);
  });

  test('of two records with one PKGNAME the first, and reports it (point 7)', () => {
    const { packages, duplicates, records } = readSummary(bytes(one + two + one.replace('first', 'second')));
    assert.equal(packages.size, 2);
    assert.deepEqual(duplicates, ['one-1.0']);
    assert.equal(records, 3);
    assert.deepEqual(packages.get('one-1.0')?.fields.get('COMMENT'), ['The first']);
  });

  for (const [name, download] of [
    ['one-1.0', 'one-1.0.tgz'],
    ['gtk2+-2.24.32nb5', 'gtk2+-2.24.32nb5.tgz'],
    ['wavefront-proxy-4.26-1', 'wavefront-proxy-4.26-1.tgz'],
    ['filebeat-7.0.0-alpha1', 'filebeat-7.0.0-alpha1-0.0.tgz'],
    ['noversion', 'noversion-0.0.tgz'],
  ] as const) {
    test(`that ${name} is downloaded as ${download}, whatever FILE_NAME says (points 9, 10)`, () => {
      const { packages } = readSummary(bytes(`PKGNAME=${name}\nFILE_NAME=other.tgz\nFILE_SIZE=1\n\n`));
      assert.equal(packages.get(name)?.download, download);
    });
  }

  test('a line of exactly 8,190 bytes (point 11)', () => {
    const comment = 'c'.repeat(8_190 - 'COMMENT='.length);
    const { packages } = readSummary(bytes(`PKGNAME=x-1\nCOMMENT=${comment}\nFILE_SIZE=1\n\n`));
    assert.deepEqual(packages.get('x-1')?.fields.get('COMMENT'), [comment]);
  });

  test('a carriage return that is part of a value, and = in a value', () => {
    const { packages } = readSummary(bytes('PKGNAME=x-1\nHOMEPAGE=http://x/?a=b\r\nFILE_SIZE=1\n\n'));
    assert.deepEqual(packages.get('x-1')?.fields.get('HOMEPAGE'), ['http://x/?a=b\r']);
  });

  test('any byte but NUL and newline in a value, unchanged', () => {
    const value = fc.uint8Array({ maxLength: 40 }).map((array) => array.filter((byte) => byte !== 0 && byte !== 10));
    fc.assert(
      fc.property(value, (comment) => {
        const summary = concatenated('PKGNAME=x-1\nCOMMENT=', comment, '\nFILE_SIZE=1\n\n');
        const found = readSummary(summary).packages.get('x-1');
        assert.deepEqual(bytes(found?.fields.get('COMMENT')?.[0] ?? ''), Buffer.from(comment));
        assert.deepEqual(Buffer.from(found?.record ?? []), summary);
      }),
    );
  });
});

describe('readIndex', () => {
  const compressions = [
    { format: 'gz', compress: (data: Uint8Array): Uint8Array => gzipSync(data) },
    { format: 'zst', compress: (data: Uint8Array): Uint8Array => zstdCompressSync(data) },
  ] as const;

  for (const { format, compress } of compressions) {
    const summary = bytes(one + two);

    test(`${format}: decompresses and reads`, () => {
      const index = readIndex(compress(summary), format);
      assert.deepEqual(index.summary, summary);
      assert.equal(index.records, 2);
    });

    test(`${format}: reads several pieces in one file (point 14)`, () => {
      const pieces = concatenated(compress(bytes(one)), compress(bytes('')), compress(bytes(two)));
      assert.deepEqual(readIndex(pieces, format).summary, summary);
    });

    test(`${format}: an empty repository is one newline, compressed (point 6)`, () => {
      assert.equal(readIndex(compress(bytes('\n')), format).records, 0);
    });

    test(`${format}: refuses a file of no bytes, and nothing compressed (point 6)`, () => {
      assertBroken(() => readIndex(bytes(''), format), { code: 'empty-file', point: 6, offset: 0 });
      assertBroken(() => readIndex(compress(bytes('')), format), { code: 'empty-summary', point: 6, offset: 0 });
    });

    test(`${format}: refuses anything between or behind the pieces (point 14)`, () => {
      const first = compress(bytes(one));
      const last = compress(bytes(two));
      for (const extra of ['\0', '\0\0\0\0\0\0\0\0', 'text', '\n', '\x1f', '\x28']) {
        for (const whole of [concatenated(first, extra, last), concatenated(first, last, extra)]) {
          assert.throws(() => readIndex(whole, format), BrokenIndex, JSON.stringify(extra));
        }
      }
      assertBroken(() => readIndex(concatenated(first, '\0\0', last), format), {
        code: 'trailing-bytes',
        point: 14,
        offset: first.length,
      });
    });

    test(`${format}: refuses an index that is cut, at every length`, () => {
      const whole = compress(summary);
      for (let length = 0; length < whole.length; length += 1) {
        assert.throws(() => readIndex(whole.subarray(0, length), format), BrokenIndex, `cut after ${length} bytes`);
      }
    });

    test(`${format}: refuses what is no ${format}`, () => {
      assertBroken(() => readIndex(summary, format), { code: 'undecodable', point: 14, offset: 0 });
    });
  }
});

describe('indexesTaken (point 1)', () => {
  for (const { files, taken } of [
    { files: [], taken: [] },
    { files: ['one-1.0.tgz', 'index.html'], taken: [] },
    { files: ['pkg_summary.gz'], taken: ['pkg_summary.gz'] },
    { files: ['pkg_summary.gz', 'pkg_summary.zst'], taken: ['pkg_summary.zst', 'pkg_summary.gz'] },
    { files: ['pkg_summary.gz', 'pkg_summary.bz2'], taken: ['pkg_summary.bz2'] },
    {
      files: ['pkg_summary.gz', 'pkg_summary.bz2', 'pkg_summary.xz', 'pkg_summary.zst'],
      taken: ['pkg_summary.zst', 'pkg_summary.xz'],
    },
  ]) {
    test(`${files.join(' ') || 'no files'} → ${taken.join(' ') || 'none'}`, () => {
      assert.deepEqual([...indexesTaken(files)], taken);
    });
  }
});

describe('published data', () => {
  const large = new URL('../../shared/data/pkg_summary-27k.zst', import.meta.url);
  const small = new URL('../../shared/real/pkg_summary.txt', import.meta.url);
  const unlessAbsent = (file: URL) => (existsSync(file) ? {} : { skip: `${file.pathname} is not on this machine` });
  const whenThorough = isThorough ? unlessAbsent(large) : { skip: 'it takes seconds: npm run test:all' };

  test('27,699 records, as zst and as gz', whenThorough, () => {
    const zst = readFileSync(large);
    const index = readIndex(zst, 'zst');
    assert.equal(index.packages.size, 27_699);
    assert.equal(index.records, 27_699);
    assert.deepEqual(index.duplicates, []);
    const summary = zstdDecompressSync(zst);
    assert.equal(Buffer.compare(index.summary, summary), 0);
    const gz = gzipSync(summary, { level: 1 });
    assert.equal(readIndex(gz, 'gz').records, 27_699);
    assertBroken(() => readIndex(concatenated(gz, '\0'), 'gz'), { code: 'trailing-bytes', offset: gz.length });
  });

  test('25 records that a publisher’s pkg_info printed', unlessAbsent(small), () => {
    const { packages, records } = readSummary(readFileSync(small));
    assert.equal(records, 25);
    assert.equal(packages.get('getopt-1.1.6')?.fileSize, 12_420);
  });
});
