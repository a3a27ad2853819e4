/** The last publications, and how long changes took into the index. */

import type { ServiceStatus } from '../../server/service-status.ts';
import { Section } from '../elements/sections.tsx';
import { countText, numberText, sizeText, spanText, timeText } from '../elements/wording.ts';
import { nameOf, Time } from './sections.tsx';
import { Sparkline } from './sparkline.tsx';
import { Table } from './table.tsx';

const publicationsShown = 10;

/** @param publications the latest first. */
export function PublicationList({ publications }: Pick<ServiceStatus, 'publications'>) {
  return (
    <Section title="Publications" class="publications">
      {publications.length === 0 ? (
        <p class="muted">None since the server started.</p>
      ) : (
        <>
          <Latencies publications={publications} />
          <Table
            name="The last publications"
            rows={publications.slice(0, publicationsShown)}
            columns={[
              ['Time', ({ at }) => <Time at={at} />, 'time'],
              ['Repository', ({ repository }) => nameOf(repository), 'name'],
              ['Packages', ({ packages }) => numberText(packages)],
              ['Index', ({ bytes }) => sizeText(bytes)],
              ['Duration', ({ milliseconds }) => spanText(milliseconds)],
              ['Changes', ({ latency }) => latency?.changes ?? '–'],
              ['Upload to index', ({ latency }) => latency && spanText(latency.medianMilliseconds)],
            ]}
          />
        </>
      )}
    </Section>
  );
}

function Latencies({ publications }: Pick<ServiceStatus, 'publications'>) {
  const timed = publications.flatMap(({ at, latency }) => (latency === null ? [] : [{ at, ...latency }])).toReversed();
  if (timed.length === 0) return null;
  const sorted = timed.map(({ medianMilliseconds }) => medianMilliseconds).sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const most = Math.max(...timed.map(({ maxMilliseconds }) => maxMilliseconds));
  const points = timed.map(({ at, changes, medianMilliseconds: value }) => {
    return { value, title: `${timeText(at)}: ${countText(changes, 'change')}, ${spanText(value)}` };
  });
  const publicationsText = countText(timed.length, 'publication');
  const caption = `Upload to index, last ${publicationsText}: median ${spanText(median)}, longest ${spanText(most)}.`;
  return <Sparkline points={points} caption={caption} />;
}
