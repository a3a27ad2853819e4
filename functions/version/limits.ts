/** Limits for dependency patterns, which come from untrusted packages and are resolved in browsers too. */
export const patternLimits = {
  /** pkg_install expands braces in a buffer of MAXPATHLEN bytes, 1,024 on BSD. The longest of 26,711 real patterns has 69. */
  patternCharactersMax: 1_023,
  /** Braces multiply: `{a,b}` twenty times is a million patterns. The most alternatives in 26,711 real patterns are 6. */
  alternativesMax: 1_024,
  /** For one pattern over all names, about 20 ms. The most expensive of 26,711 real patterns takes XXX over 27,699 names. */
  stepsMax: 2_000_000,
} as const;
