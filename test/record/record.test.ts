import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PackageMetadata } from '../../functions/package/read-package.ts';
import { renderRecord } from '../../functions/record/record.ts';
import { assertMalformed } from '../package/byte-source.ts';

/** Strings are Latin-1 here: bytes as characters. */
interface Texts {
  readonly contents?: string;
  readonly comment?: string;
  readonly description?: string;
  readonly buildInfo?: string;
  readonly sizePkg?: string;
  readonly signature?: PackageMetadata['signature'];
}

function render(texts: Texts, file = 'x-1.0.tgz', fileSize = 7): string {
  const bytes = (text: string | undefined) => (text === undefined ? undefined : Buffer.from(text, 'latin1'));
  const { contents = '@name x-1.0\n', comment = 'c\n', description = 'd\n', buildInfo, sizePkg, signature } = texts;
  const metadata: PackageMetadata = {
    contents: Buffer.from(contents, 'latin1'),
    comment: Buffer.from(comment, 'latin1'),
    description: Buffer.from(description, 'latin1'),
    buildInfo: bytes(buildInfo),
    sizePkg: bytes(sizePkg),
    signature,
  };
  return Buffer.from(renderRecord(metadata, file, fileSize)).toString('latin1');
}

/** The lines that come from +CONTENTS. */
function linesOfPackingList(contents: string, signature?: PackageMetadata['signature']): string[] {
  return render({ contents, signature }).split('\nCOMMENT=')[0]?.split('\n') ?? [];
}

describe('a record', () => {
  it('has its lines in the order of pkg_info, and an empty one at the end', () => {
    const record = render({
      contents: '@cwd /usr/pkg\n@name x-1.0\n@pkgdep y>=1\n@blddep y-1\nbin/x\n@pkgcfl z-[0-9]*\n@pkgdep w\n',
      comment: 'one\ntwo\n',
      sizePkg: '42\n',
      buildInfo: 'OPSYS=NetBSD\nCC=gcc\nBUILD_DATE=now\n',
      description: 'first\n\nthird\n',
    });
    const expected = [
      'PKGNAME=x-1.0',
      'DEPENDS=y>=1',
      'CONFLICTS=z-[0-9]*',
      'DEPENDS=w',
      'COMMENT=one',
      'COMMENT=two',
      'SIZE_PKG=42',
      'OPSYS=NetBSD',
      'BUILD_DATE=now',
      'FILE_NAME=x-1.0.tgz',
      'FILE_SIZE=7',
      'DESCRIPTION=first',
      'DESCRIPTION=',
      'DESCRIPTION=third',
    ];
    assert.equal(record, `${expected.join('\n')}\n\n`);
  });

  it('has nothing of files that are absent or empty', () => {
    const record = 'PKGNAME=x-1.0\nFILE_NAME=x-1.0.tgz\nFILE_SIZE=7\n\n';
    assert.equal(render({ comment: '', description: '' }), record);
    assert.equal(render({ comment: '', description: '', buildInfo: '', sizePkg: '' }), record);
  });

  const nameless = [
    '',
    '\n',
    'bin/x\n',
    ' @name x-1\n',
    '@name \t\r\n',
    '@pkgdep x\n',
    '@NAME x\n',
    '@name x-1\n@name\n',
  ];
  for (const contents of nameless) {
    it(`is refused without a name: ${JSON.stringify(contents)}`, async () => {
      const rendering = Promise.resolve().then(() => render({ contents }));
      await assertMalformed(rendering, 'no-name', /@name NAME-VERSION/);
    });
  }

  const packingLists: readonly (readonly [what: string, contents: string, lines: string[]])[] = [
    ['conflicts before the name', '@pkgcfl y\n@name x\n', ['CONFLICTS=y', 'PKGNAME=x']],
    ['several names', '@name x\n@name y\n', ['PKGNAME=x', 'PKGNAME=y']],
    ['a keyword glued to its value', '@namex-1\n@pkgdepy>=1\n', ['PKGNAME=x-1', 'DEPENDS=y>=1']],
    [
      'a keyword that only starts like one',
      '@name x\n@names y\n@pkgdepends z\n',
      ['PKGNAME=x', 'PKGNAME=s y', 'DEPENDS=ends z'],
    ],
    ['blanks around the value', '@name \t x-1 \t \n', ['PKGNAME=x-1']],
    ['all of C’s blanks', '@name\v\f\r x\r\f\v\n', ['PKGNAME=x']],
    ['no other blanks', '@name \xa0x\x85\n', ['PKGNAME=\xa0x\x85']],
    ['blanks within the value', '@name x  1\ty\n', ['PKGNAME=x  1\ty']],
    ['CRLF', '@name x\r\n@pkgdep y\r\n', ['PKGNAME=x', 'DEPENDS=y']],
    [
      'CR, VT and FF within a line, which end none',
      '@name x\r@pkgdep y\v@name z\f@pkgcfl w\n',
      ['PKGNAME=x\r@pkgdep y\v@name z\f@pkgcfl w'],
    ],
    [
      'NEL and LS, which end none',
      '@name x\x85@name y\xe2\x80\xa8@name z\n',
      ['PKGNAME=x\x85@name y\xe2\x80\xa8@name z'],
    ],
    ['no line feed at the end', '@name x\n@pkgdep y', ['PKGNAME=x', 'DEPENDS=y']],
    ['a keyword without a value', '@name x\n@pkgdep\n@pkgcfl  \n', ['PKGNAME=x', 'DEPENDS=(null)', 'CONFLICTS=(null)']],
    ['an indented keyword, which is a file', '@name x\n  @pkgdep y\n\t@name z\n', ['PKGNAME=x']],
    ['upper case, which is nothing', '@name x\n@PKGDEP y\n@Name z\n', ['PKGNAME=x']],
    ['@ alone, and twice', '@\n@@name y\n@name x\n@ name z\n', ['PKGNAME=x']],
    ['a comment and a file that say a name', '@comment @name y\n@name x\nbin/@name z\n@ignore\n', ['PKGNAME=x']],
    ['a value with =', '@name x=1\n', ['PKGNAME=x=1']],
    ['empty lines', '\n\n@name x\n\n\n@pkgdep y\n\n', ['PKGNAME=x', 'DEPENDS=y']],
  ];
  for (const [what, contents, lines] of packingLists) {
    it(`takes from +CONTENTS: ${what}`, () => assert.deepEqual(linesOfPackingList(contents), lines));
  }

  it('of an X.509-signed package starts with its name, without the conflicts before it', () => {
    const contents = '@pkgcfl a\n@pkgdep b\n@name x\n@pkgcfl c\n@pkgdep d\n';
    assert.deepEqual(linesOfPackingList(contents, 'x509'), ['PKGNAME=x', 'CONFLICTS=c', 'DEPENDS=d']);
    const all = ['CONFLICTS=a', 'DEPENDS=b', 'PKGNAME=x', 'CONFLICTS=c', 'DEPENDS=d'];
    assert.deepEqual(linesOfPackingList(contents, 'gpg'), all);
    assert.deepEqual(linesOfPackingList(contents), all);
  });

  it('takes the known variables of +BUILD_INFO as they are, in its order, and nothing else', () => {
    const kept = [
      'SUPERSEDES=a-[0-9]*',
      'PREV_PKGPATH=x/y',
      'BUILD_DATE=2026-01-01 00:00:00 +0000',
      'PKGTOOLS_VERSION=20091115',
      'HOMEPAGE=https://example.org/?a=b',
      'LICENSE=mit AND (x OR y)',
      'MACHINE_ARCH=x86_64',
      'OS_VERSION=10.1',
      'OPSYS=NetBSD',
      'PKG_OPTIONS=a -b',
      'REQUIRES=/usr/lib/libc.so.12',
      'REQUIRES=/usr/lib/libc.so.12',
      'PROVIDES=/usr/pkg/lib/liba.so',
      'CATEGORIES=a b',
      'PKGPATH=a/b',
      'OPSYS= blank \t',
      'OPSYS=',
      'OPSYS=CR\r',
    ];
    const dropped = [
      'CC=gcc',
      ' OPSYS=x',
      'OPSYS =x',
      'OPSYSTEM=x',
      'XOPSYS=x',
      'opsys=x',
      'OPSYS',
      '',
      '=',
      'PKGNAME=y',
      'FILE_SIZE=0',
      'DEPENDS=y',
    ];
    const buildInfo = kept.flatMap((line, index) => [line, dropped[index % dropped.length]]).join('\n');
    const lines = render({ buildInfo, comment: '' }).split('\n');
    assert.deepEqual(lines.slice(1, -5), kept);
  });

  it('takes each line of +COMMENT, +SIZE_PKG and +DESC; only a line feed ends one', () => {
    for (const [text, lines] of [
      ['a', ['a']],
      ['a\n', ['a']],
      ['\n', ['']],
      ['a\n\n', ['a', '']],
      ['\n\na', ['', '', 'a']],
      ['a\r\nb\rc\vd\fe\x85f\n', ['a\r', 'b\rc\vd\fe\x85f']],
      [' a \n', [' a ']],
      ['\x1b[31m\x07\n', ['\x1b[31m\x07']],
    ] as const) {
      const record = render({ comment: text, sizePkg: text, description: text });
      const all = ['PKGNAME=x-1.0'];
      all.push(...lines.map((line) => `COMMENT=${line}`), ...lines.map((line) => `SIZE_PKG=${line}`));
      all.push('FILE_NAME=x-1.0.tgz', 'FILE_SIZE=7', ...lines.map((line) => `DESCRIPTION=${line}`));
      assert.equal(record, `${all.join('\n')}\n\n`);
    }
  });

  it('has the file’s name in UTF-8, and its size in full', () => {
    const record = render({}, 'ümläut+→-1.0.tgz', 12_345_678_901);
    assert.ok(
      record.includes(`\nFILE_NAME=${Buffer.from('ümläut+→-1.0.tgz').toString('latin1')}\nFILE_SIZE=12345678901\n`),
    );
  });

  it('keeps every byte', async () => {
    const line = fc
      .uint8Array({ maxLength: 60 })
      .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 0)));
    await fc.assert(
      fc.property(line, line, line, (comment, description, homepage) => {
        const texts = [comment, description, homepage].map((bytes) => bytes.toString('latin1'));
        const [comments, descriptions, homepages] = texts;
        const record = render({
          comment: `${comments}\n`,
          description: `${descriptions}\n`,
          buildInfo: `HOMEPAGE=${homepages}\n`,
        });
        assert.equal(
          record,
          `PKGNAME=x-1.0\nCOMMENT=${comments}\nHOMEPAGE=${homepages}\nFILE_NAME=x-1.0.tgz\nFILE_SIZE=7\nDESCRIPTION=${descriptions}\n\n`,
        );
      }),
    );
  });

  it('takes linear time, whatever its content is', () => {
    const megabyte = 1_000_000;
    const long = [
      `@name x${' '.repeat(megabyte)}y\n`,
      `@name x-1\n${'@pkgdep\n'.repeat(megabyte / 10)}`,
      `@name x-1\n${'@'.repeat(megabyte)}`,
      `@name x-1\n${'@\n'.repeat(megabyte)}`,
      `@name x-1\n${'\n'.repeat(megabyte)}`,
    ];
    const start = performance.now();
    for (const contents of long) render({ contents });
    render({ buildInfo: '\n'.repeat(megabyte), description: ' '.repeat(megabyte) });
    assert.ok(performance.now() - start < 5_000);
  });
});

describe('the packing list', () => {
  it('gives the same as splitting it into lines', () => {
    const line = fc.oneof(
      fc.constantFrom('@name y-1', '@pkgdep a>=1', '@pkgdepx', '@pkgcfl  b ', '@comment @name z-1', '@cwd /', '@', ''),
      fc.string({ unit: fc.constantFrom('@', 'n', 'p', 'k', ' ', 'c'), maxLength: 4 }),
    );
    const variables = { '@name': 'PKGNAME', '@pkgdep': 'DEPENDS', '@pkgcfl': 'CONFLICTS' };
    fc.assert(
      fc.property(fc.array(line), fc.nat(), fc.constantFrom('', '\n', '\n\n'), (others, place, end) => {
        const lines = others.toSpliced(place % (others.length + 1), 0, '@name x-1.0');
        const expected = lines.flatMap((line) =>
          Object.entries(variables).flatMap(([command, variable]) =>
            line.startsWith(command) ? [`${variable}=${line.slice(command.length).trim() || '(null)'}`] : [],
          ),
        );
        fc.pre(!expected.includes('PKGNAME=(null)'));
        assert.deepEqual(linesOfPackingList(lines.join('\n') + end), expected);
      }),
    );
  });
});
