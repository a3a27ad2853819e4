import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plotSvg } from './plot-svg.ts';
import type { Plot } from './report.ts';

const plot: Plot = {
  file: 'p.svg',
  title: 'a < b & c',
  x: 'packages',
  y: 'seconds',
  lines: [
    {
      name: 'ours',
      points: [
        [100, 0.2],
        [10_000, 3],
      ],
    },
    {
      name: 'theirs',
      points: [
        [100, 0.4],
        [10_000, 3],
      ],
    },
  ],
};

test('a plot places its points by their logarithms, names its lines, and lets no label lie on another', () => {
  const svg = plotSvg(plot);
  assert.match(svg, /<polyline points="80,[\d.]+ 510,[\d.]+"/);
  assert.match(svg, />a &lt; b &amp; c</);
  const labels = [...svg.matchAll(/<text x="520" y="([\d.]+)"[^>]*>(ours|theirs)</g)];
  assert.deepEqual(
    labels.map(([, , name]) => name),
    ['ours', 'theirs'],
  );
  const [one = 0, other = 0] = labels.map(([, y]) => Number(y));
  assert.ok(Math.abs(one - other) >= 13, `${one} and ${other}`);
  assert.equal(plotSvg(plot), svg);
});

test('a plot without a point, or with one that no logarithm shows, is refused', () => {
  assert.throws(() => plotSvg({ ...plot, lines: [] }), /expected values above 0/);
  assert.throws(() => plotSvg({ ...plot, lines: [{ name: 'none', points: [[0, 1]] }] }), /expected values above 0/);
});
