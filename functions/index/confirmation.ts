/**
 * The operator's word that a publication that was held back may take place. It is an object in the repository, since it cannot be derived
 * from anything: a table that is lost must not lose it. It names the index that may be replaced, so it is void once that one is gone, and
 * the publication that it confirmed consumes it.
 */

import { CannotRun } from '../failures.ts';
import { joinKey, operatorDirectory } from '../keys.ts';
import type { Clock, ETag, HeldBack, ObjectStore, Repository } from '../ports.ts';

const confirmationLimits = {
  /** Ours have 100. */
  bytesMax: 4_096,
  /** Two operators, or one and the publication that consumes a confirmation, meet once or twice. */
  triesMax: 5,
} as const;

/** In a repository. Hidden from clients, and from indexing. */
const confirmationFile = `${operatorDirectory}/confirmed.json`;

export interface Confirmation {
  /** The index that may be replaced … */
  readonly index: ETag;
  /** … by one with about so many records. */
  readonly to: number;
}

/** The last one that confirms wins; it is void for any index but the one it names. @throws {CannotRun} after too many tries. */
export async function confirm(
  { objects, clock }: { readonly objects: Pick<ObjectStore, 'head' | 'put'>; readonly clock: Clock },
  repository: Repository,
  { index, to }: HeldBack,
): Promise<void> {
  const key = joinKey(repository, confirmationFile);
  const body = Buffer.from(`${JSON.stringify({ index, to } satisfies Confirmation)}\n`);
  for (let tries = 0; tries < confirmationLimits.triesMax; tries += 1) {
    const old = await objects.head(key);
    const { outcome } = await objects.put(key, body, {
      condition: old === undefined ? { ifNoneMatch: '*' } : { ifMatch: old.etag },
      metadata: {},
      contentType: 'application/json',
      lastModified: clock.now(),
    });
    if (outcome === 'stored') return;
  }
  throw new CannotRun(`${key} is written by other programs again and again; try again later`);
}

/** Undefined where there is none that can be read. @throws {ObjectChanged} */
export async function readConfirmation(
  objects: ObjectStore,
  repository: Repository,
): Promise<Confirmation | undefined> {
  const key = joinKey(repository, confirmationFile);
  const head = await objects.head(key);
  if (head === undefined) return undefined;
  const bytes = await objects.readRange(key, head.etag, 0, confirmationLimits.bytesMax);
  return parse(Buffer.from(bytes).toString());
}

export async function consumeConfirmation(objects: ObjectStore, repository: Repository): Promise<void> {
  await objects.delete(joinKey(repository, confirmationFile));
}

function parse(text: string): Confirmation | undefined {
  try {
    const { index, to } = JSON.parse(text) as Partial<Confirmation>;
    return typeof index === 'string' && typeof to === 'number' ? { index, to } : undefined;
  } catch {
    return undefined;
  }
}
