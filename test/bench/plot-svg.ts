/** A plot as SVG: a pure function, so that the same figures give the same picture. */

import type { Plot } from './report.ts';

const size = { width: 720, height: 420 } as const;
/** Room for the names of the axes, and at the right for those of the lines. */
const margin = { left: 80, right: 210, top: 48, bottom: 56 } as const;
/** Told apart by people who do not see all colours, too (Okabe and Ito); lines beyond these are dashed. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const;
const labelHeight = 16;

interface Axis {
  readonly ticks: readonly number[];
  place(value: number): number;
}

/** @throws where there is no point, or one that no logarithm shows. */
export function plotSvg({ title, x, y, lines }: Plot): string {
  const points = lines.flatMap((line) => line.points);
  const right = size.width - margin.right;
  const bottom = size.height - margin.bottom;
  const across = axis(
    points.map(([value]) => value),
    margin.left,
    right,
  );
  const up = axis(
    points.map(([, value]) => value),
    bottom,
    margin.top,
  );
  const labels = spread(lines.map(({ points }) => up.place(points.at(-1)?.[1] ?? Number.NaN)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="13">`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    text(title, margin.left, 24, 'font-size="15" font-weight="bold"'),
    ...across.ticks.flatMap((tick) => {
      const at = rounded(across.place(tick));
      return [rule(at, margin.top, at, bottom), text(label(tick), at, bottom + 20, 'text-anchor="middle"')];
    }),
    ...up.ticks.flatMap((tick) => {
      const at = rounded(up.place(tick));
      return [rule(margin.left, at, right, at), text(label(tick), margin.left - 8, at + 4, 'text-anchor="end"')];
    }),
    text(x, (margin.left + right) / 2, size.height - 14, 'text-anchor="middle"'),
    text(
      y,
      20,
      (margin.top + bottom) / 2,
      `text-anchor="middle" transform="rotate(-90 20 ${(margin.top + bottom) / 2})"`,
    ),
    ...lines.flatMap(({ name, points }, n) => drawLine(name, points, n, { across, up, labelAt: labels[n] ?? 0 })),
    '</svg>\n',
  ].join('\n');
}

function drawLine(
  name: string,
  points: Plot['lines'][number]['points'],
  n: number,
  { across, up, labelAt }: { readonly across: Axis; readonly up: Axis; readonly labelAt: number },
): string[] {
  const colour = colours[n % colours.length];
  const dashes = n < colours.length ? '' : ' stroke-dasharray="6 4"';
  const places = points.map(([x, y]) => [rounded(across.place(x)), rounded(up.place(y))] as const);
  const path = places.map((place) => place.join(',')).join(' ');
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>`,
    ...places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`),
    text(name, size.width - margin.right + 10, rounded(labelAt + 4), `fill="${colour}"`),
  ];
}

/** Logarithmic, from a power of ten at or below the least value to one above the most; a few ticks in between where it is short. */
function axis(values: readonly number[], from: number, to: number): Axis {
  const least = Math.floor(Math.log10(Math.min(...values)));
  const most = Math.max(Math.ceil(Math.log10(Math.max(...values))), least + 1);
  if (!Number.isFinite(least) || !Number.isFinite(most))
    throw new Error(`expected values above 0 on a logarithmic axis, found ${values.join(', ')}`);
  const tens = Array.from({ length: most - least + 1 }, (_, n) => 10 ** (least + n));
  const steps = tens.length > 3 ? [1] : [1, 2, 5];
  return {
    ticks: tens.flatMap((ten) => steps.map((step) => step * ten)).filter((tick) => tick <= 10 ** most),
    place: (value) => from + ((to - from) * (Math.log10(value) - least)) / (most - least),
  };
}

/** Moves labels down as far as they would lie on one another; those at the bottom up again. */
function spread(places: readonly number[]): number[] {
  const moved = [...places];
  const order = [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  let free = Number.NEGATIVE_INFINITY;
  for (const n of order) {
    moved[n] = Math.max(moved[n] ?? 0, free);
    free = (moved[n] ?? 0) + labelHeight;
  }
  free = size.height - margin.bottom;
  for (const n of order.toReversed()) {
    moved[n] = Math.min(moved[n] ?? 0, free);
    free = (moved[n] ?? 0) - labelHeight;
  }
  return moved;
}

function rule(x1: number, y1: number, x2: number, y2: number): string {
  return `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#dddddd"/>`;
}

function text(content: string, x: number, y: number, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<text x="${x}" y="${y}" ${attributes}>${escaped}</text>`;
}

function label(value: number): string {
  return value >= 1 ? value.toLocaleString('en') : String(Number(value.toPrecision(1)));
}

function rounded(value: number): number {
  return Math.round(10 * value) / 10;
}
