import { setTimeout as pause } from 'node:timers/promises';
import { ErrorCode, FindCoordinator, Heartbeat } from '../../src/kafka-protocol/index.ts';
import { RawClient } from '../support/raw-client.ts';

const EVERY_MS = 20;
const ATTEMPTS = 200;

/** A client that sends heartbeats: requests that TypeScript answers, beside those that keep it busy. */
export class Heartbeats {
  readonly #client: RawClient;
  #isOver = false;
  #mostMs = 0;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  /** Resolves when the coordinator of its group is there. */
  static async prepare(port: number): Promise<Heartbeats> {
    const client = await RawClient.connect(port);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const request = { keyType: 0, coordinatorKeys: ['g'] };
      const { coordinators } = await client.request(FindCoordinator, 4, request);
      if (coordinators[0]?.errorCode === ErrorCode.NONE) return new Heartbeats(client);
      await pause(EVERY_MS);
    }
    throw new Error('there is no coordinator');
  }

  /** Sends them until `end`; resolves with the most milliseconds that one took. */
  async run(): Promise<number> {
    this.#isOver = false;
    this.#mostMs = 0;
    while (!this.#isOver) {
      const startedMs = performance.now();
      await this.#client.request(Heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' });
      this.#mostMs = Math.max(this.#mostMs, performance.now() - startedMs);
      await pause(EVERY_MS);
    }
    return this.#mostMs;
  }

  end(): void {
    this.#isOver = true;
  }

  close(): void {
    this.#client.close();
  }
}
