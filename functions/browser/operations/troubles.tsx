/** Packages that are in no index yet, with a button that retries each. */

import { heldBackSentence } from '../../index/hold-back.ts';
import type { AdoptRequest, RetryRequest, ServiceStatus } from '../../server/service-status.ts';
import { Codes, Section } from '../elements/sections.tsx';
import { numberText } from '../elements/wording.ts';
import { nameOf, Time } from './sections.tsx';
import { Others, Table } from './table.tsx';
import { nameOfRequest, type Retrying } from './use-retry.ts';

/** Of a list; `/-/status` has all of them. */
const pendingMax = 100;

interface TroublesProperties {
  readonly status: ServiceStatus;
  readonly retrying: Retrying;
}

export function Troubles({ status: { repositories, queue, totals, polled }, retrying }: TroublesProperties) {
  const rejected = repositories.flatMap(({ repository, rejected: bad }) =>
    bad.map(({ file, ...why }) => ({ key: repository === '' ? file : `${repository}/${file}`, ...why })),
  );
  const pending = repositories.flatMap((each) => each.pending);
  const retryOf = ({ key }: { readonly key: string }) => (
    <RetryButton request={{ key }} what={key} retrying={retrying} />
  );
  const retryAll = <RetryButton request={{ all: true }} what="all rejected and pending packages" retrying={retrying} />;
  return (
    <>
      <HeldBack repositories={repositories} retrying={retrying} />
      {rejected.length > 0 && (
        <Section title="Rejected" count={totals.rejected} action={retryAll}>
          <p class="muted">These packages are not in the index. Upload a fixed package in place of a bad one.</p>
          <Table
            name="Rejected packages"
            class="again"
            rows={rejected}
            columns={[
              ['Package', ({ key }) => key, 'name'],
              ['Reason', ({ code, message }) => [<span class="code">{code}</span>, ` ${message}`], 'reason'],
              ['Action', retryOf],
            ]}
          />
        </Section>
      )}
      {queue.deadLetters.length > 0 && (
        <Section title="Unreadable" count={queue.deadLetters.length}>
          <Table
            name="Dead letters"
            class="again"
            rows={queue.deadLetters}
            columns={[
              ['Package', ({ key }) => key, 'name'],
              ['Reason', ({ message }) => message, 'reason'],
              ['Tries', ({ tries }) => numberText(tries)],
              ['Last', ({ at }) => <Time at={at} />],
              ['Action', retryOf],
            ]}
          />
        </Section>
      )}
      <Obstructed repositories={repositories} />
      <Polled polled={polled} />
      {pending.length > 0 && (
        <Section title="Pending" count={totals.pending}>
          <Codes values={pending.slice(0, pendingMax)} />
          <Others all={totals.pending} shown={pendingMax} />
        </Section>
      )}
    </>
  );
}

function HeldBack({
  repositories,
  retrying,
}: Pick<ServiceStatus, 'repositories'> & Pick<TroublesProperties, 'retrying'>) {
  const rows = repositories.flatMap(({ repository, heldBack }) =>
    heldBack === null ? [] : [{ repository, ...heldBack }],
  );
  if (rows.length === 0) return null;
  return (
    <Section title="Held back" count={rows.length}>
      <p class="muted">
        These indexes would lose many packages, perhaps by mistake. The old ones stay until you publish the new ones.
      </p>
      <Table
        name="Publications that are held back"
        class="again"
        rows={rows}
        columns={[
          ['Repository', ({ repository }) => nameOf(repository), 'name'],
          ['Reason', heldBackSentence, 'reason'],
          ['Since', ({ since }) => <Time at={since} />],
          [
            'Action',
            ({ repository }) => <RetryButton request={{ repository }} what={nameOf(repository)} retrying={retrying} />,
          ],
        ]}
      />
    </Section>
  );
}

function Obstructed({ repositories }: Pick<ServiceStatus, 'repositories'>) {
  const keys = repositories.flatMap(({ repository, obstructed }) =>
    obstructed.map((file) => (repository === '' ? file : `${repository}/${file}`)),
  );
  if (keys.length === 0) return null;
  return (
    <Section title="Not published" count={keys.length}>
      <p class="muted">Directories have the names of these files. Rename or remove them.</p>
      <Codes values={keys} />
    </Section>
  );
}

function Polled({ polled }: Pick<ServiceStatus, 'polled'>) {
  if (polled.length === 0) return null;
  return (
    <Section title="Not watched" count={polled.reduce((sum, { directories }) => sum + directories, 0)}>
      <p class="muted">These directories are compared every few seconds. A change is found a little later.</p>
      <Table
        name="Directories that are not watched"
        rows={polled}
        columns={[
          ['Directories', ({ directories }) => numberText(directories)],
          ['Reason', ({ reason }) => reason, 'reason'],
          ['Remedy', ({ setting }) => setting ?? 'none', 'reason'],
        ]}
      />
    </Section>
  );
}

interface RetryButtonProperties {
  readonly request: RetryRequest | AdoptRequest;
  readonly what: string;
  readonly retrying: Retrying;
}

/** Not disabled while it says what came of it: a disabled button loses the keyboard's focus. */
function RetryButton({ request, what, retrying: { retry, notes } }: RetryButtonProperties) {
  const title = 'repository' in request ? 'Publish' : 'key' in request ? 'Retry' : 'Retry all';
  const note = notes[nameOfRequest(request)];
  const isDone = note !== undefined;
  return (
    <button
      type="button"
      aria-label={`${title}: ${what}`}
      aria-disabled={isDone}
      onClick={() => isDone || retry(request)}
    >
      {note ?? title}
    </button>
  );
}
