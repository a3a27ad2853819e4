/** Tells whether a newer index has been published since this one was read. */

import { useEffect, useState } from 'preact/hooks';
import type { IndexFacts } from './messages.ts';
import { versionOf } from './read-index.ts';

/** How often the server is asked, while the page is in sight. */
const checkMilliseconds = 60_000;

export function useNewerIndex(index: IndexFacts | undefined): boolean {
  const [isNewer, setNewer] = useState(false);
  useEffect(() => {
    if (index === undefined || isNewer) return;
    let checkedAt = Date.now();
    const check = async () => {
      if (document.hidden || Date.now() - checkedAt < checkMilliseconds) return;
      checkedAt = Date.now();
      try {
        const response = await fetch(index.url, { method: 'HEAD', cache: 'no-cache' });
        if (response.ok && versionOf(response).version !== index.version) setNewer(true);
      } catch {
        // Offline: the next check tells.
      }
    };
    addEventListener('visibilitychange', check);
    const timer = setInterval(check, checkMilliseconds);
    return () => {
      removeEventListener('visibilitychange', check);
      clearInterval(timer);
    };
  }, [index, isNewer]);
  return isNewer;
}
