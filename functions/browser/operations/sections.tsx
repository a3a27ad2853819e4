/** The figures of the server, and its repositories. Everything that comes from a package is shown as text. */

import { sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { Figure, Section, Table } from '../elements/sections.tsx';
import { countText, numberText, sizeText, spanText, timeText } from '../elements/wording.ts';

/** Rows of a list; `/-/status` has all of them. */
export const rowsMax = 100;

export function StatusFigures({ status }: { readonly status: ServiceStatus }) {
  const { repositories, queue, counts } = status;
  const sum = (of: (repository: ServedRepository) => number) =>
    repositories.reduce((total, repository) => total + of(repository), 0);
  const rejected = sum((each) => each.rejected.length);
  const pending = sum((each) => each.pending.length);
  const findings = sum(({ findings: found }) => (found === null ? 0 : sumOf(found)));
  const warnings = sum((each) => Object.values(each.warnings).reduce((total, number) => total + number, 0));
  const size = sizeText(sum((each) => each.packageBytes)) || '0 B';
  return (
    <dl class="figures">
      <Figure title="Packages" note={`${size} in ${countText(repositories.length, 'repository', 'repositories')}`}>
        {numberText(sum((each) => each.packages))}
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
      <Figure
        title="Dead letters"
        note="unreadable; retried every 15 s"
        mood={queue.deadLetters.length > 0 ? 'bad' : 'good'}
      >
        {numberText(queue.deadLetters.length)}
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

export function RepositoryTable({ repositories }: Pick<ServiceStatus, 'repositories'>) {
  if (repositories.length === 0)
    return (
      <Section title="Repositories">
        <p class="muted">None yet: upload a package to create one.</p>
      </Section>
    );
  return (
    <Section title="Repositories" count={repositories.length}>
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
            <NumberCell value={each.rejected.length} mood="bad" />
            <NumberCell value={each.pending.length} mood="warn" />
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
    </Section>
  );
}

function Warnings({ warnings }: Pick<ServedRepository, 'warnings'>) {
  const texts = Object.entries(warnings).map(([code, packages]) => `${numberText(packages)} ${code}`);
  return <td class={texts.length > 0 ? 'numeric warn' : 'numeric'}>{texts.join(', ') || '0'}</td>;
}

function Published({ indexes, isAdopted, pending }: ServedRepository) {
  const [latest] = indexes;
  if (latest === undefined) return <>not yet</>;
  const sizes = indexes.map(({ file, bytes }) => `${file}: ${sizeText(bytes)}`).join(', ');
  const shown = (
    <time dateTime={latest.published} title={sizes}>
      {timeText(latest.published)}
    </time>
  );
  if (isAdopted || pending.length === 0) return shown;
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
