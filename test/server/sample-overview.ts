import { branchOf, type RepositoryOverview } from '../../functions/server/overview.ts';

/** Of a repository that nothing is wrong with, and whose findings have not been asked for. */
export function sampleOverview(repository: string, more: Partial<RepositoryOverview> = {}): RepositoryOverview {
  return {
    repository,
    packages: 27_699,
    rejected: 0,
    isHeldBack: false,
    architecture: 'x86_64',
    foreignPackages: 0,
    branch: branchOf(repository),
    indexBytes: 1,
    published: new Date('2026-11-07T09:05:03Z'),
    findings: undefined,
    ...more,
  };
}
