/** Asks for the upload token. It is kept for as long as the page is open, and nowhere else. */

import { button, element } from '../packages/elements.ts';

export class TokenDialog {
  readonly element: HTMLDialogElement;
  readonly #field = element('input', { type: 'password', id: 'token', autocomplete: 'off' });
  readonly #why = element('p', { id: 'token-why' });
  #answer: (token: string | undefined) => void = () => {};

  constructor() {
    const form = element(
      'form',
      {},
      this.#why,
      element('label', { for: 'token' }, 'Upload token'),
      this.#field,
      element(
        'p',
        { class: 'buttons' },
        element('button', { type: 'submit', class: 'button' }, 'Use it'),
        button({}, () => this.element.close(), 'Cancel'),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#give(this.#field.value.trim() || undefined);
    });
    this.element = element('dialog', { 'aria-labelledby': 'token-why' }, form);
    this.element.addEventListener('close', () => this.#give(undefined));
  }

  /** Undefined where nobody wants to tell it. Whoever asks while the dialog is open gets the same answer. */
  async ask(isWrong: boolean): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const others = this.#answer;
    this.#answer = (token) => {
      others(token);
      resolve(token);
    };
    if (this.element.open) return await promise;
    this.#field.value = '';
    this.#why.textContent = isWrong
      ? 'The server does not know that token.'
      : 'Only whoever may upload here may ask for another try: with the upload token, or from the machine of the server itself.';
    this.element.showModal();
    return await promise;
  }

  #give(token: string | undefined): void {
    const answer = this.#answer;
    this.#answer = () => {};
    answer(token);
    this.element.close();
  }
}
