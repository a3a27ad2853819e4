/** The files of infra/service and infra/action, used with the programs that they are for. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../free-ports.ts';
import { ServingIndexer, until } from '../local/indexer-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const service = join(root, 'infra/service');
const packages = join(root, 'test/fixtures/tour');
const token = 'a-secret-token';

describe('the unit for systemd', () => {
  const unit = join(service, 'pkgsrc-indexer.service');

  it('is accepted by systemd-analyze verify', async () => {
    const { code, output } = await run('systemd-analyze', ['verify', unit]);
    assert.equal(code, 0, output);
    assert.equal(output.trim(), '');
  });

  it('has an exposure of at most 2.0 (systemd-analyze security)', async () => {
    const { code, output } = await run('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit]);
    assert.equal(code, 0, output.slice(-500));
  });
});

describe('the manifests for SMF and launchd', () => {
  for (const file of ['pkgsrc-indexer.xml', 'org.pkgsrc.indexer.plist'])
    it(`${file} is well-formed XML`, async () => {
      const { code, output } = await run('xmllint', ['--noout', '--nonet', join(service, file)]);
      assert.equal(code, 0, output);
    });
});

describe('the scripts for rc.d and CI', () => {
  for (const file of ['infra/service/pkgsrc-indexer.rc', 'infra/action/upload.sh'])
    it(`${file} has nothing that shellcheck finds`, async () => {
      const { code, output } = await run('shellcheck', [join(root, file)]);
      assert.equal(code, 0, output);
    });
});

for (const [file, start] of [
  ['nginx-proxy.conf', behindNginx],
  ['apache.conf', behindApache],
] as const)
  describe(file, () => {
    it('passes uploads with the token, ranges and names with a + on to serve', async (test) => {
      const { url } = await start(test, file);
      const body = await readFile(join(packages, 'caddy-0.10.14.tgz'));
      const headers = { Authorization: `Bearer ${token}` };
      const put = (name: string, more: object) => fetch(`${url}/All/${name}`, { method: 'PUT', body, ...more });
      assert.equal((await put('caddy-0.10.14.tgz', {})).status, 401);
      assert.equal((await put('caddy-0.10.14.tgz', { headers })).status, 201);
      assert.equal((await put('c%2B%2B-1.0.tgz', { headers })).status, 201);
      const part = await fetch(`${url}/All/c++-1.0.tgz`, { headers: { Range: 'bytes=10-19' } });
      assert.equal(part.status, 206);
      assert.deepEqual(Buffer.from(await part.arrayBuffer()), body.subarray(10, 20));
      assert.equal((await fetch(`${url}/.indexer/records.sqlite`)).status, 404);
    });
  });

describe('nginx-files.conf', () => {
  it('serves packages and indexes with a length, and nothing whose name begins with a dot', async (test) => {
    const { url, directory } = await behindNginx(test, 'nginx-files.conf');
    await copyFile(join(packages, 'caddy-0.10.14.tgz'), join(directory, 'All/gtk2+-2.24.tgz'));
    const head = await fetch(`${url}/All/gtk2+-2.24.tgz`, { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(
      Number(head.headers.get('content-length')),
      (await readFile(join(packages, 'caddy-0.10.14.tgz'))).length,
    );
    assert.equal(head.headers.get('cache-control'), 'no-cache');
    await until('the index', async () => (await fetch(`${url}/All/pkg_summary.gz`)).ok || undefined);
    assert.equal((await fetch(`${url}/.indexer/records.sqlite`)).status, 404);
  });
});

describe('the action for CI', () => {
  it('uploads, and waits until the index has the packages', async (test) => {
    const { indexer } = await serving(test);
    const { code, output } = await upload(indexer.url, join(packages, 'c*.tgz'));
    assert.equal(code, 0, output);
    assert.match(output, /the index has all 1 packages/);
  });

  it('fails with the reason for a package that is rejected', async (test) => {
    const { indexer, directory } = await serving(test);
    const broken = join(directory, '../broken-1.0.tgz');
    await writeFile(broken, 'no package');
    const { code, output } = await upload(indexer.url, broken);
    assert.equal(code, 1);
    assert.match(output, /::error file=.*broken-1\.0\.tgz was refused \(422\): /);
  });

  it('fails where nothing matches', async (test) => {
    const { indexer } = await serving(test);
    assert.match((await upload(indexer.url, '/nonexistent/*.tgz')).output, /expected packages at/);
  });
});

function upload(url: string, files: string): Promise<Finished> {
  const env = { ...process.env, URL: `${url}/All`, TOKEN: token, FILES: files, WAIT: '60', GITHUB_OUTPUT: '' };
  return run('bash', [join(root, 'infra/action/upload.sh')], env);
}

interface Serving {
  readonly indexer: ServingIndexer;
  readonly directory: string;
}

async function serving(test: TestContext): Promise<Serving> {
  const place = await mkdtemp(join(tmpdir(), 'service-'));
  const directory = join(place, 'packages');
  await mkdir(join(directory, 'All'), { recursive: true });
  const indexer = await ServingIndexer.start(directory, [
    '--upload-token',
    token,
    '--debounce',
    '0.2',
    '--settle',
    '0.2',
  ]);
  test.after(async () => {
    await indexer.interrupt();
    await rm(place, { recursive: true });
  });
  return { indexer, directory };
}

interface Proxied extends Serving {
  readonly url: string;
}

/** With another port and root, and in a configuration of its own, so that it disturbs no other nginx. */
function behindNginx(test: TestContext, file: string): Promise<Proxied> {
  return behind(test, async ({ own, port, indexer, directory }) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${own}/${name};`,
    );
    const site = (await readFile(join(service, file), 'utf8'))
      .replace('listen 80;', `listen 127.0.0.1:${port};`)
      .replace('http://127.0.0.1:8080', indexer.url)
      .replace('root /srv/packages;', `root ${directory};`);
    // The processes of nginx run as root here, since the directory belongs to whoever runs the test.
    const user = process.getuid?.() === 0 ? 'user root;' : '';
    const configuration = `${user} daemon off; master_process off; pid ${own}/pid; events {} http { access_log off; ${temporary.join(' ')} ${site} }`;
    await writeFile(join(own, 'nginx.conf'), configuration);
    return ['nginx', '-p', own, '-c', join(own, 'nginx.conf'), '-e', 'stderr'];
  });
}

/** The same of Apache, with the modules that the file names. */
function behindApache(test: TestContext, file: string): Promise<Proxied> {
  return behind(test, async ({ own, port, indexer }) => {
    const site = (await readFile(join(service, file), 'utf8'))
      .replace('<VirtualHost *:80>', `<VirtualHost 127.0.0.1:${port}>`)
      .replaceAll('http://127.0.0.1:8080/', `${indexer.url}/`);
    const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http'].map(
      (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
    );
    const user = process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : [];
    const places = [`ServerRoot ${own}`, `DefaultRuntimeDir ${own}`, `PidFile ${own}/pid`, `ErrorLog ${own}/error.log`];
    const server = [...places, ...user, 'ServerName localhost', `Listen 127.0.0.1:${port}`];
    await writeFile(join(own, 'apache.conf'), [...server, ...modules, site].join('\n'));
    return ['/usr/sbin/apache2', '-f', join(own, 'apache.conf'), '-D', 'FOREGROUND'];
  });
}

interface Place extends Serving {
  /** A directory for the web server. */
  readonly own: string;
  readonly port: number;
}

/** @param configure writes its configuration. @returns its command */
async function behind(test: TestContext, configure: (place: Place) => Promise<readonly string[]>): Promise<Proxied> {
  const { indexer, directory } = await serving(test);
  const own = join(directory, '../web-server');
  const [port = 0] = await freePorts(1);
  await mkdir(own);
  const [command = '', ...args] = await configure({ indexer, directory, own, port });
  const server = spawn(command, args, { stdio: 'inherit' });
  test.after(() => stopped(server));
  const url = `http://127.0.0.1:${port}`;
  await until(`${command} answers`, () =>
    fetch(url).then(
      () => true,
      () => undefined,
    ),
  );
  return { indexer, directory, url };
}

interface Finished {
  readonly code: number;
  readonly output: string;
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { env }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number')
        reject(
          new Error(`${command} could not run: install its Debian package (.ci/run lists them)`, { cause: error }),
        );
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
    });
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill();
  await once(child, 'exit');
}
