/** The inconsistencies of all repositories. */

import { sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { CodeRows, Count, Fold, Section } from '../elements/sections.tsx';
import { findingTitles } from '../elements/wording.ts';
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
  const items = {
    missingDependencies: report.missingDependencies.map(({ pattern, neededBy }) => [pattern, neededBy] as const),
    missingLibraries: report.missingLibraries.map(({ library, neededBy }) => [library, neededBy] as const),
    duplicateNames: report.duplicateNames.map(({ name, files }) => [name, files] as const),
    duplicatePaths: report.duplicatePaths.map(({ path, names }) => [path, names] as const),
  };
  const kinds = (Object.keys(items) as (keyof typeof items)[]).filter((kind) => items[kind].length > 0);
  return (
    <>
      {kinds.map((kind) => (
        <div key={kind}>
          <h3>
            {findingTitles[kind]}
            <Count value={findings[kind]} />
          </h3>
          <CodeRows rows={items[kind].map(([what, names]) => [what, <span class="muted">{names.join(', ')}</span>])} />
          <Others all={findings[kind]} shown={items[kind].length} />
        </div>
      ))}
    </>
  );
}
