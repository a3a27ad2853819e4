/**
 * A real S3 on this machine: one Ceph monitor, one object store daemon that keeps everything in memory, and the S3 gateway,
 * on free ports and below one temporary directory. Up in some seconds, gone with `stop` or with the process, however it ends.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { freePorts } from '../../free-ports.ts';

const run = promisify(execFile);

const startMillisecondsMax = 90_000;

const accessKeyId = 'test';
const secretAccessKey = 'testsecret';

export interface CephGateway {
  readonly endpoint: string;
  /** A new client of this gateway, with the settings that Ceph wants. Destroy it after use. */
  client(): S3Client;
  stop(): Promise<void>;
}

/** @throws where Ceph is not installed, with the command that installs it, and where it does not come up in time. */
export async function startCephGateway(): Promise<CephGateway> {
  requirePrograms();
  const directory = await mkdtemp(join(tmpdir(), 'ceph-gateway-'));
  const daemons: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(daemons.map(kill));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const [monitorPort, gatewayPort] = await freePorts(2);
    const endpoint = `http://127.0.0.1:${gatewayPort}`;
    await startDaemons(directory, `${monitorPort}`, `${gatewayPort}`, daemons);
    await waitUntilServing(endpoint, daemons, directory);
    await ceph('radosgw-admin', directory, [
      ...['user', 'create', '--uid=test', '--display-name=test'],
      ...[`--access-key=${accessKeyId}`, `--secret=${secretAccessKey}`],
    ]);
    return { endpoint, client: () => clientOf(endpoint), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'default',
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

async function startDaemons(directory: string, monitorPort: string, gatewayPort: string, daemons: ChildProcess[]) {
  const clusterId = randomUUID();
  const storeId = randomUUID();
  const start = (program: string, options: readonly string[]) => daemons.push(daemon(program, directory, options));
  await Promise.all(['mon', 'osd', 'rgw', 'log'].map((name) => mkdir(join(directory, name))));
  await writeFile(join(directory, 'ceph.conf'), configuration({ directory, clusterId, monitorPort, gatewayPort }));
  const monitorMap = join(directory, 'monmap');
  const address = `[v2:127.0.0.1:${monitorPort}]`;
  await run('monmaptool', ['--create', '--fsid', clusterId, '--addv', 'a', address, monitorMap]);
  await ceph('ceph-mon', directory, ['--mkfs', '-i', 'a', '--monmap', monitorMap]);
  start('ceph-mon', ['-i', 'a']);
  await ceph('ceph', directory, ['osd', 'new', storeId]);
  await ceph('ceph-osd', directory, ['-i', '0', '--mkfs', '--osd-uuid', storeId]);
  start('ceph-osd', ['-i', '0']);
  await ceph('ceph', directory, ['osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=here']);
  start('radosgw', ['-n', 'client.rgw.a']);
}

/** One copy of everything, no authentication between the daemons, nothing outside of the directory. */
function configuration(parts: {
  directory: string;
  clusterId: string;
  monitorPort: string;
  gatewayPort: string;
}): string {
  const { directory, clusterId, monitorPort, gatewayPort } = parts;
  return `
[global]
fsid = ${clusterId}
mon_initial_members = a
mon_host = [v2:127.0.0.1:${monitorPort}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv4 = true
ms_bind_ipv6 = false
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
ms_mon_client_mode = crc
keyring = /dev/null
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 2000
mon_data_avail_crit = 1
mon_data_avail_warn = 2
run_dir = ${directory}
admin_socket = ${directory}/$name.asok
pid_file = ${directory}/$name.pid
log_file = ${directory}/log/$name.log
crash_dir = ${directory}/crash
[mon]
mon_data = ${directory}/mon
[osd]
osd_data = ${directory}/osd
osd_objectstore = memstore
memstore_device_bytes = 2147483648
osd_class_load_list = *
osd_class_default_list = *
[client.rgw.a]
rgw_data = ${directory}/rgw
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort}
rgw_enable_ops_log = false
rgw_thread_pool_size = 32
`;
}

/** Has the kernel kill a daemon when this process ends, even by a signal that nobody can handle (util-linux). */
const endingWithUs = { program: 'setpriv', options: ['--pdeathsig', 'KILL'] };

const programs = ['monmaptool', 'ceph-mon', 'ceph', 'ceph-osd', 'radosgw', 'radosgw-admin', endingWithUs.program];

function requirePrograms(): void {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  throw new Error(
    `this test runs against Ceph's S3 gateway, and ${missing.join(', ')} cannot be found; install it with ` +
      'apt-get install -y --no-install-recommends ceph-mon ceph-osd radosgw ceph-common util-linux',
  );
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function daemon(program: string, directory: string, options: readonly string[]): ChildProcess {
  const command = [program, '-c', join(directory, 'ceph.conf'), '--foreground', ...options];
  return spawn(endingWithUs.program, [...endingWithUs.options, ...command], { stdio: 'ignore' });
}

async function ceph(program: string, directory: string, options: readonly string[]): Promise<void> {
  await run(program, ['-c', join(directory, 'ceph.conf'), ...options], { timeout: startMillisecondsMax });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const { promise: exited, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill('SIGKILL'); // everything is in memory: nothing to save
  await exited;
}

async function waitUntilServing(endpoint: string, daemons: readonly ChildProcess[], directory: string): Promise<void> {
  const deadline = Date.now() + startMillisecondsMax;
  while (!(await answers(endpoint))) {
    const isDown = daemons.some((child) => child.exitCode !== null || child.signalCode !== null);
    if (isDown || Date.now() > deadline) {
      throw new Error(
        `Ceph's S3 gateway ${isDown ? 'ended' : 'did not answer in time'}:\n${await lastWords(directory)}`,
      );
    }
    await sleep(100);
  }
}

async function answers(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint)).status === 200;
  } catch {
    return false;
  }
}

async function lastWords(directory: string): Promise<string> {
  const logs = ['mon.a', 'osd.0', 'client.rgw.a'].map(async (name) => {
    const text = await readFile(join(directory, 'log', `${name}.log`), 'utf8').catch(() => '(no log)');
    return `${name}:\n${text.split('\n').slice(-15).join('\n')}`;
  });
  return (await Promise.all(logs)).join('\n');
}
