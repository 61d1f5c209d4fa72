import { RawClient } from '../../integration/support/raw-client.ts';
import { type Api, type Draft, UnencodableError } from '../../src/kafka-protocol/index.ts';
import type { Target } from '../runner/broker.ts';
import type { Step } from './step.ts';
import { type Given, resolved, type Template } from './template.ts';

/** What came instead of an answer. */
export interface Unanswered {
  readonly unanswered: string;
}

/** Longer than any rebalance of a walk takes; what is not answered by then is waiting for something else. */
const ANSWER_LIMIT_MS = 2000;
/** So that requests on several connections are taken in the order in which they are sent. */
const GAP_MS = 25;

/** One of the two brokers: the connections to it, and what it has given out. */
export class Side {
  readonly target: Target;
  readonly given: Given = {
    topicIds: new Map(),
    memberIds: new Map(),
    producerIds: [],
    leaderEpoch: 0,
  };
  readonly #port: number;
  readonly #clients = new Map<number, Promise<RawClient>>();

  constructor(target: Target, bootstrap: string) {
    this.target = target;
    this.#port = Number(bootstrap.slice(bootstrap.lastIndexOf(':') + 1));
  }

  /** The connection for what is no part of the walk. */
  get client(): Promise<RawClient> {
    return this.#client(-1);
  }

  /** Asks outside of the walk. */
  async request<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): Promise<Response> {
    return (await this.client).request(api, version, request);
  }

  /** Sends all of a step; resolves with as many answers, in the step's order. */
  async take(step: Step): Promise<readonly unknown[]> {
    const answers: Promise<unknown>[] = [];
    for (const [connection, { api, version, request }] of step.entries()) {
      if (connection > 0) await new Promise((resolve) => setTimeout(resolve, GAP_MS));
      answers.push(this.#ask(connection, api, version, request));
    }
    return Promise.all(answers);
  }

  close(): void {
    for (const client of this.#clients.values()) client.then((open) => open.close());
  }

  async #ask(
    connection: number,
    api: Api<unknown, unknown>,
    version: number,
    request: Template,
  ): Promise<unknown> {
    const client = await this.#client(connection);
    try {
      const id = client.send(api, version, resolved(request, this.given));
      return await client.answer(api, version, id, ANSWER_LIMIT_MS);
    } catch (error) {
      // Then the generator is wrong, not a broker.
      if (!(error instanceof Error) || error instanceof UnencodableError) throw error;
      client.close();
      this.#clients.delete(connection);
      return { unanswered: error.message } satisfies Unanswered;
    }
  }

  #client(connection: number): Promise<RawClient> {
    const client = this.#clients.get(connection) ?? RawClient.connect(this.#port);
    this.#clients.set(connection, client);
    return client;
  }
}
