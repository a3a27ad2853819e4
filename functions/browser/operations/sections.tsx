/** The figures of the server, and its repositories. Everything that comes from a package is shown as text. */

import { sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { Figures, Section } from '../elements/sections.tsx';
import { countText, numberText, sizeText, spanText, timeText } from '../elements/wording.ts';
import { Table } from './table.tsx';

export function StatusFigures({ status: { queue, counts, ...status } }: { readonly status: ServiceStatus }) {
  const { packages, rejected, pending, findings, warnings, deadLetters: dead } = status.totals;
  const size = sizeText(status.totals.packageBytes) || '0 B';
  const done = `${countText(counts.uploads, 'upload')}, ${numberText(counts.indexed)} indexed, ${numberText(counts.removed)} removed`;
  const figures: Parameters<typeof Figures>[0]['figures'] = [
    {
      title: 'Packages',
      value: numberText(packages),
      note: `${size} in ${countText(status.totals.repositories, 'repository', 'repositories')}`,
    },
    {
      title: 'Pending',
      value: numberText(pending),
      note: `${numberText(queue.pending)} in the queue`,
      mood: pending > 0 && 'warn',
    },
    {
      title: 'Rejected',
      value: numberText(rejected),
      note: countText(warnings, 'warning'),
      mood: rejected > 0 ? 'bad' : 'good',
    },
    {
      title: 'Inconsistencies',
      value: numberText(findings),
      note: 'architectures, dependencies, libraries, duplicates',
      mood: findings > 0 && 'warn',
    },
    {
      title: 'Dead letters',
      value: numberText(dead),
      note: 'unreadable; retried every 15 s',
      mood: dead > 0 ? 'bad' : 'good',
    },
    { title: 'Publications', value: numberText(counts.publications), note: done },
    { title: 'Uptime', value: spanText(1000 * status.uptimeSeconds), note: `since ${timeText(status.startedAt)}` },
    { title: 'Memory', value: sizeText(status.memoryBytes), note: 'of the whole process' },
  ];
  return <Figures figures={figures} />;
}

export function RepositoryTable({ repositories, totals }: Pick<ServiceStatus, 'repositories' | 'totals'>) {
  return (
    <Section title="Repositories" count={totals.repositories}>
      {repositories.length === 0 ? (
        <p class="muted">None yet: upload a package to create one.</p>
      ) : (
        <Table
          name="Repositories"
          rows={repositories}
          rowsMax={repositories.length}
          columns={[
            ['Repository', ({ repository }) => <a href={pathOf(repository)}>{nameOf(repository)}</a>, 'name'],
            ['Packages', ({ packages }) => numberText(packages)],
            ['Size', ({ packageBytes }) => sizeText(packageBytes) || '0 B'],
            ['Rejected', ({ totals }) => <Trouble count={totals.rejected} mood="bad" />],
            ['Pending', ({ totals }) => <Trouble count={totals.pending} />],
            ['Warnings', ({ warnings }) => <Warnings warnings={warnings} />],
            ['Findings', ({ findings }) => (findings ? <Trouble count={sumOf(findings)} /> : 'too many to check')],
            ['Published', Published],
          ]}
        />
      )}
    </Section>
  );
}

function Trouble({ count, mood = 'warn' }: { readonly count: number; readonly mood?: 'bad' | 'warn' }) {
  return <span class={count > 0 ? mood : undefined}>{numberText(count)}</span>;
}

function Warnings({ warnings }: Pick<ServedRepository, 'warnings'>) {
  const texts = Object.entries(warnings).map(([code, packages]) => `${numberText(packages)} ${code}`);
  return texts.length === 0 ? <>0</> : <span class="warn">{texts.join(', ')}</span>;
}

function Published({ indexes, isAdopted, totals }: ServedRepository) {
  const [latest] = indexes;
  if (latest === undefined) return 'not yet';
  const sizes = indexes.map(({ file, bytes }) => `${file}: ${sizeText(bytes)}`).join(', ');
  return (
    <span title={sizes}>
      <Time at={latest.published} />
      {!isAdopted && totals.pending > 0 && <span class="warn"> (kept until nothing is pending)</span>}
    </span>
  );
}

export function Time({ at }: { readonly at: string }) {
  return <time dateTime={at}>{timeText(at)}</time>;
}

export function nameOf(repository: string): string {
  return repository === '' ? '(top directory)' : repository;
}

function pathOf(repository: string): string {
  return repository === '' ? '/' : `/${repository.split('/').map(encodeURIComponent).join('/')}/`;
}
