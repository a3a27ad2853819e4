/** Loaded before a program: its clock is CLOCK_OFFSET_SECONDS off, and an hour more at every SIGUSR2. */

const RealDate = Date;
let offsetMilliseconds = 1000 * Number(process.env.CLOCK_OFFSET_SECONDS ?? 0);

class ShiftedDate extends RealDate {
  constructor(...args: ConstructorParameters<typeof Date> | []) {
    if (args.length === 0) super(ShiftedDate.now());
    else super(...args);
  }
  static override now(): number {
    return RealDate.now() + offsetMilliseconds;
  }
}
globalThis.Date = ShiftedDate as DateConstructor;
process.on('SIGUSR2', () => {
  offsetMilliseconds -= 3_600_000;
});
