/** What the tests of the functions share: a world in memory, and what a function logs and counts. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock } from 'node:test';
import { encodeHint } from '../../functions/events.ts';
import type { Hint, ObjectFacts, ObjectKey, Repository } from '../../functions/ports.ts';
import { defaultRules } from '../../functions/record/rules.ts';
import { ManualClock } from '../adapters/manual-clock.ts';
import { MemoryObjects } from '../adapters/memory-objects.ts';
import { MemoryRecords } from '../adapters/memory-records.ts';

// As the template sets them (infra/pipeline.ts). With the last two, logs and metrics go to this process's console.
Object.assign(process.env, {
  POWERTOOLS_SERVICE_NAME: 'the-stack',
  POWERTOOLS_METRICS_NAMESPACE: 'PkgsrcIndexer',
  POWERTOOLS_DEV: 'true',
  POWERTOOLS_METRICS_DISABLED: 'false',
});

interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [name: string]: unknown;
}

interface MetricLine {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly (readonly string[])[];
      readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
    }[];
  };
  readonly [name: string]: unknown;
}

/** What the test's functions wrote, a line each. */
export const logged: LogLine[] = [];
export const measured: MetricLine[] = [];

/** All values of a metric since the test began. */
export function valuesOf(metric: string): number[] {
  return measured.flatMap((line) => (line[metric] ?? []) as number | number[]);
}

beforeEach(() => {
  logged.length = 0;
  measured.length = 0;
  for (const method of ['log', 'info', 'warn', 'error'] as const) {
    mock.method(console, method, (text: string) => {
      const line = JSON.parse(text);
      if ('_aws' in line) measured.push(line);
      else logged.push(line);
    });
  }
});
afterEach(() => mock.restoreAll());

/** A bucket of which some keys cannot be looked at, and that counts the looks. */
export class FailingObjects extends MemoryObjects {
  readonly failing = new Set<ObjectKey>();
  readonly looks: ObjectKey[] = [];
  underWay = 0;
  underWayMost = 0;

  override async head(key: ObjectKey): Promise<ObjectFacts | undefined> {
    this.looks.push(key);
    this.underWay += 1;
    this.underWayMost = Math.max(this.underWayMost, this.underWay);
    await new Promise(setImmediate);
    this.underWay -= 1;
    if (this.failing.has(key)) throw new Error('the store does not answer');
    return super.head(key);
  }
}

export function newWorld() {
  const changed: Repository[] = [];
  const delayed: Delayed[] = [];
  return {
    objects: new FailingObjects(),
    records: new MemoryRecords((repository) => changed.push(repository)),
    clock: new ManualClock(),
    rules: defaultRules,
    changed,
    /** Hints that were sent, and their delays. */
    delayed,
    hints: {
      send: async () => assert.fail('expected no hint without a delay'),
      sendAfter: async (hints: readonly Hint[], milliseconds: number) => {
        delayed.push(...hints.map(({ key }) => ({ key, milliseconds })));
      },
    },
  };
}

interface Delayed {
  readonly key: ObjectKey;
  readonly milliseconds: number;
}

/** As Lambda hands them over: a message for each text. */
export function messages(bodies: readonly string[]): unknown {
  return {
    Records: bodies.map((body, index) => ({ eventSource: 'aws:sqs', messageId: `message-${index}`, body })),
  };
}

export const hinted = (...hints: readonly Hint[]) => messages(hints.map(encodeHint));
export const failures = (...messageIds: readonly string[]) => ({
  batchItemFailures: messageIds.map((itemIdentifier) => ({ itemIdentifier })),
});

export async function filesOf(records: MemoryRecords, repository: Repository): Promise<string[]> {
  const files: string[] = [];
  for await (const { file } of records.rows(repository)) files.push(file);
  return files;
}
