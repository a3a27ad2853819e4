/** The inconsistencies of all repositories. */

import { sumOf } from '../../check/findings.ts';
import type { ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { Count, Fold, Section } from '../elements/sections.tsx';
import { nameOf, Others } from './sections.tsx';

export function Findings({ repositories }: Pick<ServiceStatus, 'repositories'>) {
  const broken = repositories.filter(({ findings }) => findings !== null && sumOf(findings) > 0);
  if (broken.length === 0) return null;
  return (
    <Section title="Inconsistencies" class="findings">
      <p class="muted">These packages are published, but may not install.</p>
      {broken.map((each) => (
        <Fold key={each.repository} title={nameOf(each.repository)} count={each.findings ? sumOf(each.findings) : 0}>
          {kindsOf(each).map(([title, all, items]) => (
            <div key={title}>
              <h3>
                {title}
                <Count value={all} />
              </h3>
              <ul>
                {items.map(([what, packages]) => (
                  <li key={what}>
                    <code>{what}</code> <span class="muted">{packages.join(', ')}</span>
                  </li>
                ))}
              </ul>
              <Others all={all} shown={items.length} />
            </div>
          ))}
        </Fold>
      ))}
    </Section>
  );
}

type Kind = readonly [title: string, all: number, items: readonly (readonly [string, readonly string[]])[]];

function kindsOf({ report, findings }: ServedRepository): readonly Kind[] {
  if (report === null || findings === null) return [];
  const kinds: readonly Kind[] = [
    [
      'Missing dependencies',
      findings.missingDependencies,
      report.missingDependencies.map(({ pattern, neededBy }) => [pattern, neededBy]),
    ],
    [
      'Missing libraries',
      findings.missingLibraries,
      report.missingLibraries.map(({ library, neededBy }) => [library, neededBy]),
    ],
    ['Duplicate package names', findings.duplicateNames, report.duplicateNames.map(({ name, files }) => [name, files])],
    [
      'Several versions of one package',
      findings.duplicatePaths,
      report.duplicatePaths.map(({ path, names }) => [path, names]),
    ],
  ];
  return kinds.filter(([, , items]) => items.length > 0);
}
