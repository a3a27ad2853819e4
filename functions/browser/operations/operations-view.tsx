/** The operations view: what the server is doing, and what went wrong. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { Frame } from '../elements/frame.tsx';
import { Findings } from './findings.tsx';
import { PublicationList } from './publication-list.tsx';
import { RepositoryTable, StatusFigures } from './sections.tsx';
import { TokenDialog } from './token-dialog.tsx';
import { Troubles } from './troubles.tsx';
import { useRetry } from './use-retry.ts';
import { useStatus } from './use-status.ts';

export function OperationsView() {
  const [asks, setAsks] = useState(0);
  const [said, setSaid] = useState('');
  const dialog = useRef<TokenDialog>(null);
  const { status, state, isLost } = useStatus(asks);
  const retrying = useRetry(
    async (isWrong) => dialog.current?.ask(isWrong),
    (sentence) => {
      setSaid(sentence);
      setAsks((number) => number + 1);
    },
  );
  // The row of a package that is no longer rejected takes the focus with it.
  const hadFocus = useRef(false);
  useEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) document.getElementById('main')?.focus();
    hadFocus.current = document.activeElement !== document.body;
  });
  // The time of every answer is shown, but only the loss of the server, and its return, are news to a screen reader.
  const wasLost = useRef(false);
  const isNews = isLost || wasLost.current;
  useEffect(() => {
    wasLost.current = isLost;
  }, [state]);
  return (
    <Frame
      brand={
        <>
          <a href="../?repositories">{location.host}</a>
          <p class={`state published ${isLost ? 'lost' : ''}`} role="status" aria-live={isNews ? 'polite' : 'off'}>
            {state}
          </p>
        </>
      }
      tabs={[
        { title: 'Repositories', href: '../?repositories', isCurrent: false },
        { title: 'Operations', href: './', isCurrent: true },
        { title: 'JSON', href: 'status', isCurrent: false },
      ]}
    >
      <div class="page">
        <div class="parts">
          <h1>Operations</h1>
          {status !== undefined && (
            <>
              <StatusFigures status={status} />
              <Troubles status={status} retrying={retrying} />
              <RepositoryTable {...status} />
              <PublicationList publications={status.publications} />
              <Findings repositories={status.repositories} />
            </>
          )}
        </div>
      </div>
      <p class="unseen" role="status">
        {said}
      </p>
      <TokenDialog handle={dialog} />
    </Frame>
  );
}
