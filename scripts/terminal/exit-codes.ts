/** How a command ends. */
export const exitCodes = {
  done: 0,
  /** The command did its work, and a package is rejected. */
  rejected: 1,
  /** `check` found inconsistencies. */
  found: 1,
  /** An argument or option is wrong. */
  usage: 2,
  /** The command could not do its work, or not all of it. */
  couldNotRun: 3,
  /** A publication is held back until the operator confirms it. */
  heldBack: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export const exitCodesHelp = `
Exit codes:
  0  success
  1  success, but a package is rejected (check: inconsistencies were found)
  2  invalid usage
  3  failure: the command could not run, or not do all of its work
  4  index: a publication is held back until it is confirmed`;
