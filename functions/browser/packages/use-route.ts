/** The view that is shown, in step with the URL. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { formatRoute, type ListRoute, parseRoute, type Route } from './route.ts';

/** The URL is changed when typing has paused for this long: browsers allow only so many changes of it. */
const urlDelayMilliseconds = 300;

export interface Router {
  readonly route: Route;
  goTo(route: Route): void;
  /** Shows the list at once, and changes the URL after a pause. Back then leads to where the search began. */
  type(route: ListRoute): void;
}

export function useRoute(): Router {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => {
    const follow = () => {
      clearTimeout(timer.current);
      setRoute(parseRoute(location.hash));
    };
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return {
    route,
    goTo(next) {
      clearTimeout(timer.current);
      if (route.view === 'packages') replaceUrl(route);
      location.hash = formatRoute(next);
    },
    type(next) {
      if (route.view !== 'packages') history.pushState(null, '', formatRoute(next));
      setRoute(next);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => replaceUrl(next), urlDelayMilliseconds);
    },
  };
}

/** Unless the reader has left the list meanwhile. */
function replaceUrl(route: ListRoute): void {
  const url = formatRoute(route);
  if (location.hash !== url && parseRoute(location.hash).view === 'packages') history.replaceState(null, '', url);
}
