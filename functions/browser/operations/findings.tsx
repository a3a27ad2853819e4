/** The inconsistencies of all repositories. */

import { listFindings, sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { CodeRows, Count, Fold, Section } from '../elements/sections.tsx';
import { findingNotes, findingTitles } from '../elements/wording.ts';
import { nameOf } from './sections.tsx';
import { Others } from './table.tsx';

export function Findings({ repositories }: Pick<ServiceStatus, 'repositories'>) {
  const broken = repositories.filter(({ findings }) => findings !== null && sumOf(findings) > 0);
  if (broken.length === 0) return null;
  return (
    <Section title="Inconsistencies" class="findings">
      <p class="muted">These packages are published, but may not install.</p>
      {broken.map((each) => (
        <Fold key={each.repository} title={nameOf(each.repository)} count={each.findings ? sumOf(each.findings) : 0}>
          <Report {...each} />
        </Fold>
      ))}
    </Section>
  );
}

function Report({ report, findings }: ServedRepository) {
  if (report === null || findings === null) return null;
  const kinds = [...Map.groupBy(listFindings(report), ({ kind }) => kind)];
  return (
    <>
      {kinds.map(([kind, found]) => (
        <div key={kind}>
          <h3>
            {findingTitles[kind]}
            <Count value={findings[kind]} />
          </h3>
          {findingNotes[kind] && <p class="muted">{findingNotes[kind]}</p>}
          <CodeRows
            rows={found.map(({ what, packages }) => [what, <span class="muted">{packages.join(', ')}</span>])}
          />
          <Others all={findings[kind]} shown={found.length} />
        </div>
      ))}
    </>
  );
}
