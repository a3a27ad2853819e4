/** Arbitrary JSON as an event. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHint, hintsFrom } from '../../functions/events.ts';
import { isPackageKey } from '../../functions/keys.ts';
import type { Dice } from '../dice.ts';
import { changeText } from './byte-changes.ts';
import { Finding, type FuzzTarget } from './target.ts';

/** Length of a message about an unknown event, which goes into a log. */
const descriptionCharactersMax = 1_000;

export const eventTarget: FuzzTarget = {
  name: 'event',
  weight: 2,
  async run(dice) {
    const event = changeValue(dice, structuredClone(dice.pick(loadEvents())), 0);
    const input = inText(event);
    try {
      const { hints, ignoredCount, unknown } = hintsFrom(event);
      for (const { key, force, messageId } of hints) checkHint(key, force, messageId);
      for (const { description } of unknown)
        if (description.length > descriptionCharactersMax) throw new Error(`a long description: ${description}`);
      const parts = { hints: hints.length, unknown: unknown.length, ignored: ignoredCount };
      return (
        Object.entries(parts)
          .flatMap(([name, count]) => (count > 0 ? [name] : []))
          .join(' and ') || 'nothing'
      );
    } catch (error) {
      throw new Finding('an event is understood or described', input, error);
    }
  },
};

function checkHint(key: string, force: boolean | undefined, messageId: string | undefined): void {
  if (!isPackageKey(key) || !key.isWellFormed()) throw new Error(`a hint for ${JSON.stringify(key)}`);
  if (messageId !== undefined && typeof messageId !== 'string') throw new Error('a message id that is no text');
  const [again] = hintsFrom({
    Records: [{ eventSource: 'aws:sqs', body: encodeHint({ key, ...(force && { force }) }) }],
  }).hints;
  if (again?.key !== key || again.force !== force)
    throw new Error(`${JSON.stringify(key)} came back as ${JSON.stringify(again)}`);
}

let events: readonly unknown[] | undefined;

function loadEvents(): readonly unknown[] {
  const directory = join(import.meta.dirname, '../fixtures/events');
  events ??= readdirSync(directory).map((file) => JSON.parse(readFileSync(join(directory, file), 'utf8')));
  return events;
}

const oddKeys = [
  'All/x-1.0.tgz',
  'All/gtk2%2B-2.24.tgz',
  'All/a+b-1.tgz',
  '%',
  '%zz.tgz',
  '%ff.tgz',
  '%c0%af.tgz',
  '%ed%a0%80.tgz',
  '\ud800.tgz',
  'a\0b.tgz',
  '.tgz',
  '/.tgz',
  '../x.tgz',
  'All//x.tgz',
  'All/.hidden.tgz',
  '\u2028.tgz',
  '\uffff.tgz',
  '\u{1f4e6}.tgz',
  `${'k'.repeat(1_100)}.tgz`,
];

const oddValues = [
  undefined,
  null,
  true,
  0,
  -1,
  1e308,
  '',
  '{}',
  '[]',
  '{"Records":[]}',
  [],
  {},
  [[]],
  'Object Created',
  '2.1',
  '3.0',
  'aws:sqs',
];

/** Replaces a random part of it. */
function changeValue(dice: Dice, value: unknown, depth: number): unknown {
  if (dice.chance(depth === 0 ? 0.02 : 0.06)) return dice.pick(oddValues);
  if (dice.chance(0.03)) return wrapped(dice, value);
  if (typeof value === 'string') return changeString(dice, value);
  if (Array.isArray(value)) {
    const items = value.map((item) => changeValue(dice, item, depth + 1));
    return dice.chance(0.05) ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const changed: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (dice.chance(0.01)) continue;
    const isKey = name === 'key' && dice.chance(0.5);
    changed[dice.chance(0.005) ? '__proto__' : name] = isKey ? dice.pick(oddKeys) : changeValue(dice, inner, depth + 1);
  }
  return changed;
}

function changeString(dice: Dice, text: string): string {
  if (/^[[{]/.test(text) && dice.chance(0.5)) {
    try {
      return JSON.stringify(changeValue(dice, JSON.parse(text), 1)) ?? '';
    } catch {
      return text;
    }
  }
  return dice.chance(0.02) ? changeText(dice, text) : text;
}

function wrapped(dice: Dice, value: unknown): unknown {
  const text = () => JSON.stringify(value) ?? '';
  switch (dice.integer(0, 4)) {
    case 0:
      return { Records: [value] };
    case 1:
      return { Records: [{ eventSource: 'aws:sqs', messageId: dice.pick(['m', 7]), body: text() }] };
    case 2:
      return { Type: 'Notification', Message: text() };
    case 3:
      return { Records: [{ EventSource: 'aws:sns', Sns: { Message: text() } }] };
    default: {
      let nested = value;
      for (let depth = dice.integer(1, 5_000); depth > 0; depth -= 1) nested = [nested];
      return nested;
    }
  }
}

function inText(event: unknown): string {
  try {
    return JSON.stringify(event) ?? 'undefined';
  } catch {
    return 'too deep to be written';
  }
}
