/** Targets with every kind of fault, to test that fuzzing finds them. */

import { Finding, type FuzzTarget } from './target.ts';

const target = (name: string, run: () => Promise<string>): FuzzTarget => ({ name, weight: 1, run });

export const targets: readonly FuzzTarget[] = [
  target('good', async () => 'fine'),
  target('finding', async () => {
    throw new Finding('a promise', 'the input');
  }),
  target('crash', async () => {
    throw new TypeError('not a function');
  }),
  target('late crash', async () => {
    void Promise.reject(new TypeError('unhandled rejection'));
    return 'fine';
  }),
  target('loop', async () => {
    for (;;);
  }),
  target('never', () => new Promise(() => undefined)),
  target('memory', async () => {
    const much = Buffer.alloc(96 * 1024 * 1024, 1);
    return `${much.length > 0}`;
  }),
];
