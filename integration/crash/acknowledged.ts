import { ErrorCode } from '../../src/kafka-protocol/index.ts';
import type { RawClient } from '../support/raw-client.ts';
import { batchOf, fetch, produce, valuesOf } from '../support/records.ts';
import { readPartition } from './checker.ts';

/** One producer of numbered single-record batches on partition 0 of a topic, which knows what was acknowledged. */
export class NumberedTopic {
  readonly name: string;
  readonly #valueBytes: number;
  readonly acknowledged = new Map<bigint, string>();
  #next = 0;

  constructor(name: string, valueBytes: number) {
    this.name = name;
    this.#valueBytes = valueBytes;
  }

  /** Produces one batch; returns the error code. */
  async produceOne(client: RawClient): Promise<number> {
    const label = `${this.name}:${this.#next++}:`;
    const records = batchOf([label.padEnd(this.#valueBytes, '.')]);
    const { errorCode, baseOffset } = await produce(client, this.name, records);
    if (errorCode === ErrorCode.NONE) this.acknowledged.set(baseOffset, label);
    return errorCode;
  }

  /** Produces so many, which must all be taken. */
  async produceMany(client: RawClient, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const errorCode = await this.produceOne(client);
      if (errorCode !== ErrorCode.NONE) throw new Error(`${this.name}: produce: ${errorCode}`);
    }
  }

  /** What is wrong with the whole partition: acknowledged and lost, or there and never acknowledged. */
  async check(port: number): Promise<string[]> {
    const { values } = await readPartition(port, this.name, 0);
    const problems: string[] = [];
    for (const [offset, label] of this.acknowledged) {
      if (!values.get(offset)?.startsWith(label)) problems.push(`${label} is not at ${offset}`);
    }
    for (const [offset, value] of values) {
      const label = this.acknowledged.get(offset);
      if (label === undefined) problems.push(`${value.slice(0, 30)} at ${offset} was refused`);
    }
    return problems.slice(0, 10);
  }

  /** The error code of a fetch at an offset, or "wrong" when another record than the acknowledged one is there. */
  async fetchAt(client: RawClient, offset: bigint): Promise<number | 'wrong'> {
    const answer = await fetch(client, this.name, offset, { maxBytes: 1, partitionMaxBytes: 1 });
    if (answer.errorCode !== ErrorCode.NONE) return answer.errorCode;
    const found = valuesOf(answer).find(([at]) => BigInt(at) === offset)?.[1];
    const label = this.acknowledged.get(offset);
    return label !== undefined && found?.startsWith(label) ? ErrorCode.NONE : 'wrong';
  }
}
