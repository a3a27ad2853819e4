import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startCephGateway } from './ceph-gateway.ts';

it('a machine without Ceph is told what to install', async () => {
  const path = process.env.PATH;
  process.env.PATH = '/nowhere';
  try {
    const message = /ceph-mon, .*radosgw, .*cannot be found; install it with apt-get install -y .*radosgw/;
    await assert.rejects(startCephGateway(), message);
  } finally {
    process.env.PATH = path;
  }
});
