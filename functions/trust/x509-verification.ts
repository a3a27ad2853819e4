/**
 * Whether the holder of a certificate of a trusted authority signed some bytes: PKCS #7, as `pkg_admin x509-sign-package` writes it.
 * Source: RFC 5652, section 5; pkg_install lib/pkcs7.c.
 */

import { createHash, verify, X509Certificate } from 'node:crypto';
import {
  Set as AsnSet,
  type BaseBlock,
  Constructed,
  fromBER,
  Integer,
  Null,
  ObjectIdentifier,
  OctetString,
  Sequence,
} from 'asn1js';
import { armoredBlocks, BadArmor } from './armor.ts';
import { trustLimits } from './limits.ts';
import { day, expectSoundHash, type SignedBy, type Signer, Unverified } from './signature-finding.ts';

const oids = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  messageDigest: '1.2.840.113549.1.9.4',
} as const;
/** rsaEncryption, and the same with SHA-256, SHA-384, SHA-512 and SHA-224. */
const signatureMethods = [1, 11, 12, 13, 14].map((number) => `1.2.840.113549.1.1.${number}`);
const hashes: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
]);
/** pkg_add wants exactly these: codeSigning and emailProtection. */
const purposes = ['1.3.6.1.5.5.7.3.3', '1.3.6.1.5.5.7.3.4'];

/**
 * @param pem +PKG_SIGNATURE
 * @throws {Unverified}
 */
export function verifyX509(
  data: Uint8Array,
  pem: Uint8Array,
  anchors: readonly X509Certificate[],
  by: Signer,
): SignedBy {
  const { signer, certificates, hash, attributes, signature } = read(pem);
  expectSoundHash(hash, by);
  if (attributes !== undefined && !createHash(hash).update(data).digest().equals(attributes.digest))
    throw new Unverified('bad-signature', 'expected the hash of +PKG_HASH among the signed attributes, found another');
  const signed = attributes?.bytes ?? data;
  if (!isSignedBy(signed, signature, signer, hash))
    throw new Unverified(
      'bad-signature',
      `expected the signature of +PKG_HASH by ${subjectOf(signer)}, found one of other bytes`,
    );
  checkChain(signer, certificates, anchors, by.now);
  const found = [...(signer.keyUsage ?? [])].sort();
  if (signer.ca || found.join() !== purposes.join())
    throw new Unverified(
      'untrusted-key',
      `expected a certificate for codeSigning and emailProtection and nothing else, as pkg_add does, found ${signer.ca ? 'one of an authority' : found.join(', ') || 'no purpose'}`,
    );
  return {
    keyId: signer.serialNumber,
    fingerprint: signer.fingerprint256.replaceAll(':', ''),
    name: subjectOf(signer),
    findings: [],
  };
}

interface Signed {
  readonly signer: X509Certificate;
  /** All that the message brings. */
  readonly certificates: readonly X509Certificate[];
  readonly hash: string;
  /** What is signed instead of the data, where there are such attributes. */
  readonly attributes: SignedAttributes | undefined;
  readonly signature: Buffer;
}

/** Exact about what is not signed, too: a message that was changed anywhere is refused. */
function read(pem: Uint8Array): Signed {
  try {
    const block = armoredBlocks(pem).find(({ label }) => label === 'PKCS7' || label === 'CMS');
    if (block === undefined) throw new BadArmor('expected a block PKCS7, found none');
    const message = fromBER(block.bytes).result;
    if (!block.bytes.equals(bytesOf(message))) throw new BadArmor('expected DER, found another encoding');
    return readSignedData(message);
  } catch (error) {
    const why =
      error instanceof BadArmor
        ? error.message
        : `expected PKCS #7, found something else (${(error as Error).message})`;
    throw new Unverified('bad-signature', why);
  }
}

function readSignedData(message: BaseBlock): Signed {
  const [type, content] = partsOf(message, Sequence, 2);
  if (objectId(type) !== oids.signedData) throw new BadArmor('expected SignedData, found another type');
  const [data] = partsOf(content, context0, 1);
  const [version, algorithms, inner, bag, signers] = partsOf(data, Sequence, 5);
  const [algorithm] = partsOf(algorithms, AsnSet, 1);
  const [innerType] = partsOf(inner, Sequence, 1);
  const [signerInfo] = partsOf(signers, AsnSet, 1);
  const fields = partsOf(signerInfo, Sequence);
  const [signerVersion, identity, digest] = fields;
  const attributes = fields.length === 6 ? fields[3] : undefined;
  const [method, signature] = fields.slice(-2);
  const hash = hashes.get(algorithmOf(digest));
  if (hash === undefined) throw new BadArmor('expected a hash of SHA-2, found another');
  const isAsWritten =
    isOne(version) &&
    isOne(signerVersion) &&
    objectId(innerType) === oids.data &&
    algorithmOf(algorithm) === algorithmOf(digest) &&
    (attributes !== undefined || fields.length === 5) &&
    signatureMethods.includes(algorithmOf(method));
  if (!isAsWritten || !(signature instanceof OctetString))
    throw new BadArmor('expected one signature by RSA over data that are not in the message, found something else');
  const certificates = partsOf(bag, context0).map((each) => ({
    each,
    certificate: new X509Certificate(bytesOf(each)),
  }));
  const signer = certificates.find(({ each }) => isSame(identity, identityOf(each)))?.certificate;
  if (signer === undefined) throw new BadArmor('expected the certificate of the signer in the message, found none');
  return {
    signer,
    certificates: certificates.map(({ certificate }) => certificate),
    hash,
    attributes: attributes && readAttributes(attributes),
    signature: Buffer.from(signature.valueBlock.valueHexView),
  };
}

/** @throws {BadArmor} unless the block is of this kind, and has so many parts. */
function partsOf(
  block: BaseBlock | undefined,
  kind: typeof Sequence | typeof AsnSet | typeof context0,
  count?: number,
): BaseBlock[] {
  const isKind =
    kind === context0 ? block !== undefined && context0(block) : block instanceof (kind as typeof Sequence);
  const parts = isKind ? (block as Constructed).valueBlock.value : [];
  if (parts.length === 0 || (count !== undefined && parts.length !== count))
    throw new BadArmor(`expected ${count ?? 'some'} parts in a structure of PKCS #7, found ${parts.length}`);
  return parts as BaseBlock[];
}

function objectId(block: BaseBlock | undefined): string {
  return block instanceof ObjectIdentifier ? block.valueBlock.toString() : '';
}

/** Its parameters are absent, or NULL. */
function algorithmOf(block: BaseBlock | undefined): string {
  const [id, parameters] = partsOf(block, Sequence);
  return parameters === undefined || parameters instanceof Null ? objectId(id) : '';
}

function isOne(block: BaseBlock | undefined): boolean {
  return block instanceof Integer && block.valueBlock.valueDec === 1;
}

/** Context-specific: class 3. */
function context0(block: BaseBlock): boolean {
  return block instanceof Constructed && block.idBlock.tagClass === 3 && block.idBlock.tagNumber === 0;
}

/** Issuer and serial number of a certificate, as a signer is named. */
function identityOf(certificate: BaseBlock): readonly [BaseBlock | undefined, BaseBlock | undefined] {
  const [toBeSigned] = partsOf(certificate, Sequence, 3);
  const fields = partsOf(toBeSigned, Sequence);
  const [serialNumber, , issuer] = fields[0] !== undefined && context0(fields[0]) ? fields.slice(1) : fields;
  return [issuer, serialNumber];
}

function isSame(identity: BaseBlock | undefined, [issuer, serialNumber]: ReturnType<typeof identityOf>): boolean {
  const [signersIssuer, signersSerial] = partsOf(identity, Sequence, 2);
  return bytesOf(signersIssuer).equals(bytesOf(issuer)) && bytesOf(signersSerial).equals(bytesOf(serialNumber));
}

function bytesOf(block: BaseBlock | undefined): Buffer {
  return Buffer.from(block?.toBER() ?? new ArrayBuffer(0));
}

interface SignedAttributes {
  /** The hash of the data. */
  readonly digest: Buffer;
  /** What is signed: a SET, whose tag they do not have inside the message. */
  readonly bytes: Buffer;
}

function readAttributes(attributes: BaseBlock): SignedAttributes {
  const values = partsOf(attributes, context0).map((attribute) => partsOf(attribute, Sequence, 2));
  const found = values.find(([type]) => objectId(type) === oids.messageDigest)?.[1];
  const [digest] = partsOf(found, AsnSet, 1);
  if (!(digest instanceof OctetString)) throw new BadArmor('expected a hash among the signed attributes, found none');
  const bytes = bytesOf(attributes);
  bytes[0] = 0x31;
  return { digest: Buffer.from(digest.valueBlock.valueHexView), bytes };
}

function isSignedBy(data: Uint8Array, signature: Buffer, certificate: X509Certificate, hash: string): boolean {
  try {
    return verify(hash, data, certificate.publicKey, signature);
  } catch {
    // A key that cannot be read, or of another kind than the signature.
    return false;
  }
}

function checkChain(
  signer: X509Certificate,
  others: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  now: Date,
): void {
  let certificate = signer;
  for (let length = 1; length <= trustLimits.chainMax; length += 1) {
    checkValidity(certificate, now);
    if (anchors.some(({ fingerprint256 }) => fingerprint256 === certificate.fingerprint256)) return;
    const anchor = anchors.find((candidate) => isIssuedBy(certificate, candidate));
    if (anchor !== undefined) {
      checkValidity(anchor, now);
      return;
    }
    const issuer = others.find(
      (candidate) => candidate !== certificate && candidate.ca && isIssuedBy(certificate, candidate),
    );
    if (issuer === undefined) break;
    certificate = issuer;
  }
  throw new Unverified(
    'untrusted-key',
    `expected a certificate of a trusted authority, found ${subjectOf(signer)}, issued by ${oneLine(signer.issuer)}`,
  );
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function checkValidity(certificate: X509Certificate, now: Date): void {
  const { validFromDate, validToDate } = certificate;
  if (now < validFromDate || now > validToDate)
    throw new Unverified(
      'expired-certificate',
      `expected a certificate that is valid today, found ${subjectOf(certificate)}, valid from ${day(validFromDate)} to ${day(validToDate)}`,
    );
}

function subjectOf({ subject }: X509Certificate): string {
  return oneLine(subject);
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ').slice(0, 200);
}
