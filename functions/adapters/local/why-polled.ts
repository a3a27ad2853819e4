/** Why a directory cannot be watched, in words, and which setting changes that. */

import { readFile, statfs } from 'node:fs/promises';

export interface WhyPolled {
  readonly kind: 'asked' | 'store' | 'file system' | 'no watch left' | 'too many files' | 'failure';
  /** `no inotify watch is left` */
  readonly reason: string;
  /** What to change. Undefined where nothing helps. */
  readonly setting?: string;
}

/** What the file system and the kernel say. Tests replace it. */
export interface WatchFacts {
  readonly platform: NodeJS.Platform;
  /** The type of the file system that the path is on, as statfs(2) gives it. */
  fileSystemType(path: string): Promise<number>;
  /** The text of a file below /proc. */
  readText(path: string): Promise<string>;
}

export const watchFacts: WatchFacts = {
  platform: process.platform,
  fileSystemType: async (path) => (await statfs(path)).type,
  readText: (path) => readFile(path, 'utf8'),
};

export const polledBecauseAsked: WhyPolled = { kind: 'asked', reason: '--poll asks for it' };

/** What the operator reads about the first directory that is polled for this reason. */
export function pollingSentence(path: string, { kind, reason, setting }: WhyPolled, seconds: number): string {
  const often = `every ${seconds === 1 ? 'second' : `${seconds} seconds`}`;
  if (kind === 'asked') return `${path} is not watched but compared ${often}, as --poll asks`;
  const howTo = setting === undefined ? '' : ` To change that, ${setting}.`;
  return `${path} cannot be watched: ${reason}. It and everything else that cannot be watched is compared ${often}.${howTo}`;
}

/**
 * File systems that other machines, or the host of a virtual machine, write to: Linux sends no event for that.
 * https://github.com/torvalds/linux/blob/master/include/uapi/linux/magic.h, and statfs(2).
 */
const remoteFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'nfs'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x01021997, '9p'],
  [0x65735546, 'fuse'],
  [0x786f4256, 'vboxsf'],
  [0x5346414f, 'afs'],
  [0x73757245, 'coda'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x01161970, 'gfs2'],
  [0x7461636f, 'ocfs2'],
]);

/** Undefined where the file system is local, and where nothing tells: then it is watched. Only Linux has these types. */
export async function whyFileSystemPolled(path: string, facts: WatchFacts): Promise<WhyPolled | undefined> {
  if (facts.platform !== 'linux') return undefined;
  // A machine of 32 bits gives the large ones as negative numbers.
  const type = await facts.fileSystemType(path).catch(() => 0);
  const name = remoteFileSystems.get(type >>> 0);
  if (name === undefined) return undefined;
  return { kind: 'file system', reason: `its file system (${name}) does not report every change` };
}

/** @param error that `watch` of node:fs threw, or emitted. */
export async function whyWatchFailed(error: unknown, facts: WatchFacts): Promise<WhyPolled> {
  const { code, message } = error as NodeJS.ErrnoException;
  const isLinux = facts.platform === 'linux';
  if (code === 'ENOSPC' && isLinux) {
    const setting = await raise(facts, 'watches', 524_288);
    return { kind: 'no watch left', reason: 'no inotify watch is left', setting };
  }
  if (code === 'EMFILE' && isLinux) {
    const setting = `${await raise(facts, 'instances', 1_024)}, or the limit of open files (ulimit -n)`;
    return { kind: 'too many files', reason: 'no inotify instance or file descriptor is left', setting };
  }
  if (code === 'EMFILE' || code === 'ENFILE') {
    const reason = 'each watch needs a file descriptor, and none is left';
    return { kind: 'too many files', reason, setting: 'raise the limit of open files (ulimit -n)' };
  }
  return { kind: 'failure', reason: message };
}

/** Whether a watch may succeed later, after the setting was changed or another program released a watch. */
export function mayBeWatchedLater({ kind }: WhyPolled): boolean {
  return kind === 'no watch left' || kind === 'too many files' || kind === 'failure';
}

/**
 * The limit of the user and that of the user's namespace are one setting outside of containers; inside, the lower one counts.
 * `raise fs.inotify.max_user_watches (now 8192), for example: sysctl fs.inotify.max_user_watches=524288`
 */
async function raise(facts: WatchFacts, what: 'watches' | 'instances', example: number): Promise<string> {
  const ofUser = `fs.inotify.max_user_${what}`;
  const ofNamespace = `user.max_inotify_${what}`;
  const [user, namespace] = await Promise.all([ofUser, ofNamespace].map((name) => readSetting(facts, name)));
  const isNamespace = namespace !== undefined && namespace < (user ?? Number.POSITIVE_INFINITY);
  const [name, now] = isNamespace ? [ofNamespace, namespace] : [ofUser, user];
  return `raise ${name}${now === undefined ? '' : ` (now ${now})`}, for example: sysctl ${name}=${example}`;
}

/** Undefined where there is no /proc, or not this setting. */
async function readSetting(facts: WatchFacts, name: string): Promise<number | undefined> {
  const text = await facts.readText(`/proc/sys/${name.replaceAll('.', '/')}`).catch(() => '');
  return /^\d+\s*$/.test(text) ? Number(text) : undefined;
}

/**
 * How many events the kernel keeps for a process that does not read them; it drops what comes beyond, and node:fs does not say so.
 * The default (inotify(7)) where there is no /proc.
 */
export async function queuedEventsMax(facts: WatchFacts): Promise<number> {
  return (await readSetting(facts, 'fs.inotify.max_queued_events')) ?? 16_384;
}
