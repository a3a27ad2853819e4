import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type Json, resource, templateFor } from './infra/synthesized.ts';
import { failures, measured, messages, newWorld } from './lambda/lambda-world.ts';

const lambda = await import('../functions/lambda.ts');
const { metricNames } = await import('../functions/lambda/telemetry.ts');
const { followHints } = await import('../functions/lambda/follow-hints.ts');

describe('what the environment says', () => {
  const complete = {
    BUCKET: 'packages',
    RECORDS_TABLE: 'records',
    REPOSITORIES_TABLE: 'repositories',
    QUEUE_URL: 'http://queue.test/hints',
    FORMATS: 'gz,zst',
    PAGE: 'on',
    ARCHITECTURES: '[]',
    TRUST: 'off',
  };
  const before = { ...process.env };
  after(() => {
    process.env = before;
  });

  /** Runs a handler with that environment, in a module that has seen no other. */
  async function invoke(step: 'extract' | 'summarize' | 'reindex', environment: Readonly<Record<string, string>>) {
    process.env = { ...before, AWS_REGION: 'us-east-1', ...environment };
    modules += 1;
    const fresh: typeof lambda = await import(`../functions/lambda.ts?${modules}`);
    const context = { functionName: step, getRemainingTimeInMillis: () => 900_000 } as Parameters<
      typeof lambda.reindex
    >[1];
    if (step === 'reindex') return fresh.reindex({}, context);
    return step === 'extract' ? fresh.extract({ Records: [] }) : fresh.summarize({ Records: [] }, context);
  }
  let modules = 0;

  for (const [step, names] of [
    ['extract', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE', 'ARCHITECTURES', 'TRUST']],
    ['summarize', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE', 'FORMATS', 'PAGE']],
    ['reindex', ['BUCKET', 'RECORDS_TABLE', 'REPOSITORIES_TABLE', 'QUEUE_URL', 'ARCHITECTURES', 'TRUST']],
  ] as const) {
    for (const name of names) {
      it(`${step} fails without ${name}, and names it`, async () => {
        const failed = invoke(step, { ...complete, [name]: '' });
        await assert.rejects(failed, new RegExp(`the environment variable ${name}, found none; deploy again`));
      });
    }
  }

  it('is enough for an invocation with nothing to do', async () => {
    assert.deepEqual(await invoke('extract', complete), failures());
    assert.deepEqual(await invoke('summarize', complete), failures());
  });

  it('refuses a format that it does not know rather than remove its index', async () => {
    const misspelt = invoke('summarize', { ...complete, FORMATS: 'gz,zstd' });
    await assert.rejects(misspelt, /FORMATS to be some of gz,zst, found gz,zstd/);
  });
});

describe('the metrics', () => {
  it('have the one dimension that infra/watch.ts looks for', async () => {
    await followHints(newWorld(), messages(['?']));
    assert.equal(measured.length, 1);
    const [{ _aws: head, service } = assert.fail('expected a line of metrics')] = measured;
    assert.equal(service, 'the-stack');
    assert.deepEqual(head.CloudWatchMetrics, [
      {
        Namespace: 'PkgsrcIndexer',
        Dimensions: [['service']],
        Metrics: [{ Name: 'UnknownEvents', Unit: 'Count' }],
      },
    ]);
  });

  it('are those that the dashboard shows', () => {
    const { DashboardBody } = resource(templateFor({}), 'AWS::CloudWatch::Dashboard', 'WatchDashboard').Properties;
    const { widgets } = JSON.parse(String(DashboardBody)) as { widgets: { properties: { metrics: Json[][] } }[] };
    const shown = widgets.flatMap(({ properties }) => properties.metrics);
    const ours = shown.filter(([namespace]) => namespace === 'PkgsrcIndexer').map(([, name]) => String(name));
    assert.deepEqual([...new Set(ours)].toSorted(), metricNames.toSorted());
  });

  it('are not written where there is nothing to say', async () => {
    await followHints(newWorld(), { Records: [] });
    assert.deepEqual(measured, []);
  });
});
