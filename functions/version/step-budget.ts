/** Limits the steps of matching, because patterns and names come from untrusted packages. */

export class StepBudget {
  /** So far. */
  steps = 0;
  readonly #stepsMax: number;

  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax;
  }

  /** @throws {TooManySteps} */
  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > this.#stepsMax) throw new TooManySteps();
  }
}

/** A pattern takes more steps than allowed. */
export class TooManySteps extends Error {
  override readonly name = 'TooManySteps';
}

/** For callers that trust the pattern and the name. */
export const unlimited = new StepBudget(Number.POSITIVE_INFINITY);
