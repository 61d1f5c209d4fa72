import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ErrorCode, Produce } from '../src/kafka-protocol/index.ts';
import type { BrokerProcess } from './support/broker-process.ts';
import { until } from './support/patience.ts';
import { encodeRequest, type RawClient } from './support/raw-client.ts';
import { batchOf, freshTopic } from './support/records.ts';
import { withBroker } from './support/with-broker.ts';

let broker: BrokerProcess;
let client: RawClient;
withBroker((started, connected) => {
  broker = started;
  client = connected;
});

const FRAME_BYTES = 1_000_000;
/** Where there are huge pages, and the system says for which memory they were asked. */
const canSee =
  existsSync('/sys/kernel/mm/transparent_hugepage') &&
  readFileSync('/proc/self/smaps', 'utf8').includes('VmFlags:') &&
  process.env.INTEGRATION_PORT === undefined;

test('a large frame lies in memory that may be huge pages', async () => {
  if (!canSee) return;
  const topic = await freshTopic(client);
  const partitionData = [{ index: 0, records: batchOf(['x'.repeat(FRAME_BYTES)]) }];
  const body = { acks: 1, timeoutMs: 1000, topicData: [{ name: topic, partitionData }] };
  const request = encodeRequest(Produce, 9, body, 7);
  const frame = Buffer.concat([Buffer.alloc(4), request]);
  frame.writeInt32BE(request.length);
  const before = hugeMappings();
  client.sendBytes(frame.subarray(0, -1));
  await until('a mapping for the frame', () => hugeMappings() > before);
  client.sendBytes(frame.subarray(-1));
  const { responses } = await client.answer(Produce, 9, 7);
  expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(ErrorCode.NONE);
});

/** Mappings of the broker for which huge pages were asked for. */
function hugeMappings(): number {
  const lines = readFileSync(`/proc/${broker.pid}/smaps`, 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('VmFlags:') && / hg\b/.test(line)).length;
}
