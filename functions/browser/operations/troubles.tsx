/** Packages that are in no index yet, with a button that retries each. */

import type { RetryRequest, ServiceStatus } from '../../server/service-status.ts';
import { Section, Table } from '../elements/sections.tsx';
import { timeText } from '../elements/wording.ts';
import { NumberCell, Others, rowsMax } from './sections.tsx';
import type { Retrying } from './use-retry.ts';

interface RejectedPackagesProperties extends Pick<ServiceStatus, 'repositories' | 'totals'> {
  readonly retrying: Retrying;
}

export function RejectedPackages({ repositories, totals, retrying }: RejectedPackagesProperties) {
  const all = repositories.flatMap(({ repository, rejected }) =>
    rejected.map(({ file, ...why }) => ({ key: repository === '' ? file : `${repository}/${file}`, ...why })),
  );
  if (all.length === 0) return null;
  return (
    <Section
      title="Rejected"
      count={totals.rejected}
      action={<RetryButton request={{ all: true }} what="all rejected and pending packages" retrying={retrying} />}
    >
      <p class="muted">These packages are not in the index. Upload a fixed package in place of a bad one.</p>
      <Table name="Rejected packages" titles={['Package', 'Reason', '#Action']} class="again">
        {all.slice(0, rowsMax).map(({ key, code, message }) => (
          <tr key={key}>
            <td class="name">{key}</td>
            <td class="reason">
              <span class="code">{code}</span> {message}
            </td>
            <td class="numeric">
              <RetryButton request={{ key }} what={key} retrying={retrying} />
            </td>
          </tr>
        ))}
      </Table>
      <Others all={totals.rejected} shown={rowsMax} />
    </Section>
  );
}

interface WaitingPackagesProperties {
  readonly status: ServiceStatus;
  readonly retrying: Retrying;
}

export function WaitingPackages({ status, retrying }: WaitingPackagesProperties) {
  const pending = status.repositories.flatMap((each) => each.pending);
  const { deadLetters } = status.queue;
  return (
    <>
      {deadLetters.length > 0 && (
        <Section title="Unreadable" count={status.totals.deadLetters}>
          <Table name="Dead letters" titles={['Package', 'Reason', '#Tries', '#Last', '#Action']} class="again">
            {deadLetters.slice(0, rowsMax).map(({ key, message, tries, at }) => (
              <tr key={key}>
                <td class="name">{key}</td>
                <td class="reason">{message}</td>
                <NumberCell value={tries} />
                <td class="numeric">
                  <time dateTime={at}>{timeText(at)}</time>
                </td>
                <td class="numeric">
                  <RetryButton request={{ key }} what={key} retrying={retrying} />
                </td>
              </tr>
            ))}
          </Table>
          <Others all={status.totals.deadLetters} shown={rowsMax} />
        </Section>
      )}
      {pending.length > 0 && (
        <Section title="Pending" count={status.totals.pending}>
          <ul class="links">
            {pending.slice(0, rowsMax).map((key) => (
              <li key={key}>
                <code>{key}</code>
              </li>
            ))}
          </ul>
          <Others all={status.totals.pending} shown={rowsMax} />
        </Section>
      )}
    </>
  );
}

interface RetryButtonProperties {
  readonly request: RetryRequest;
  readonly what: string;
  readonly retrying: Retrying;
}

/** Not disabled while it says what came of it: a disabled button loses the keyboard's focus. */
function RetryButton({ request, what, retrying: { retry, notes } }: RetryButtonProperties) {
  const title = 'key' in request ? 'Retry' : 'Retry all';
  const note = notes['key' in request ? request.key : 'all'];
  return (
    <button
      type="button"
      aria-label={`${title}: ${what}`}
      aria-disabled={note !== undefined}
      onClick={() => note === undefined && retry(request)}
    >
      {note ?? title}
    </button>
  );
}
