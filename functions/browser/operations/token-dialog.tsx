/** Asks for the upload token. */

import { Component, createRef, type RefObject } from 'preact';

export class TokenDialog extends Component<{ readonly handle: RefObject<TokenDialog | null> }> {
  readonly #dialog = createRef<HTMLDialogElement>();
  readonly #field = createRef<HTMLInputElement>();
  override state = { isWrong: false };
  #waiting: ((token: string | undefined) => void)[] = [];

  override componentDidMount(): void {
    this.props.handle.current = this;
  }

  /** @returns undefined where the dialog is closed without one. All who ask while it is open get the same answer. */
  async ask(isWrong: boolean): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#waiting.push(resolve);
    if (this.#dialog.current?.open === false) {
      if (this.#field.current !== null) this.#field.current.value = '';
      this.setState({ isWrong });
      this.#dialog.current.showModal();
    }
    return await promise;
  }

  override render() {
    return (
      <dialog ref={this.#dialog} aria-labelledby="token-why" onClose={() => this.#answer(undefined)}>
        <form onSubmit={this.#submit}>
          <p id="token-why">
            {this.state.isWrong
              ? 'The server does not accept this token.'
              : 'To retry packages, enter the upload token of this server.'}
          </p>
          <label for="token">Upload token</label>
          <input ref={this.#field} type="password" id="token" autocomplete="off" />
          <p class="buttons">
            <button type="submit" class="main">
              Continue
            </button>
            <button type="button" onClick={() => this.#dialog.current?.close()}>
              Cancel
            </button>
          </p>
        </form>
      </dialog>
    );
  }

  readonly #submit = (event: Event) => {
    event.preventDefault();
    this.#answer(this.#field.current?.value.trim() || undefined);
    this.#dialog.current?.close();
  };

  #answer(token: string | undefined): void {
    for (const resolve of this.#waiting.splice(0)) resolve(token);
  }
}
