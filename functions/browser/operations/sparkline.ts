/** How long uploads took into the index, publication after publication. */

import type { ServiceStatus } from '../../server/service-status.ts';
import { drawing, element } from '../packages/elements.ts';
import { countText } from '../packages/wording.ts';
import { spanText, timeText } from './wording.ts';

type Publications = ServiceStatus['publications'];

const width = 600;
const height = 80;

/** @param publications the latest first. Undefined where none of them showed a change that was timed. */
export function latencySparkline(publications: Publications): HTMLElement | undefined {
  const timed = publications.flatMap(({ at, latency }) => (latency === null ? [] : [{ at, ...latency }])).toReversed();
  if (timed.length === 0) return undefined;
  const longest = Math.max(1, ...timed.map(({ medianMilliseconds }) => medianMilliseconds));
  const step = width / Math.max(timed.length - 1, 1);
  const points = timed.map((each, index) => ({
    x: timed.length === 1 ? width / 2 : index * step,
    y: height - (each.medianMilliseconds / longest) * height,
    title: `${timeText(each.at)}: ${countText(each.changes, 'change')}, ${spanText(each.medianMilliseconds)}`,
  }));
  const picture = drawing(
    'svg',
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    drawing('polyline', { points: points.map(({ x, y }) => `${x},${y}`).join(' ') }),
    // A line of no length has round ends, however the picture is stretched: a dot.
    ...points.map(({ x, y, title }) => drawing('line', { x1: x, y1: y, x2: x, y2: y }, drawing('title', {}, title))),
  );
  const sorted = timed.map(({ medianMilliseconds }) => medianMilliseconds).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const most = Math.max(...timed.map(({ maxMilliseconds }) => maxMilliseconds));
  const caption = `From upload to index, over the last ${countText(timed.length, 'publication')}: ${spanText(median)} in the middle, ${spanText(most)} at most.`;
  return element('figure', { class: 'sparkline' }, picture, element('figcaption', {}, caption));
}
