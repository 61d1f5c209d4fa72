import { DeleteTopics, Metadata } from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from '../support/patience.ts';
import { RawClient } from '../support/raw-client.ts';
import { createTopic } from '../support/topics.ts';

/** Creates and deletes topics as long as it may, and remembers what was acknowledged. */
export class TopicChurn {
  readonly #state = new Map<string, 'created' | 'deleted' | 'uncertain'>();
  #next = 0;

  async run(port: number, isOver: () => boolean): Promise<void> {
    let client: RawClient;
    try {
      client = await RawClient.connect(port);
    } catch {
      return;
    }
    try {
      while (!isOver()) {
        const name = `churn-${this.#next++}`;
        this.#state.set(name, 'uncertain');
        await createTopic(client, name, 2);
        this.#state.set(name, 'created');
        if (this.#next % 2 === 0) continue;
        this.#state.set(name, 'uncertain');
        await client.request(DeleteTopics, 4, { topicNames: [name], timeoutMs: PATIENCE_MS });
        this.#state.set(name, 'deleted');
      }
    } catch (error) {
      if (!(error instanceof Error) || error.message !== 'connection closed') throw error;
    } finally {
      client.close();
    }
  }

  /** Topics that were acknowledged as created and are gone, or as deleted and are there. */
  async check(port: number): Promise<string[]> {
    const client = await RawClient.connect(port);
    const { topics } = await client.request(Metadata, 8, { topics: null });
    client.close();
    const present = new Set(topics.map(({ name }) => name));
    const problems: string[] = [];
    for (const [name, state] of this.#state) {
      if (state === 'created' && !present.has(name)) problems.push(`topic ${name} is lost`);
      if (state === 'deleted' && present.has(name)) problems.push(`topic ${name} has come back`);
    }
    return problems;
  }
}
