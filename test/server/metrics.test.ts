import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { register } from 'prom-client';
import { Metrics, type MetricsState, metricsLimits } from '../../functions/server/metrics.ts';
import { branchOf, type RepositoryOverview } from '../../functions/server/overview.ts';

const overview: RepositoryOverview = {
  repository: '2026Q3/x86_64/All',
  packages: 27_699,
  rejected: 2,
  isHeldBack: true,
  architecture: 'x86_64',
  foreignPackages: 3,
  branch: '2026Q3',
  indexBytes: 12_000_000,
  published: new Date('2026-11-07T09:05:03Z'),
  findings: undefined,
};
const state: MetricsState = {
  counts: { uploads: 5, indexed: 7, rejected: 1, removed: 2, publications: 3 },
  pending: 4,
  publications: 1,
  deadLetters: 6,
  repositories: [overview],
};

/** `name{labels}` → value */
function valuesOf(text: string): ReadonlyMap<string, number> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

describe('the metrics', () => {
  it('are the numbers of the service, of its repositories and of its process', async () => {
    const { contentType, text } = await new Metrics().text(state);
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    const values = valuesOf(text);
    for (const [name, value] of [
      ['packages{repository="2026Q3/x86_64/All"}', 27_699],
      ['rejected_packages{repository="2026Q3/x86_64/All"}', 2],
      ['foreign_architecture_packages{repository="2026Q3/x86_64/All"}', 3],
      ['held_back{repository="2026Q3/x86_64/All"}', 1],
      ['index_bytes{repository="2026Q3/x86_64/All"}', 12_000_000],
      ['last_publication_timestamp_seconds{repository="2026Q3/x86_64/All"}', 1_794_042_303],
      ['pending_packages', 4],
      ['pending_publications', 1],
      ['dead_letters', 6],
      ['uploads_total', 5],
      ['indexed_total', 7],
      ['rejected_total', 1],
      ['removed_total', 2],
      ['publications_total', 3],
    ] as const)
      assert.equal(values.get(`pkgsrc_indexer_${name}`), value, name);
    assert.ok((values.get('process_resident_memory_bytes') ?? 0) > 1_000_000);
    assert.ok(values.has('process_cpu_seconds_total'));
    assert.ok(values.has('nodejs_eventloop_lag_p99_seconds'));
  });

  it('have the times of publications, and from upload to index, as histograms', async () => {
    const metrics = new Metrics();
    metrics.published(300, [1_500, 2_500]);
    metrics.published(700, []);
    const values = valuesOf((await metrics.text(state)).text);
    const value = (name: string) => values.get(`pkgsrc_indexer_${name}`);
    assert.deepEqual([value('publication_seconds_count'), value('publication_seconds_sum')], [2, 1]);
    assert.equal(value('publication_seconds_bucket{le="0.5"}'), 1);
    assert.deepEqual([value('upload_to_index_seconds_count'), value('upload_to_index_seconds_sum')], [2, 4]);
    assert.equal(value('upload_to_index_seconds_bucket{le="2"}'), 1);
  });

  it('count on, and forget repositories that are gone', async () => {
    const metrics = new Metrics();
    await metrics.text(state);
    const { text } = await metrics.text({ ...state, counts: { ...state.counts, uploads: 6 }, repositories: [] });
    assert.equal(valuesOf(text).get('pkgsrc_indexer_uploads_total'), 6);
    assert.doesNotMatch(text, /2026Q3/);
  });

  it('are of so many repositories, and not of one more', async () => {
    const repositories = Array.from({ length: metricsLimits.repositoriesMax + 1 }, (_, index) => ({
      ...overview,
      repository: `r${index}`,
    }));
    const { text } = await new Metrics().text({ ...state, repositories });
    assert.ok(text.includes(`"r${metricsLimits.repositoriesMax - 1}"`));
    assert.ok(!text.includes(`"r${metricsLimits.repositoriesMax}"`));
  });

  it('leave the default registry alone', async () => {
    await new Metrics().text(state);
    assert.equal(register.getMetricsAsArray().length, 0);
  });
});

describe('the branch of a repository', () => {
  for (const [repository, branch] of [
    ['packages/SmartOS/2018Q1/x86_64/All', '2018Q1'],
    ['NetBSD/amd64/10.0_2024Q2/All', ''],
    ['trunk/x86_64/All', 'trunk'],
    ['All', ''],
    ['', ''],
  ] as const)
    it(`${repository} is ${branch === '' ? 'not known' : branch}`, () => assert.equal(branchOf(repository), branch));
});
