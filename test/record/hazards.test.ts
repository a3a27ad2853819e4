import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import {
  findDuplicates,
  findRejection,
  findWarnings,
  packageNameOf,
  type RejectionCode,
  remedies,
  type WarningCode,
} from '../../functions/record/hazards.ts';
import { recordLimits } from '../../functions/record/limits.ts';
import { signatureRemedies } from '../../functions/trust/signature-finding.ts';
import { expandBraces, hasBalancedBraces } from '../../functions/version/braces.ts';
import { corpusPackage, fixtureCorpus } from '../corpus.ts';
import { recordOf } from '../package/byte-source.ts';
import { runs } from '../thoroughness.ts';

/** In Latin-1; without the empty line that ends a record. */
const harmless = 'PKGNAME=x-1.0\nCOMMENT=c\nFILE_NAME=x-1.0.tgz\nFILE_SIZE=7\nDESCRIPTION=';

/** A record with an additional line, or with a line in place of another one. */
function record(line: string, replaced = ''): Buffer {
  const text = replaced === '' ? `${harmless}\n${line}` : harmless.replace(replaced, line);
  return Buffer.from(`${text}\n\n`, 'latin1');
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** All but `foreign-architecture`, which depends on the rules of the service. */
const rejections: Record<
  Exclude<RejectionCode, 'foreign-architecture'>,
  readonly (readonly [record: Buffer, file?: string])[]
> = {
  'record-too-large': [[Buffer.alloc(recordLimits.recordBytesMax + 1, 'X=y\n')]],
  'line-too-long': [[record(`COMMENT=${'x'.repeat(recordLimits.lineBytesMax)}`)]],
  'line-without-variable': [[record('no variable')], [record('=value')], [record('\r')]],
  'empty-line': [
    [record('\nX=y')],
    [record('\n', 'COMMENT=c')],
    [bytes(`\n${harmless}\n\n`)],
    [bytes(`${harmless}\n\n\n`)],
    [bytes(`${harmless}\n`)],
    [bytes(harmless)],
    [bytes('')],
    [bytes('\n')],
    [bytes('\n\n')],
  ],
  'nul-byte': [[record('COMMENT=\0')], [bytes(`${harmless}\n\n\0`)]],
  'several-names': [
    [record('PKGNAME=y-1.0')],
    [record('PKGNAME=x-1.0')],
    [record('X=y', 'PKGNAME=x-1.0')],
    [record('PKGNAMES=y', 'PKGNAME=x-1.0')],
    [record('PKGNAME=', 'PKGNAME=x-1.0')],
  ],
  'unsafe-name': [
    [record('PKGNAME=../../etc/x-1.0', 'PKGNAME=x-1.0')],
    [record('PKGNAME=a/b-1.0', 'PKGNAME=x-1.0')],
    [record('PKGNAME=..', 'PKGNAME=x-1.0')],
    [record('PKGNAME=.x-1.0', 'PKGNAME=x-1.0')],
  ],
  'unsafe-file-name': [
    [record('X=y'), 'x\n-1.0.tgz'],
    [record('X=y'), '\x1b[31mx-1.0.tgz'],
    [record('X=y'), 'x\x7f-1.0.tgz'],
  ],
  'bad-file-size': [
    ...['FILE_SIZE=', 'FILE_SIZE=0', 'FILE_SIZE=-1', 'FILE_SIZE=7 ', 'FILE_SIZE=07', 'FILE_SIZE=1e3', 'X=y'].map(
      (line) => [record(line, 'FILE_SIZE=7')] as const,
    ),
    [record('FILE_SIZE=8')],
  ],
  'empty-comment': [
    [record('X=y', 'COMMENT=c')],
    [record('COMMENT=', 'COMMENT=c')],
    [record('COMMENT=\nCOMMENT=', 'COMMENT=c')],
    [record('COMMENTS=c', 'COMMENT=c')],
  ],
  'empty-architecture': [
    [record('MACHINE_ARCH=')],
    [record('MACHINE_ARCH= \t')],
    [record('MACHINE_ARCH=\r')],
    [record('MACHINE_ARCH=x86_64\nMACHINE_ARCH=')],
  ],
  'unbalanced-braces': [
    [record('SUPERSEDES={fine,b')],
    [record('DEPENDS=a{b')],
    [record('DEPENDS={a}{')],
    [record('DEPENDS=a>=1\nSUPERSEDES=a\nSUPERSEDES={{a,b}')],
    [record('DEPENDS=}{')],
  ],
  'pattern-too-long': [[record(`SUPERSEDES={a,b}${'x'.repeat(1_019)}`)], [record(`DEPENDS=${'x'.repeat(1_019)}{a,b}`)]],
};

const warnings: Record<
  Exclude<WarningCode, 'duplicate-pkgname'>,
  readonly (readonly [record: Buffer, file?: string])[]
> = {
  'name-mismatch': [
    [record('X=y'), 'y-1.0.tgz'],
    [record('X=y'), 'x-1.0.tbz'],
    [record('X=y'), 'X-1.0.tgz'],
  ],
  'not-installable': ['x', 'x-', 'x-y', 'x-1.0-alpha1', 'x-alpha1'].map(
    (name) => [record(`PKGNAME=${name}`, 'PKGNAME=x-1.0'), `${name}.tgz`] as const,
  ),
  'unfetchable-name': ['?', '%', '&', '#'].map(
    (character) => [record(`PKGNAME=x${character}-1.0`, 'PKGNAME=x-1.0'), `x${character}-1.0.tgz`] as const,
  ),
  'empty-dependency': [[record('DEPENDS=(null)')]],
  'carriage-return': [[record('COMMENT=c\r')]],
  'control-character': ['\x1b', '\x07', '\v', '\f', '\x7f', '\x01'].map(
    (character) => [record(`COMMENT=${character}`)] as const,
  ),
};

describe('a record that would break clients is rejected', () => {
  for (const [code, cases] of Object.entries(rejections)) {
    it(code, () => {
      for (const [bytes, file = 'x-1.0.tgz'] of cases) {
        const rejection = findRejection(bytes, file);
        assert.equal(rejection?.code, code, JSON.stringify(bytes.toString('latin1', 0, 200)));
        assert.match(rejection.message, /^(expected .+, found .+|found .+)/);
      }
    });
  }

  it('one past a limit, and not at it', () => {
    const { lineBytesMax, recordBytesMax } = recordLimits;
    const withLine = (length: number) => record(`X=${'y'.repeat(length - 2)}`);
    assert.equal(findRejection(withLine(lineBytesMax), 'x-1.0.tgz'), undefined);
    assert.equal(findRejection(withLine(lineBytesMax + 1), 'x-1.0.tgz')?.code, 'line-too-long');
    const ofLength = (length: number) => {
      const lines = [...harmless.split('\n')];
      let missing = length - harmless.length - '\n\n'.length;
      for (; missing > 200; missing -= 101) lines.push(`X=${'y'.repeat(98)}`);
      return bytes(`${[...lines, `X=${'y'.repeat(missing - 3)}`].join('\n')}\n\n`);
    };
    assert.equal(ofLength(recordBytesMax).length, recordBytesMax);
    assert.equal(findRejection(ofLength(recordBytesMax), 'x-1.0.tgz'), undefined);
    assert.equal(findRejection(ofLength(recordBytesMax + 1), 'x-1.0.tgz')?.code, 'record-too-large');
  });

  it('and no other', () => {
    for (const file of ['x-1.0.tgz', 'x 1.0.tgz', 'ümläut→.tgz', 'x\'"<>&.tgz']) {
      assert.equal(findRejection(record('X=y'), file), undefined);
    }
    const odd = [
      'COMMENT=',
      'COMMENT= ',
      'MACHINE_ARCH=x86_64',
      'MACHINE_ARCHES=',
      'CONFLICTS={a,b',
      'SUPERSEDES=a}',
      'DEPENDS={a,b{c}}}>=1',
      'DESCRIPTION=DEPENDS={',
      `DEPENDS=${'x'.repeat(2_000)}`,
      `DEPENDS={a,b}${'x'.repeat(1_018)}`,
    ];
    odd.push(...['X=', 'X=a=b', 'X= \t', '\u00ff=\u00ff', 'X=\x1b', 'X=y\r', ' =', 'DEPENDS=(null)']);
    for (const line of odd) assert.equal(findRejection(record(line), 'x-1.0.tgz'), undefined, line);
  });

  const corpus: readonly (readonly [file: string, code: RejectionCode])[] = [
    ['bi-long-1.0.tgz', 'line-too-long'],
    ['emptycomment-1.0.tgz', 'empty-comment'],
    ['longcomment-1.0.tgz', 'line-too-long'],
    ['longline-desc-1.0.tgz', 'line-too-long'],
    ['hand-pkgnames-path-1.0.tgz', 'unsafe-name'],
    ['hand-plistodd-1.0.tgz', 'several-names'],
    ['twonames-1.0.tgz', 'several-names'],
  ];
  it('of the corpus: just these', async () => {
    const rejected = new Map<string, string>();
    for (const { file, verdict, bytes, expected } of fixtureCorpus.packages) {
      if (verdict === 'reject' || expected() === undefined) continue;
      const reading = await recordOf(bytes(), file).catch(() => undefined);
      const rejection = reading && findRejection(reading, file);
      if (rejection !== undefined) rejected.set(file, rejection.code);
    }
    assert.deepEqual(rejected, new Map(corpus));
  });
});

describe('a record that affects only its own package is in the index, with a warning', () => {
  for (const [code, cases] of Object.entries(warnings)) {
    it(code, () => {
      for (const [bytes, file = 'x-1.0.tgz'] of cases) {
        assert.deepEqual(findWarnings(bytes, file), [code], JSON.stringify(bytes.toString('latin1')));
        assert.equal(findRejection(bytes, file), undefined);
      }
    });
  }

  it('none where there is nothing to warn of', () => {
    for (const name of [
      'x-1.0',
      'x-1',
      'x-y-1.0nb3',
      'x-20260101',
      'p5-X-Y-0.1',
      'a~b-1.0',
      'ü-1.0',
      'a b-1',
      'a=b,c:d@e-1',
    ]) {
      const latin1Name = Buffer.from(name).toString('latin1');
      assert.deepEqual(findWarnings(record(`PKGNAME=${latin1Name}`, 'PKGNAME=x-1.0'), `${name}.tgz`), [], name);
    }
    const tabs = ['COMMENT=a\tb', 'COMMENT=\u00e9\u0080', 'COMMENT=a\rb'];
    for (const line of tabs) assert.deepEqual(findWarnings(record(line), 'x-1.0.tgz'), [], line);
  });

  it('several at once', () => {
    const odd = record('DEPENDS=(null)\nCOMMENT=\x1b\r');
    const codes = ['name-mismatch', 'empty-dependency', 'carriage-return', 'control-character'];
    assert.deepEqual(findWarnings(odd, 'x+.tbz'), codes);
  });

  const corpus: readonly (readonly [file: string, codes: readonly WarningCode[]])[] = [
    ['comp-tbz-1.0.tbz', ['name-mismatch']],
    ['comp-zstd-1.0.tgz', ['name-mismatch']],
    ['noversion.tgz', ['not-installable']],
    // Every way in which a repository is served here takes a +.
    ['gtk2+-2.24.32nb5.tgz', []],
    ['deps-spacing-1.0.tgz', ['empty-dependency']],
    ['crlf-desc-1.0.tgz', ['carriage-return']],
    ['bi-crlf-1.0.tgz', ['carriage-return']],
    ['ctrl-1.0.tgz', ['control-character']],
    ['hand-name-newline-1.0.tgz', ['name-mismatch', 'control-character']],
    ['full-1.2.3nb4.tgz', []],
    ['ümläut-1.0.tgz', []],
    ['space pkg-1.0.tgz', []],
    ['tilde~pkg-1.0~rc1.tgz', []],
    ['latin1-1.0.tgz', []],
  ];
  for (const [file, codes] of corpus) {
    it(`of the corpus: ${file}, ${codes.join(' and ') || 'nothing'}`, async () => {
      assert.deepEqual(findWarnings(await recordOf(corpusPackage(file).bytes(), file), file), codes);
    });
  }
});

describe('braces are balanced', () => {
  test('where alternate_match of pkg_install and pkgin does not exit', () => {
    const pattern = fc.string({ unit: fc.constantFrom('{', '}', ',', 'a'), maxLength: 14 });
    fc.assert(
      fc.property(pattern, (pattern) => {
        assert.equal(hasBalancedBraces(pattern), !isMalformedAlternate(pattern));
        assert.equal(hasBalancedBraces(pattern), expandBraces(pattern).outcome !== 'unbalanced-braces');
      }),
      { numRuns: runs(3_000) },
    );
  });
});

/** lib/opattern.c of pkg_install, line by line. */
function isMalformedAlternate(pattern: string): boolean {
  const open = pattern.indexOf('{');
  if (open === -1) return false;
  let depth = 0;
  let last: number | undefined;
  for (let at = open; at < pattern.length && last === undefined; at += 1) {
    if (pattern[at] === '{') depth += 1;
    else if (pattern[at] === '}') {
      depth -= 1;
      if (depth === 0) last = at + 1;
    }
  }
  if (depth !== 0) return true;
  for (let separator = open, start = open + 1; pattern[separator] !== '}'; start = separator + 1) {
    depth = 0;
    separator = start;
    for (; depth > 0 || (pattern[separator] !== '}' && pattern[separator] !== ','); separator += 1) {
      if (pattern[separator] === '{') depth += 1;
      else if (pattern[separator] === '}') depth -= 1;
    }
    const expanded = pattern.slice(0, open) + pattern.slice(start, separator) + pattern.slice(last);
    if (isMalformedAlternate(expanded)) return true;
  }
  return false;
}

describe('files with the same PKGNAME', () => {
  it('are found, all of them', () => {
    const packages = [
      { file: 'a.tgz', name: 'x-1.0' },
      { file: 'b.tgz', name: 'y-1.0' },
      { file: 'c.tgz', name: 'x-1.0' },
      { file: 'd.tgz', name: 'x-1.0nb1' },
      { file: 'e.tgz', name: 'x-1.0' },
    ];
    assert.deepEqual(findDuplicates(packages), new Set(['a.tgz', 'c.tgz', 'e.tgz']));
    assert.deepEqual(findDuplicates([]), new Set());
  });

  it('have it on any line of the record', () => {
    assert.equal(packageNameOf(bytes('CONFLICTS=a\nPKGNAME=x-1.0\nCOMMENT=PKGNAME=y\n\n')), 'x-1.0');
    assert.equal(packageNameOf(bytes('COMMENT=a\n\n')), '');
  });
});

describe('every code', () => {
  it('has a remedy, a whole sentence', () => {
    const elsewhere = ['duplicate-pkgname', 'foreign-architecture', ...Object.keys(signatureRemedies)];
    for (const code of [...Object.keys(rejections), ...Object.keys(warnings), ...elsewhere]) {
      assert.match(remedies[code as keyof typeof remedies], /^.+ .+\.$/, code);
    }
    assert.equal(
      Object.keys(remedies).length,
      Object.keys(rejections).length + Object.keys(warnings).length + elsewhere.length,
    );
  });
});

describe('any bytes', () => {
  it('are rejected, or are one record of lines with a variable each', async () => {
    const line = fc.oneof(
      fc.constantFrom('PKGNAME=x-1.0', 'FILE_SIZE=7', 'COMMENT=c', '', '\r', '\0', 'x', '=', 'PKGNAME=y'),
      fc.string({ unit: 'binary-ascii', maxLength: 12 }),
    );
    const lines = fc.array(line, { maxLength: 6 });
    await fc.assert(
      fc.property(lines, fc.constantFrom('', '\n', '\n\n'), (lines, end) => {
        const text = lines.join('\n') + end;
        if (findRejection(bytes(text), 'x-1.0.tgz') !== undefined) return;
        const [record, ...rest] = text.split('\n\n');
        assert.deepEqual(rest, ['']);
        for (const line of record?.split('\n') ?? []) assert.match(line, /^[^=\0\n]+=[^\0\n]*$/);
      }),
      { numRuns: runs(2_000) },
    );
  });
});
