/** The operations view: asks the server every few seconds how things are, and shows it. */

import type { RetryRequest, ServedRepository, ServiceStatus } from '../../server/service-status.ts';
import { element } from '../packages/elements.ts';
import { themeButton } from '../packages/theme.ts';
import { countText } from '../packages/wording.ts';
import { Part } from './part.ts';
import {
  type Asked,
  figures,
  findings,
  publications,
  rejected,
  repositories,
  type Troubles,
  type Waiting,
  waiting,
} from './sections.ts';
import { fetchStatus, requestRetry } from './status-client.ts';
import { TokenDialog } from './token-dialog.ts';
import { timeText } from './wording.ts';

/** Between two questions; longer where the server needs long to answer: it is to do its work, not to tell of it. */
const pollMilliseconds = 2_000;
const pollsPerAnswer = 5;

export class OperationsView {
  readonly #state = element('p', { class: 'state published', role: 'status' }, 'asking …');
  readonly #said = element('p', { class: 'unseen', role: 'status' });
  readonly #tokenDialog = new TokenDialog();
  readonly #retrying = { retry: (request: RetryRequest) => void this.#retry(request) };
  readonly #figures = new Part('summary', figures);
  readonly #rejected = new Part<Troubles>('rejected', (troubles) => rejected(troubles, this.#retrying));
  readonly #waiting = new Part<Waiting>('waiting', (model) => waiting(model, this.#retrying));
  readonly #repositories = new Part<readonly ServedRepository[]>('repositories', repositories);
  readonly #publications = new Part('publications', publications);
  readonly #findings = new Part('findings', findings);
  #status: ServiceStatus | undefined;
  #asked: Asked = {};
  #token: string | undefined;
  #timer: number | undefined;

  start(): void {
    const parts = [
      this.#figures,
      this.#rejected,
      this.#waiting,
      this.#repositories,
      this.#publications,
      this.#findings,
    ].map((part) => part.element);
    document.body.append(
      element('a', { class: 'skip', href: '#main' }, 'Skip to the figures'),
      element(
        'header',
        { class: 'top' },
        element('div', { class: 'brand' }, element('a', { href: '/' }, location.host), this.#state),
        element(
          'nav',
          { 'aria-label': 'Views' },
          element('a', { href: '/' }, 'Repositories'),
          element('a', { href: '/-/', 'aria-current': 'page' }, 'Operations'),
          element('a', { href: '/-/status' }, 'JSON'),
        ),
        themeButton(),
      ),
      element(
        'main',
        { id: 'main', tabindex: -1 },
        element(
          'div',
          { class: 'page' },
          element('h1', {}, 'Operations'),
          element('div', { class: 'parts' }, ...parts),
        ),
      ),
      this.#said,
      this.#tokenDialog.element,
    );
    addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.#ask();
    });
    void this.#ask();
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer);
    const begin = performance.now();
    try {
      this.#status = await fetchStatus();
      this.#say(`up to date at ${timeText(new Date().toISOString())}`, false);
      this.#show();
    } catch (error) {
      const why = error instanceof TypeError ? 'The server cannot be reached' : (error as Error).message;
      this.#say(`${why}; what is shown may be out of date`, true);
    }
    if (document.visibilityState === 'hidden') return;
    const wait = Math.max(pollMilliseconds, pollsPerAnswer * (performance.now() - begin));
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), wait);
  }

  /** The time of every answer is shown, and read to nobody: only the loss of the server, and its return, are news. */
  #say(text: string, isLost: boolean): void {
    const wasLost = this.#state.classList.contains('lost');
    this.#state.classList.toggle('lost', isLost);
    this.#state.setAttribute('aria-live', isLost || wasLost ? 'polite' : 'off');
    this.#state.textContent = text;
  }

  #show(): void {
    if (this.#status === undefined) return;
    const { repositories: all, queue, publications: past } = this.#status;
    const asked = this.#asked;
    this.#figures.show(this.#status);
    this.#rejected.show({
      rejected: all.flatMap(({ repository, rejected: bad }) =>
        bad.map(({ file, ...why }) => ({ key: repository === '' ? file : `${repository}/${file}`, ...why })),
      ),
      asked,
    });
    this.#waiting.show({ pending: all.flatMap(({ pending }) => pending), deadLetters: queue.deadLetters, asked });
    this.#repositories.show(all);
    this.#publications.show(past);
    this.#findings.show(
      all.map(({ repository, report, findings: found }) => ({ repository, report, findings: found })),
    );
  }

  async #retry(request: RetryRequest): Promise<void> {
    const name = 'key' in request ? request.key : 'all';
    this.#note(name, 'asking …');
    let result = await requestRetry(request, this.#token);
    while (result.outcome === 'token-wanted') {
      const token = await this.#tokenDialog.ask(this.#token !== undefined);
      if (token === undefined) {
        this.#forget(name);
        return;
      }
      this.#token = token;
      result = await requestRetry(request, token);
    }
    if (result.outcome === 'refused') {
      this.#token = undefined;
      this.#note(name, result.why);
    } else {
      this.#note(name, `looked at again (${timeText(new Date().toISOString())})`);
      this.#said.textContent = `${countText(result.retried, 'package')} looked at again`;
    }
    setTimeout(() => this.#forget(name), noteMilliseconds);
    await this.#ask();
  }

  #note(name: string, text: string): void {
    this.#asked = { ...this.#asked, [name]: text };
    this.#show();
  }

  #forget(name: string): void {
    const { [name]: _, ...others } = this.#asked;
    this.#asked = others;
    this.#show();
  }
}

/** How long a row says what became of the question before its button comes back. */
const noteMilliseconds = 10_000;
