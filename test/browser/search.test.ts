import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { editDistance } from '../../functions/browser/packages/edit-distance.ts';
import { type ListedPackage, listedPackage } from '../../functions/browser/packages/listed-package.ts';
import { SearchIndex, wordsOf } from '../../functions/browser/packages/search.ts';
import { readFields } from '../../functions/record/record-fields.ts';

function listed(name: string, comment = '', categories = '', library = ''): ListedPackage {
  const fields = `PKGNAME=${name}\nCOMMENT=${comment}\nCATEGORIES=${categories}\n`;
  return listedPackage(readFields(library === '' ? fields : `${fields}PROVIDES=${library}\n`), false);
}

const packages = [
  listed('ujson-1.0', 'Fast encoder', 'textproc'),
  listed('jq-1.7', 'Command-line JSON processor', 'textproc devel'),
  listed('jsonata-2.0', 'Query language', 'textproc'),
  listed('p5-JSON-XS-4.0', 'Serialising', 'converters perl5'),
  listed('json-3.11', 'For modern C++', 'devel'),
  listed('p5-jsonrpc-1', 'Remote calls', 'net'),
  listed('perl-5.40', 'Practical extraction', 'lang perl5'),
  listed('sed-4.9', 'Stream editor', 'json'),
];

function found(
  text: string,
  { category = '', isRanked = true, order = undefined as readonly number[] | undefined } = {},
) {
  const index = new SearchIndex();
  index.add(packages);
  return index.search({ text, category }, order, isRanked).places.map((place) => packages[place]?.name);
}

describe('SearchIndex', () => {
  test('puts the best first: the name, its beginning, its words, anywhere in it, a category, the comment', () => {
    assert.deepEqual(found('json'), [
      'json-3.11',
      'jsonata-2.0',
      'p5-JSON-XS-4.0',
      'p5-jsonrpc-1',
      'ujson-1.0',
      'sed-4.9',
      'jq-1.7',
    ]);
  });

  test('wants every word somewhere, in any case, and prefers them in the name', () => {
    assert.deepEqual(found('JSON Perl'), ['p5-JSON-XS-4.0']);
    assert.deepEqual(found('xs  json'), ['p5-JSON-XS-4.0']);
    assert.deepEqual(found('editor json'), ['sed-4.9']);
    assert.deepEqual(found('json nosuch'), []);
  });

  test('finds a whole name with its version', () => {
    assert.deepEqual(found('jq-1.7'), ['jq-1.7']);
    assert.deepEqual(found('5.40'), ['perl-5.40']);
  });

  test('filters by a category, which has to be the whole word', () => {
    assert.deepEqual(found('', { category: 'devel' }), ['jq-1.7', 'json-3.11']);
    assert.deepEqual(found('c++', { category: 'devel' }), ['json-3.11']);
    assert.deepEqual(found('', { category: 'perl' }), []);
  });

  test('keeps to the order given where it does not rank', () => {
    const order = [7, 6, 5, 4, 3, 2, 1, 0];
    assert.deepEqual(found('textproc', { isRanked: false, order }), ['jsonata-2.0', 'jq-1.7', 'ujson-1.0']);
    assert.deepEqual(found('', { order }).length, packages.length);
  });

  test('finds what is added later, and nothing any more once cleared', () => {
    const index = new SearchIndex();
    index.add(packages.slice(0, 1));
    assert.deepEqual(index.search({ text: 'jq', category: '' }).places, []);
    index.add(packages.slice(1));
    assert.deepEqual(index.search({ text: 'jq', category: '' }).places, [1]);
    index.clear();
    assert.deepEqual(index.search({ text: '', category: '' }).places, []);
  });

  describe('where nothing has the words', () => {
    const similar = [
      listed('capstone-5.0', 'Disassembler', 'devel'),
      listed('python313-3.13.1', 'Interpreted language', 'lang python'),
      listed('py311-pytokens-0.1', 'Tokenizer', 'devel python'),
      listed('py313-cryptonite-1.0', 'Bindings', 'security'),
      listed('png-1.6', 'Images', 'graphics', '/usr/pkg/lib/libpng16.so.16'),
      listed('openssl-3.4', 'Secure sockets', 'security', '/usr/pkg/lib/libssl.so.3'),
      listed('libpagemaker-0.1', 'Import filter', 'print'),
      listed('tiff-4.7', 'More images', 'graphics'),
    ];
    const index = new SearchIndex();
    index.add(similar);
    const texts: readonly (readonly [text: string, first: string | undefined, isSimilar: boolean])[] = [
      ['pyton', 'python313', true],
      ['pyhton', 'python313', true],
      ['pythonn', 'python313', true],
      ['opensll', 'openssl', true],
      ['libpng', 'png', false],
      ['libssl.so.3', 'openssl', false],
      ['LibSSL', 'openssl', false],
      ['libtiff', 'tiff', true],
      ['ssl.so', undefined, false],
      ['qqqqq', undefined, false],
    ];
    for (const [text, first, isSimilar] of texts) {
      test(`${text} finds ${first ?? 'nothing'}`, () => {
        const found = index.search({ text, category: '' }, undefined, true);
        assert.deepEqual([similar[found.places[0] ?? -1]?.base, found.isSimilar], [first, isSimilar]);
      });
    }

    test('similar names are filtered and sorted like others', () => {
      assert.deepEqual(index.search({ text: 'pyton', category: 'graphics' }, undefined, true).places, []);
      const names = [listed('pythons-1'), listed('pythona-1')];
      const sorted = new SearchIndex();
      sorted.add(names);
      assert.deepEqual(sorted.search({ text: 'pyton', category: '' }, [1, 0]).places, [1, 0]);
    });
  });

  describe('the distance of two words', () => {
    for (const [one, other, distance] of [
      ['python', 'python', 0],
      ['pyton', 'python', 1],
      ['pyhton', 'python', 1],
      ['pythonn', 'python', 1],
      ['pithon', 'python', 1],
      ['ab', 'ba', 1],
      ['', 'abc', 3],
      ['abc', '', 3],
      ['kitten', 'sitting', 3],
    ] as const)
      test(`${one || 'nothing'} and ${other || 'nothing'}: ${distance}`, () => {
        assert.equal(editDistance(one, other), distance);
        assert.equal(editDistance(other, one), distance);
      });
  });

  test('ranking changes the order and nothing else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[jsonp5 -]{0,6}$/), (text) => {
        const plain = found(text, { isRanked: false });
        assert.deepEqual(found(text).toSorted(), plain.toSorted());
        const words = wordsOf(text);
        const expected = packages.filter(({ name, comment, categories }) =>
          words.every((word) => `${name}\n${comment}\n${categories}`.toLowerCase().includes(word)),
        );
        if (expected.length === 0) return;
        assert.deepEqual(
          plain,
          expected.map(({ name }) => name),
        );
      }),
    );
  });
});
