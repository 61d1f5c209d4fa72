import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { Metadata } from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { patientEnv } from './support/patience.ts';
import { encodeRequest, RawClient } from './support/raw-client.ts';
import { batchOf, fetch, freshTopic, produceOk, valuesOf } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

// What the JavaScript thread is not needed for goes on while it stands still: a garbage collection, a slow disk, a bug.

const stallFile = join(tmpdir(), `ms-stall-${process.pid}`);
const preload = join(dirname(fileURLToPath(import.meta.url)), 'support', 'stall.cjs');
/** Longer control requests would have to make progress, on a machine that may be busy: they share a little room. */
const PADDING_BYTES = 60_000;
const CONNECTIONS = 200;

let broker: BrokerProcess;

withBroker(
  (started) => {
    broker = started;
  },
  {
    env: {
      NODE_OPTIONS: `${patientEnv.NODE_OPTIONS} --require "${preload}"`,
      STALL_FILE: stallFile,
    },
  },
);
afterAll(() => rmSync(stallFile, { force: true }));

async function stall(): Promise<void> {
  writeFileSync(stallFile, '');
  process.kill(broker.pid, 'SIGUSR2');
  while (!broker.output.includes('stalled\n'))
    await new Promise((resolve) => setImmediate(resolve));
}

test('a stalled control plane holds up what it answers, and no Produce or Fetch', async () => {
  if (process.env.INTEGRATION_PORT !== undefined) return;
  const client = await RawClient.connect(broker.port);
  const topic = await freshTopic(client);
  const asking = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => RawClient.connect(broker.port)),
  );
  await stall();
  // More than the 8 MiB that may wait for the control plane. Bytes behind a body are tolerated.
  const request = encodeRequest(Metadata, 8, { topics: [{ name: topic }] }, 7, 'raw');
  const padded = Buffer.concat([request, Buffer.alloc(PADDING_BYTES)]);
  let answered = 0;
  const answers = asking.map(async (one) => {
    one.sendFrame(padded);
    const { topics } = await one.answer(Metadata, 8, 7);
    answered++;
    return topics.map(({ name }) => name);
  });
  for (let i = 0; i < 50; i++) {
    expect(await produceOk(client, topic, batchOf([`v${i}`]))).toBe(BigInt(i));
  }
  expect(valuesOf(await fetch(client, topic, 49n))).toEqual([[49, 'v49']]);
  // A new connection may produce as well.
  const late = await RawClient.connect(broker.port);
  expect(await produceOk(late, topic, batchOf(['late']))).toBe(50n);
  expect(answered).toBe(0);
  rmSync(stallFile);
  expect(await Promise.all(answers)).toEqual(asking.map(() => [topic]));
  for (const one of [client, late, ...asking]) one.close();
});

test('its thread stands back for the reactors', () => {
  if (process.env.INTEGRATION_PORT !== undefined || process.platform !== 'linux') return;
  const tasks = `/proc/${broker.pid}/task`;
  const niceOf = (tid: string) => {
    // Behind the name, which may hold blanks, nice is the seventeenth field.
    const fields = readFileSync(`${tasks}/${tid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[16]);
  };
  const isReactor = (tid: string) => /^ms-r\d/.test(readFileSync(`${tasks}/${tid}/comm`, 'utf8'));
  const reactors = readdirSync(tasks).filter(isReactor);
  expect(reactors).not.toEqual([]);
  for (const reactor of reactors) {
    expect(niceOf(String(broker.pid))).toBe(Math.min(19, niceOf(reactor) + 10));
  }
});
