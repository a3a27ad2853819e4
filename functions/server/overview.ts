/** What is known of a repository without checking it: for the front page and for metrics. Runs in a browser too. */

import type { Repository } from '../ports.ts';

export interface RepositoryOverview {
  readonly repository: Repository;
  /** In the index, or in the next one. */
  readonly packages: number;
  readonly rejected: number;
  /** A publication is held back until it is confirmed. */
  readonly isHeldBack: boolean;
  /** MACHINE_ARCH of most packages in the index; empty where it is not known. */
  readonly architecture: string;
  /** Packages in the index for other machines: they stop `pkgin update` for everyone. */
  readonly foreignPackages: number;
  /** `2018Q1`, if a directory of that kind is in its path; empty otherwise. */
  readonly branch: string;
  /** Of all indexes together. */
  readonly indexBytes: number;
  /** Of the latest index; undefined where there is none. */
  readonly published: Date | undefined;
  /** As of the last report; undefined before the first. */
  readonly findings: number | undefined;
}

/** `packages/SmartOS/2018Q1/x86_64/All` → `2018Q1` */
export function branchOf(repository: Repository): string {
  return repository.split('/').find((part) => /^(?:20\d\dQ[1-4]|HEAD|current|trunk)$/i.test(part)) ?? '';
}
