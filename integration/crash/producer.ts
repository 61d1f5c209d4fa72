import { buildBatch, ErrorCode, InitProducerId, Produce } from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { RawClient } from '../support/raw-client.ts';

const VERSION = 9;
const IN_FLIGHT_MAX = 5;
const RECORDS_PER_BATCH = 20;

interface SentBatch {
  readonly first: number;
  readonly bytes: Uint8Array;
}

/** A record that was acknowledged: the producer's number for it, and the offset it got. */
export interface Acknowledged {
  readonly number: number;
  readonly offset: bigint;
}

/**
 * An idempotent producer on one partition, five requests in flight, which numbers its records from 0. What was not
 * acknowledged when the connection broke is sent again, with the same sequences, on the next one.
 */
export class CrashProducer {
  readonly topic: string;
  readonly partition: number;
  readonly name: string;
  readonly acknowledged: Acknowledged[] = [];
  readonly #valueBytes: number;
  #producerId = -1n;
  #next = 0;
  #unacknowledged: SentBatch[] = [];
  #client: RawClient | undefined;

  constructor(name: string, topic: string, partition: number, valueBytes: number) {
    this.name = name;
    this.topic = topic;
    this.partition = partition;
    this.#valueBytes = valueBytes;
  }

  /** How many records it has sent at least once. */
  get sent(): number {
    return this.#next;
  }

  /** Records that were sent and not acknowledged. */
  get inFlight(): number {
    return this.#unacknowledged.length * RECORDS_PER_BATCH;
  }

  /** It does not see the answers to what is in flight. */
  stopReading(): void {
    this.#client?.stopReading();
  }

  /** Gives up its connection. */
  disconnect(): void {
    this.#client?.close();
  }

  /** Produces until the connection ends or `isOver` says so; then waits for what is in flight. */
  async run(port: number, isOver: () => boolean): Promise<void> {
    let client: RawClient;
    try {
      client = await RawClient.connect(port);
    } catch {
      return;
    }
    this.#client = client;
    try {
      await this.#initialise(client);
      const correlationIds: number[] = [];
      const again = [...this.#unacknowledged];
      while (again.length > 0 || correlationIds.length > 0 || !isOver()) {
        while (correlationIds.length < IN_FLIGHT_MAX && (again.length > 0 || !isOver())) {
          correlationIds.push(this.#send(client, again.shift() ?? this.#nextBatch()));
        }
        const correlationId = correlationIds.shift();
        if (correlationId === undefined) break;
        this.#acknowledge(await client.answer(Produce, VERSION, correlationId));
      }
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'connection closed') throw error;
    } finally {
      client.close();
    }
  }

  async #initialise(client: RawClient): Promise<void> {
    if (this.#producerId >= 0n) return;
    const request = { transactionalId: null, producerId: -1n, producerEpoch: -1 };
    const { errorCode, producerId } = await client.request(InitProducerId, 4, request);
    if (errorCode !== ErrorCode.NONE) throw new Error(`InitProducerId: ${errorCode}`);
    this.#producerId = producerId;
  }

  #nextBatch(): SentBatch {
    const first = this.#next;
    this.#next += RECORDS_PER_BATCH;
    const records = Array.from({ length: RECORDS_PER_BATCH }, (_, i) => {
      const text = `${this.name}:${first + i}:`;
      return { key: null, value: Buffer.from(text.padEnd(this.#valueBytes, '.')) };
    });
    const bytes = buildBatch(records, {
      timestamp: BigInt(Date.now()),
      producerId: this.#producerId,
      producerEpoch: 0,
      baseSequence: first,
    });
    const batch = { first, bytes };
    this.#unacknowledged.push(batch);
    return batch;
  }

  #send(client: RawClient, { bytes: records }: SentBatch): number {
    const partitionData = [{ index: this.partition, records }];
    const topicData = [{ name: this.topic, partitionData }];
    return client.send(Produce, VERSION, { acks: -1, timeoutMs: PATIENCE_MS, topicData });
  }

  #acknowledge(response: Awaited<ReturnType<typeof Produce.response.read>>): void {
    const answer = response.responses[0]?.partitionResponses[0];
    const batch = this.#unacknowledged.shift();
    if (answer === undefined || batch === undefined) throw new Error('an answer to nothing');
    if (answer.errorCode !== ErrorCode.NONE) {
      throw new Error(`${this.name}: batch ${batch.first} got error ${answer.errorCode}`);
    }
    for (let i = 0; i < RECORDS_PER_BATCH; i++) {
      this.acknowledged.push({ number: batch.first + i, offset: answer.baseOffset + BigInt(i) });
    }
  }
}
