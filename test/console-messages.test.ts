import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { greeting, mixtureLine, publicationLine } from '../functions/console-messages.ts';

const base = { directory: '/packages', listening: 'http://127.0.0.1:8080', url: 'http://127.0.0.1:8080' };

describe('a mixed repository', () => {
  for (const [counts, expected] of [
    [{}, undefined],
    [{ x86_64: 5, x86_64v3: 1 }, undefined],
    [{ x86_64: 27_600, aarch64: 1 }, '1 package for aarch64 beside those for x86_64'],
    [
      { x86_64: 9, aarch64: 3, 'sparc\x1b[2J': 1 },
      '3 packages for aarch64, 1 package for sparc\\x1b[2J beside those for x86_64',
    ],
    [
      { a: 5, b: 4, c: 3, d: 2, e: 1 },
      '4 packages for b, 3 packages for c, 2 packages for d and others beside those for a',
    ],
  ] as const)
    it(`${JSON.stringify(counts)}: ${expected}`, () => {
      const line = mixtureLine('All', new Map(Object.entries(counts)));
      const rest = 'pkgin update stops for everyone; check names them, --arch rejects them';
      assert.equal(line && stripVTControlCharacters(line), expected && `mixed All: ${expected}: ${rest}`);
    });

  it('with too many architectures to count', () => {
    assert.match(mixtureLine('', 'too-many') ?? '', /packages for many architectures: pkgin update stops for everyone/);
  });
});

describe('a held-back publication', () => {
  const heldBack = { reason: 'rules', from: 20, to: 1, files: [], index: 'i', since: new Date(0) } as const;
  for (const [asked, expected] of [
    ['page', 'the page /-/, or POST /-/adopt'],
    ['request', 'POST /-/adopt'],
    ['none', 'stop this, run index --adopt with the same options, and start it again'],
  ] as const)
    it(`names a way to confirm it that this process has: ${asked}`, () => {
      const line = publicationLine('All', { outcome: 'held-back', heldBack }, asked) ?? '';
      assert.equal(line.slice(line.indexOf('; to publish it: ')), `; to publish it: ${expected}`);
    });
});

describe('the greeting', () => {
  it('names the repositories as pkgin needs them, at the public URL', () => {
    const url = 'https://packages.example/pkg';
    assert.deepEqual(greeting({ ...base, url, repositories: ['NetBSD 10/All', ''], uploads: 'off' }).slice(0, 4), [
      'serving /packages on http://127.0.0.1:8080/',
      'for pkgin, add to repositories.conf:',
      '  https://packages.example/pkg/NetBSD%2010/All',
      '  https://packages.example/pkg',
    ]);
  });

  it('names one to begin with where there is none', () => {
    assert.ok(greeting({ ...base, repositories: [], uploads: 'off' }).includes('  http://127.0.0.1:8080/All'));
  });

  for (const [uploads, expected] of [
    ['token', 'to upload:  curl -T PACKAGE.tgz -H "Authorization: Bearer TOKEN" http://127.0.0.1:8080/All/'],
    [
      'local',
      'to upload:  curl -T PACKAGE.tgz http://127.0.0.1:8080/All/  (this machine alone: never put a proxy before it)',
    ],
    ['off', 'uploads are off: permit them with --upload-token TOKEN, or for this machine alone with --local-uploads'],
    ['not-loopback', 'uploads are off: --local-uploads needs --host 127.0.0.1; permit them with --upload-token TOKEN'],
  ] as const)
    it(`says how to upload: ${uploads}`, () =>
      assert.ok(greeting({ ...base, repositories: [], uploads }).includes(expected)));
});
