import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ListedPackage, listedPackage } from '../../functions/browser/packages/listed-package.ts';
import { SearchIndex, wordsOf } from '../../functions/browser/packages/search.ts';
import { readFields } from '../../functions/record/record-fields.ts';

function listed(name: string, comment = '', categories = ''): ListedPackage {
  return listedPackage(readFields(`PKGNAME=${name}\nCOMMENT=${comment}\nCATEGORIES=${categories}\n`), name);
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
  return index.search({ text, category }, order, isRanked).map((place) => packages[place]?.name);
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
    assert.deepEqual(index.search({ text: 'jq', category: '' }), []);
    index.add(packages.slice(1));
    assert.deepEqual(index.search({ text: 'jq', category: '' }), [1]);
    index.clear();
    assert.deepEqual(index.search({ text: '', category: '' }), []);
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
        assert.deepEqual(
          plain,
          expected.map(({ name }) => name),
        );
      }),
    );
  });
});
