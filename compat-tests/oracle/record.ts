import { writeFileSync } from 'node:fs';
import { decode } from '../../src/kafka-protocol/index.ts';
import { Coverage } from '../../src/kafka-protocol/testing/coverage.ts';
import { digestOf, goldenFile } from '../../src/kafka-protocol/testing/golden.ts';
import type { Random } from '../../src/kafka-protocol/testing/random.ts';
import type { Subject } from '../../src/kafka-protocol/testing/subjects.ts';
import { toJson, ValueMaker } from '../../src/kafka-protocol/testing/values.ts';
import type { Peer } from './peer.ts';

/** Writes one value of every message and version, as Kafka encodes it, for the unit tests to read. */
export async function recordGolden(
  java: Peer,
  messages: readonly Subject[],
  random: Random,
): Promise<number> {
  const lines = [
    "# Written by Kafka's classes (kafka-clients 4.4.0): message, version, bytes, digest of the value.",
  ];
  for (const { message, codec } of messages) {
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      const value = new ValueMaker(message, version, random, new Coverage()).make(
        version === message.versions.max ? 'full' : 'random',
      );
      const answer = await java.ask(`encode ${message.name} ${version} ${toJson(value)}`);
      if (!answer.startsWith('ok ')) throw new Error(`${message.name} ${version}: ${answer}`);
      const hex = answer.slice(3);
      const digest = digestOf(decode(codec, Buffer.from(hex, 'hex'), version));
      lines.push(`${message.name} ${version} ${hex} ${digest}`);
    }
  }
  writeFileSync(goldenFile, `${lines.join('\n')}\n`);
  return lines.length - 1;
}
