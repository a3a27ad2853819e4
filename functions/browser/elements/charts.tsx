/** Small charts. Each says in a sentence what it shows; its picture is for those who see it. */

import { countText, numberText, spanText } from './wording.ts';

interface Bar {
  readonly name: string;
  readonly href: string;
  readonly value: number;
}

/** A bar each, with a link. */
export function Bars({ bars }: { readonly bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <ul class="bars">
      {bars.map(({ name, href, value }) => (
        <li key={name}>
          <a href={href}>{name}</a>
          <span class="bar" aria-hidden="true" style={{ '--share': value / most }} />
          <span class="numeric muted">{numberText(value)}</span>
        </li>
      ))}
    </ul>
  );
}

interface Period {
  readonly period: string;
  readonly packages: number;
}

/** The chart's own units: it is stretched to the width there is. */
const [width, height, gap] = [600, 100, 2];

/** A few columns do not fill the chart. */
const columnWidthMax = '3rem';

/** A column for each period. */
export function Columns({ periods }: { readonly periods: readonly Period[] }) {
  const most = Math.max(1, ...periods.map(({ packages }) => packages));
  const peak = periods.find(({ packages }) => packages === most);
  const [first = '', last = ''] = [periods.at(0)?.period, periods.at(-1)?.period];
  if (peak === undefined || first === last) return <p>{`All ${countText(most, 'package')}: ${first}.`}</p>;
  const step = width / periods.length;
  return (
    <figure class="columns-chart" style={{ maxWidth: `max(14rem, ${periods.length} * ${columnWidthMax})` }}>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        {periods.map(({ period, packages }, index) => {
          const tall = (packages / most) * height;
          return (
            <rect key={period} x={index * step} y={height - tall} width={Math.max(step - gap, 1)} height={tall}>
              <title>{`${period}: ${countText(packages, 'package')}`}</title>
            </rect>
          );
        })}
      </svg>
      <p class="axis" aria-hidden="true">
        <span>{first}</span>
        <span>{last}</span>
      </p>
      <figcaption>{`Built ${first} to ${last}; most in ${peak.period}: ${countText(most, 'package')}.`}</figcaption>
    </figure>
  );
}

interface TimedPoint {
  /** Says what the point is. */
  readonly title: string;
  readonly milliseconds: number;
}

/** A line through the points, the earliest first. */
export function Sparkline({ points, caption }: { readonly points: readonly TimedPoint[]; readonly caption: string }) {
  const longest = Math.max(1, ...points.map(({ milliseconds }) => milliseconds));
  const places = points.map(({ title, milliseconds }, index) => ({
    x: points.length === 1 ? width / 2 : (index * width) / (points.length - 1),
    y: height - (milliseconds / longest) * height,
    title: `${title}, ${spanText(milliseconds)}`,
  }));
  return (
    <figure class="sparkline">
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline points={places.map(({ x, y }) => `${x},${y}`).join(' ')} />
        {places.map(({ x, y, title }) => (
          // A line of no length has round ends, however the picture is stretched: a dot.
          <line key={x} x1={x} y1={y} x2={x} y2={y}>
            <title>{title}</title>
          </line>
        ))}
      </svg>
      <figcaption>{caption}</figcaption>
    </figure>
  );
}
