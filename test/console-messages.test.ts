import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { greeting } from '../functions/console-messages.ts';

const base = { directory: '/packages', listening: 'http://127.0.0.1:8080', url: 'http://127.0.0.1:8080' };

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
