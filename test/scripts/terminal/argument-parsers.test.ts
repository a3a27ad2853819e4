import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { parsePublicUrl } from '../../../scripts/terminal/argument-parsers.ts';

describe('--public-url', () => {
  for (const [text, expected] of [
    ['https://packages.example', 'https://packages.example'],
    ['https://packages.example/', 'https://packages.example'],
    ['http://192.0.2.7:8080', 'http://192.0.2.7:8080'],
    ['HTTPS://Packages.Example/pkg/', 'https://packages.example/pkg'],
    ['http://[2001:db8::7]:8080/a/b//', 'http://[2001:db8::7]:8080/a/b'],
  ] as const)
    it(`${text} is ${expected}`, () => assert.equal(parsePublicUrl(text), expected));

  for (const text of [
    '',
    'packages.example',
    'packages.example:8080',
    '//packages.example',
    'ftp://packages.example',
    'file:///packages',
    'https://',
    'https://user:secret@packages.example',
    'https://packages.example/?query',
    'https://packages.example/?',
    'https://packages.example/#part',
    'https://packages example',
  ])
    it(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parsePublicUrl(text), InvalidArgumentError));
});
