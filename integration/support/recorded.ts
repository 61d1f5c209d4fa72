import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Api, Draft } from '../../src/kafka-protocol/index.ts';
import { BrokerProcess, type StartOptions } from './broker-process.ts';
import { type CreatedTopic, createAndWait, groupsReady, removeAll } from './clean-broker.ts';
import { Normaliser, type Recorded } from './normalise.ts';
import { RawClient } from './raw-client.ts';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'recordings');
const isRecording = process.env.RECORD === '1';

/** One request of a sequence and what came back; `closed` when the broker closed the connection instead. */
interface Exchange {
  readonly ask: string;
  readonly request: Recorded;
  readonly answer: Recorded;
}

type Recording = Readonly<Record<string, readonly Exchange[]>>;
type Run = (conversation: Conversation) => Promise<void>;

export interface AskOptions<Response = never> {
  /** The client id in the request's header; `raw` when it is not given. */
  readonly clientId?: string | null;
  /** Fields of the outermost level in which our answer differs from Kafka's on purpose. */
  readonly ours?: Readonly<Record<string, Recorded>>;
  /** What of the answer is recorded, when not all of it or not in its order. */
  readonly view?: (answer: Response) => unknown;
  /** What is kept of a request that is too long for it. */
  readonly instead?: string;
}

/**
 * Declares the tests of one file: each is a sequence of requests to a broker, whose answers must equal, field by
 * field, those that Apache Kafka 4.4.0 gave to the same sequence (`integration/recordings/<name>.json`).
 *
 *   recorded('heartbeat', {
 *     'a group that does not exist': async ({ ask }) => {
 *       await ask(Heartbeat, 4, { groupId: 'none', generationId: 1, memberId: 'm' });
 *     },
 *   });
 *
 * A sequence begins without groups and topics (the broker's own apart), so it may use any names. What a broker
 * chooses freely is replaced by names first, see `Normaliser`; of error messages only null, empty or text is kept.
 *
 * To record: start Kafka 4.4.0 alone on loopback, node.id=1, offsets.topic.replication.factor=1,
 * group.initial.rebalance.delay.ms=0 and the file's own settings, everything else by default, and run
 *   RECORD=1 INTEGRATION_PORT=<its port> node tools/run-suites.mjs integration -- <file>
 * It may be the same Kafka for all files; its topics and groups are removed. Without RECORD, INTEGRATION_PORT
 * compares Kafka with its own recording: what is not stable there shows.
 */
export function recorded(
  name: string,
  sequences: Readonly<Record<string, Run>>,
  options: StartOptions = {},
): void {
  const recording = isRecording ? {} : read(name);
  const made: Record<string, readonly Exchange[]> = {};
  let broker: BrokerProcess;
  let client: RawClient;

  beforeAll(async () => {
    broker = await BrokerProcess.start(options);
    client = await RawClient.connect(broker.port);
    await groupsReady(client);
  });

  afterAll(async () => {
    client?.close();
    await broker?.dispose();
    if (isRecording) write(name, { ...readIfThere(name), ...made }, Object.keys(sequences));
  });

  test.each(Object.entries(sequences))('%s', async (title, run) => {
    await removeAll(client);
    const conversation = new Conversation(client, broker.port);
    try {
      await run(conversation);
      made[title] = await conversation.exchanges();
    } finally {
      conversation.close();
    }
    if (isRecording) return;
    expect(shown(made[title])).toEqual(shown(conversation.expected(recording[title] ?? [])));
  });

  if (isRecording) return;
  test('every recorded sequence is still run', () => {
    expect(Object.keys(recording)).toEqual(Object.keys(sequences));
  });
}

/** What a sequence has: connections to the broker, and a memory of what was asked and answered. */
export class Conversation {
  readonly #normaliser = new Normaliser();
  readonly #clients = new Map<string, Promise<RawClient>>();
  readonly #pending: Promise<{ ask: string; request: unknown; answer: unknown }>[] = [];
  readonly #deliberate = new Map<number, Readonly<Record<string, Recorded>>>();
  readonly #client: RawClient;
  readonly #port: number;

  constructor(client: RawClient, port: number) {
    this.#client = client;
    this.#port = port;
  }

  /** Sends a request whose answer is recorded, and resolves with the answer as it came. */
  readonly ask = <Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
    options: AskOptions<Response> = {},
  ): Promise<Response> => this.askOn('main', api, version, request, options);

  /** `ask` on another connection, which is made on first use: for requests that wait while others go on. */
  readonly askOn = async <Request, Response>(
    connection: string,
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
    { clientId, ours, view = (answer) => answer, instead }: AskOptions<Response> = {},
  ): Promise<Response> => {
    if (ours !== undefined) this.#deliberate.set(this.#pending.length, ours);
    const answered = this.#send(connection, api, version, request, clientId);
    const ask = `${api.name} ${version}`;
    this.#pending.push(
      answered.then(
        (answer) => ({ ask, request: instead ?? request, answer: view(answer) }),
        (error: Error) => ({ ask, request: instead ?? request, answer: closedOr(error) }),
      ),
    );
    return answered;
  };

  /** Sends a request to which no answer comes; what is asked next on the connection shows what it did. */
  readonly tellOn = async <Request, Response>(
    connection: string,
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): Promise<void> => {
    const exchange = { ask: `${api.name} ${version}`, request, answer: 'none' };
    this.#pending.push(Promise.resolve(exchange));
    (await this.#connection(connection)).send(api, version, request);
  };

  /** Sends a request that is not recorded. */
  readonly quietly = <Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): Promise<Response> => this.#client.request(api, version, request);

  /** Sends a request that is not recorded, and whose answer is not awaited. */
  readonly leaveWaiting = <Request, Response>(
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
  ): void => {
    this.#send('waiting', api, version, request).catch(() => undefined);
  };

  readonly topic = (
    name: string,
    partitions = 1,
    configs: Readonly<Record<string, string>> = {},
  ): Promise<CreatedTopic> => createAndWait(this.#client, name, partitions, configs);

  /** Removes all groups and topics, as before the first request. */
  readonly startAgain = (): Promise<void> => removeAll(this.#client);

  /** Everything asked, in the order of asking, once all is answered. */
  async exchanges(): Promise<readonly Exchange[]> {
    return (await Promise.all(this.#pending)).map(({ ask, request, answer }) => ({
      ask,
      request: this.#normaliser.normalise(request),
      answer: this.#normaliser.normalise(answer),
    }));
  }

  /** What our answers must be: Kafka's, except where they differ on purpose. */
  expected(exchanges: readonly Exchange[]): readonly Exchange[] {
    return exchanges.map((exchange, index) => {
      const ours = this.#deliberate.get(index);
      if (ours === undefined) return exchange;
      return { ...exchange, answer: { ...(exchange.answer as object), ...ours } };
    });
  }

  close(): void {
    for (const client of this.#clients.values()) client.then((open) => open.close());
  }

  async #send<Request, Response>(
    connection: string,
    api: Api<Request, Response>,
    version: number,
    request: Draft<Request>,
    clientId?: string | null,
  ): Promise<Response> {
    return (await this.#connection(connection)).request(api, version, request, clientId);
  }

  #connection(name: string): Promise<RawClient> {
    const client = this.#clients.get(name) ?? RawClient.connect(this.#port);
    this.#clients.set(name, client);
    return client;
  }
}

/** A line for each exchange: what differs is then read with what was asked. */
function shown(exchanges: readonly Exchange[]): readonly string[] {
  return exchanges.map(({ ask, request, answer }) => {
    return `${ask} ${JSON.stringify(request)} -> ${JSON.stringify(answer)}`;
  });
}

function closedOr(error: Error): string {
  if (error.message === 'connection closed') return 'closed';
  throw error;
}

function pathOf(name: string): string {
  return join(folder, `${name}.json`);
}

function read(name: string): Recording {
  return JSON.parse(readFileSync(pathOf(name), 'utf8'));
}

function readIfThere(name: string): Recording {
  try {
    return read(name);
  } catch {
    return {};
  }
}

/** One line for a request and one for its answer, so that a difference between two recordings can be read. */
function write(name: string, recording: Recording, titles: readonly string[]): void {
  const sequences = titles.flatMap((title) => {
    const exchanges = recording[title];
    if (exchanges === undefined) return [];
    const lines = exchanges.map(({ ask, request, answer }) => {
      const [asked, got] = [JSON.stringify(request), JSON.stringify(answer)];
      return `    { "ask": ${JSON.stringify(ask)}, "request": ${asked},\n      "answer": ${got} }`;
    });
    return [`  ${JSON.stringify(title)}: [\n${lines.join(',\n')}\n  ]`];
  });
  writeFileSync(pathOf(name), `{\n${sequences.join(',\n')}\n}\n`);
}
