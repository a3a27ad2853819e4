/** The steps that a simulation runs: the real ones, or mutated. */

import { extract } from '../../functions/extract.ts';
import { reindex } from '../../functions/reindex.ts';
import { retrySummary } from '../../functions/retry-summary.ts';
import { summarize } from '../../functions/summarize.ts';

export interface Steps {
  readonly extract: typeof extract;
  readonly summarize: typeof summarize;
  readonly reindex: typeof reindex;
  readonly retrySummary: typeof retrySummary;
  /** Hints and changes are forgotten when they are delivered, not when they have been followed. */
  readonly acknowledgesEarly: boolean;
  /** A process goes on with a hint when its time is over and another process has it. */
  readonly outlivesLease: boolean;
  readonly ignoresConditions: boolean;
  readonly ignoresRangeEtags: boolean;
  /** A request for a summary of all rows is told as a change of a file of that name. */
  readonly tellsRequestsAsFiles: boolean;
  /** The changes of a repository that failed are delivered again, before those of all others. */
  readonly stallsShard: boolean;
}

export const realSteps: Steps = {
  extract,
  summarize,
  reindex,
  retrySummary,
  acknowledgesEarly: false,
  outlivesLease: false,
  ignoresConditions: false,
  ignoresRangeEtags: false,
  tellsRequestsAsFiles: false,
  stallsShard: false,
};
