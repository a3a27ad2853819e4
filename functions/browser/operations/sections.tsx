/** The figures of the server, and its repositories. Everything that comes from a package is shown as text. */

import { sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { Figure, Section, Table } from '../elements/sections.tsx';
import { countText, numberText, sizeText, spanText, timeText } from '../elements/wording.ts';

/** Rows of a list; `/-/status` has more of them. */
export const rowsMax = 100;

export function StatusFigures({ status }: { readonly status: ServiceStatus }) {
  const { totals, queue, counts } = status;
  const { repositories, packages, rejected, pending, findings, warnings, deadLetters } = totals;
  const size = sizeText(totals.packageBytes) || '0 B';
  return (
    <dl class="figures">
      <Figure title="Packages" note={`${size} in ${countText(repositories, 'repository', 'repositories')}`}>
        {numberText(packages)}
      </Figure>
      <Figure
        title="Pending"
        note={`${numberText(queue.pending)} in the queue`}
        mood={pending > 0 ? 'warn' : undefined}
      >
        {numberText(pending)}
      </Figure>
      <Figure title="Rejected" note={countText(warnings, 'warning')} mood={rejected > 0 ? 'bad' : 'good'}>
        {numberText(rejected)}
      </Figure>
      <Figure
        title="Inconsistencies"
        note="dependencies, libraries, duplicates"
        mood={findings > 0 ? 'warn' : undefined}
      >
        {numberText(findings)}
      </Figure>
      <Figure title="Dead letters" note="unreadable; retried every 15 s" mood={deadLetters > 0 ? 'bad' : 'good'}>
        {numberText(deadLetters)}
      </Figure>
      <Figure
        title="Publications"
        note={`${countText(counts.uploads, 'upload')}, ${numberText(counts.indexed)} indexed, ${numberText(counts.removed)} removed`}
      >
        {numberText(counts.publications)}
      </Figure>
      <Figure title="Uptime" note={`since ${timeText(status.startedAt)}`}>
        {spanText(1000 * status.uptimeSeconds)}
      </Figure>
      <Figure title="Memory" note="of the whole process">
        {sizeText(status.memoryBytes)}
      </Figure>
    </dl>
  );
}

export function RepositoryTable({ repositories, totals }: Pick<ServiceStatus, 'repositories' | 'totals'>) {
  if (repositories.length === 0)
    return (
      <Section title="Repositories">
        <p class="muted">None yet: upload a package to create one.</p>
      </Section>
    );
  return (
    <Section title="Repositories" count={totals.repositories}>
      <Table
        name="Repositories"
        titles={['Repository', '#Packages', '#Size', '#Rejected', '#Pending', '#Warnings', '#Findings', '#Published']}
      >
        {repositories.map((each) => (
          <tr key={each.repository}>
            <td class="name">
              <a href={pathOf(each.repository)}>{nameOf(each.repository)}</a>
            </td>
            <NumberCell value={each.packages} />
            <td class="numeric">{sizeText(each.packageBytes) || '0 B'}</td>
            <NumberCell value={each.totals.rejected} mood="bad" />
            <NumberCell value={each.totals.pending} mood="warn" />
            <Warnings warnings={each.warnings} />
            {each.findings === null ? (
              <td class="numeric">too many to check</td>
            ) : (
              <NumberCell value={sumOf(each.findings)} mood="warn" />
            )}
            <td class="numeric">
              <Published {...each} />
            </td>
          </tr>
        ))}
      </Table>
      <Others all={totals.repositories} shown={repositories.length} />
    </Section>
  );
}

function Warnings({ warnings }: Pick<ServedRepository, 'warnings'>) {
  const texts = Object.entries(warnings).map(([code, packages]) => `${numberText(packages)} ${code}`);
  return <td class={texts.length > 0 ? 'numeric warn' : 'numeric'}>{texts.join(', ') || '0'}</td>;
}

function Published({ indexes, isAdopted, totals }: ServedRepository) {
  const [latest] = indexes;
  if (latest === undefined) return <>not yet</>;
  const sizes = indexes.map(({ file, bytes }) => `${file}: ${sizeText(bytes)}`).join(', ');
  const shown = (
    <time dateTime={latest.published} title={sizes}>
      {timeText(latest.published)}
    </time>
  );
  if (isAdopted || totals.pending === 0) return shown;
  return <span class="warn">{shown} (kept until nothing is pending)</span>;
}

export function NumberCell({ value, mood }: { readonly value: number; readonly mood?: 'bad' | 'warn' }) {
  return <td class={value > 0 && mood ? `numeric ${mood}` : 'numeric'}>{numberText(value)}</td>;
}

/** @param all how many there are. */
export function Others({ all, shown }: { readonly all: number; readonly shown: number }) {
  return all <= shown ? null : <p class="muted">… and {numberText(all - shown)} more.</p>;
}

export function nameOf(repository: string): string {
  return repository === '' ? '(top directory)' : repository;
}

function pathOf(repository: string): string {
  return repository === '' ? '/' : `/${repository.split('/').map(encodeURIComponent).join('/')}/`;
}
