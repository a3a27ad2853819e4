interface SparklineProperties {
  /** The earliest first. */
  readonly points: readonly { readonly value: number; readonly title: string }[];
  /** Says the same to those who do not see the picture. */
  readonly caption: string;
}

/** The picture's own units: it is stretched to the width there is. */
const [width, height] = [600, 80];

export function Sparkline({ points, caption }: SparklineProperties) {
  const most = Math.max(1, ...points.map(({ value }) => value));
  const places = points.map(({ value, title }, index) => ({
    x: points.length === 1 ? width / 2 : (index * width) / (points.length - 1),
    y: height - (value / most) * height,
    title,
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
