/**
 * The rules of a service: which records it accepts into an index. Each row says by which rules it was made, so that rules that change
 * reach the packages that are there: reindex finds such rows, and extract judges them again.
 */

import { latin1 } from '../package/formats.ts';
import type { IndexedRow, RejectedRow, Row, SignatureCheck } from '../ports.ts';
import type { Trust } from '../trust/trust.ts';
import { findRejection, findWarnings, type Rejection } from './hazards.ts';
import { recordLimits } from './limits.ts';

export const rulesLimits = {
  /** The longest MACHINE_ARCH of pkgsrc has 12 characters. */
  architectureCharactersMax: 64,
  /** pkgsrc knows some 60 architectures. All of them fit into a variable of a Lambda function, and into a row. */
  architecturesMax: 16,
} as const;

/**
 * Raise it with every change of a hazard or a warning, and with a change of the reader that accepts more packages. Then the next reindex
 * has every record judged again, and every package read again that could not be read.
 */
export const rulesVersion = 1;

export interface Rules {
  /** Prefixes of MACHINE_ARCH: every record must begin with one of them, or have none. Empty: any will do. */
  readonly architectures: readonly string[];
  /** Whose signatures are good; without it, signatures are not verified. */
  readonly trust?: Trust;
}

/** As much of the rules as tells whether a row was made by them. */
export interface ComparedRules extends Pick<Rules, 'architectures'> {
  readonly trust?: Pick<Trust, 'fingerprint'>;
}

/** Accepts every architecture. */
export const defaultRules: Rules = { architectures: [] };

/** Whether it can be a prefix of MACHINE_ARCH. */
export function isArchitecturePrefix(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text) && text.length <= rulesLimits.architectureCharactersMax;
}

/** Equal for rules that accept the same records. */
export function fingerprintOf({ architectures, trust }: ComparedRules): string {
  const distinct = [...new Set(architectures)].sort();
  const shortest = distinct.filter((prefix) => !distinct.some((other) => other !== prefix && prefix.startsWith(other)));
  return [`${rulesVersion}`, ...shortest, ...(trust ? [trustMark(trust)] : [])].join(' ');
}

/** No architecture has a colon. */
function trustMark({ fingerprint }: Pick<Trust, 'fingerprint'>): string {
  return `trust:${fingerprint}`;
}

/** The part of a row that the rules decide. */
export type Judgement =
  | Pick<IndexedRow, 'state' | 'record' | 'warnings' | 'signature'>
  | Pick<RejectedRow, 'state' | 'record' | 'reason' | 'signature'>;

/**
 * @param file the file name of the package
 * @param signature where the rules have it verified
 */
export function judge(record: Uint8Array, file: string, rules: Rules, signature?: SignatureCheck): Judgement {
  const found = signature && { signature };
  const rejection =
    findRejection(record, file) ?? rejectArchitecture(record, rules) ?? rejectSignature(signature, rules);
  if (rejection === undefined) {
    const warnings = [...findWarnings(record, file), ...signatureWarnings(signature)];
    return { state: 'indexed', record, warnings, ...found };
  }
  const isStorable = record.length <= recordLimits.recordBytesMax;
  return { ...rejected(rejection), ...(isStorable ? { record } : {}), ...found };
}

function rejectSignature(signature: SignatureCheck | undefined, { trust }: Rules): Reason | undefined {
  return trust?.isRequired && signature?.state === 'problem' ? signature : undefined;
}

/** A problem with a signature is one where signatures are not required. */
function signatureWarnings(signature: SignatureCheck | undefined): readonly string[] {
  if (signature === undefined) return [];
  return signature.state === 'problem' ? [signature.code] : signature.findings;
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

/** For a package without a record: its reason is that of the reader. */
export function rejected({ code, message }: Reason): Judgement {
  return { state: 'rejected', reason: { code, message: message.slice(0, recordLimits.reasonCharactersMax) } };
}

/**
 * The row as these rules decide. Undefined where only the package itself can tell: for a row without a record, and where its signature was
 * not verified by these keys.
 */
export function judgeAgain(row: Row, rules: Rules): Row | undefined {
  if (row.record === undefined) return undefined;
  const { trust } = rules;
  if (trust !== undefined && !row.rules.split(' ').includes(trustMark(trust))) return undefined;
  const { repository, file, etag, size, lastModified, indexedAt, signature } = row;
  const facts = { repository, file, etag, size, lastModified, indexedAt };
  const judgement = judge(row.record, file, rules, trust && signature);
  return { ...facts, rules: fingerprintOf(rules), ...judgement };
}

/** As pkgin compares: every line by itself, by prefix; a record without the line passes. */
function rejectArchitecture(record: Uint8Array, { architectures }: Rules): Rejection | undefined {
  if (architectures.length === 0) return undefined;
  const lines = latin1(record).match(/^MACHINE_ARCH=.*$/gm) ?? [];
  const values = lines.map((line) => line.slice('MACHINE_ARCH='.length));
  const foreign = values.find((value) => !architectures.some((prefix) => value.startsWith(prefix)));
  if (foreign === undefined) return undefined;
  const expected = architectures.length === 1 ? architectures[0] : `one of ${architectures.join(', ')}`;
  const message = `expected a MACHINE_ARCH that begins with ${expected}, found ${JSON.stringify(foreign)}`;
  return { code: 'foreign-architecture', message };
}
