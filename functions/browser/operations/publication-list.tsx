/** The last publications, and how long changes took into the index. */

import type { ServiceStatus } from '../../server/service-status.ts';
import { Sparkline } from '../elements/charts.tsx';
import { Section, Table } from '../elements/sections.tsx';
import { countText, sizeText, spanText, timeText } from '../elements/wording.ts';
import { NumberCell, nameOf } from './sections.tsx';

const publicationsShown = 10;

/** @param publications the latest first. */
export function PublicationList({ publications }: Pick<ServiceStatus, 'publications'>) {
  if (publications.length === 0)
    return (
      <Section title="Publications">
        <p class="muted">None since the server started.</p>
      </Section>
    );
  const titles = ['Time', 'Repository', '#Packages', '#Index', '#Duration', '#Changes', '#Upload to index'];
  return (
    <Section title="Publications" class="publications">
      <Latencies publications={publications} />
      <Table name="The last publications" titles={titles}>
        {publications.slice(0, publicationsShown).map(({ repository, at, packages, bytes, milliseconds, latency }) => (
          <tr key={`${at} ${repository}`}>
            <td>
              <time dateTime={at}>{timeText(at)}</time>
            </td>
            <td class="name">{nameOf(repository)}</td>
            <NumberCell value={packages} />
            <td class="numeric">{sizeText(bytes)}</td>
            <td class="numeric">{spanText(milliseconds)}</td>
            {latency === null ? <td class="numeric muted">–</td> : <NumberCell value={latency.changes} />}
            <td class="numeric">{latency === null ? '' : spanText(latency.medianMilliseconds)}</td>
          </tr>
        ))}
      </Table>
    </Section>
  );
}

function Latencies({ publications }: Pick<ServiceStatus, 'publications'>) {
  const timed = publications.flatMap(({ at, latency }) => (latency === null ? [] : [{ at, ...latency }])).toReversed();
  if (timed.length === 0) return null;
  const sorted = timed.map(({ medianMilliseconds }) => medianMilliseconds).sort((left, right) => left - right);
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const most = Math.max(...timed.map(({ maxMilliseconds }) => maxMilliseconds));
  return (
    <Sparkline
      points={timed.map(({ at, changes, medianMilliseconds }) => ({
        title: `${timeText(at)}: ${countText(changes, 'change')}`,
        milliseconds: medianMilliseconds,
      }))}
      caption={`Upload to index, last ${countText(timed.length, 'publication')}: median ${spanText(median)}, longest ${spanText(most)}.`}
    />
  );
}
