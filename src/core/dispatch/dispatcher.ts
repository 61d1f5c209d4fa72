import type { ConnectionId, Engine, Peer, RequestFrame } from '../../engine/index.ts';
import {
  ApiVersions,
  ErrorCode,
  MalformedError,
  Reader,
  readRequestHeader,
  requestHeaderVersion,
  Writer,
  writeResponseHeader,
} from '../../kafka-protocol/index.ts';
import { type Logger, runInTurns } from '../base/index.ts';
import {
  type Handler,
  type RequestContext,
  unsupportedApiVersionsAnswer,
} from '../handlers/index.ts';
import type { Services } from '../services.ts';
import { Admission, type Place, REQUEST_ITEMS_MAX } from './admission.ts';
import { AnswerTooLongError, LongAnswers } from './long-answers.ts';

/** Takes request frames, calls their handlers and sends the answers. */
export interface Dispatcher {
  request(frame: RequestFrame): void;
  /** Until this is called requests wait. */
  open(): void;
  connected(connection: ConnectionId, peer: Peer): void;
  disconnected(connection: ConnectionId): void;
}

/** A request of so many items leaves more garbage than should wait for its turn. */
const MUCH_GARBAGE_ITEMS = 20_000;
/** And so does an answer of so many bytes. */
const MUCH_GARBAGE_BYTES = 1 << 20;
/** To decode so many took a turn of its own. */
const TURN_ITEMS = 1000;
/** Arrays of so many items are written in turns. */
const LONG_ARRAY_ITEMS = 64;
const ANONYMOUS = 'User:ANONYMOUS';

const MALFORMED_LINES_PER_SECOND = 10;

/** What is known of a request beside its bytes, which are not kept when they are decoded. */
type RequestHead = Omit<RequestFrame, 'frame'>;

interface Decoded {
  readonly handler: Handler;
  /** ApiVersions in a version that is not served: its request was not read. */
  readonly isUnsupported: boolean;
  readonly request: unknown;
  readonly clientId: string | null;
  readonly items: number;
}

export function createDispatcher(
  engine: Engine,
  handlers: readonly Handler[],
  services: Services,
  logger: Logger,
  collectGarbage: () => void = () => {},
): Dispatcher {
  const byKey = new Map(handlers.map((handler) => [handler.api.key, handler]));
  const peers = new Map<number, { readonly gen: number; readonly host: string }>();
  const admission = new Admission(() => services.pace.nextTurn());
  const bytesMax = services.config.controlResponseMaxBytes;
  const longAnswers = new LongAnswers(engine, services.clock, bytesMax);
  const malformed = { second: 0, lines: 0 };
  let early: RequestFrame[] | undefined = [];

  return {
    request(frame) {
      if (early === undefined) start(frame);
      else early.push(frame);
    },
    open() {
      const waiting = early ?? [];
      early = undefined;
      for (const frame of waiting) start(frame);
    },
    connected: ({ slot, gen }, peer) => void peers.set(slot, { gen, host: `/${peer.address}` }),
    disconnected: ({ slot }) => void peers.delete(slot),
  };

  function start(frame: RequestFrame): void {
    const { connection, apiKey, reqSeq } = frame;
    const admit = (place: Place) => startIn(place, frame);
    if (admission.enter(frame.frame.length, admit, () => isGone(connection))) return;
    logger.warn(
      { apiKey, bytes: frame.frame.length },
      'too many large requests wait: one is refused',
    );
    engine.respond({ connection, reqSeq, closeAfter: true });
  }

  function isGone({ slot, gen }: ConnectionId): boolean {
    return peers.get(slot)?.gen !== gen;
  }

  function startIn(place: Place, { frame, ...head }: RequestFrame): void {
    let decoded: Decoded;
    try {
      decoded = decode(head, frame);
    } catch (error) {
      place.holds(0);
      fail(head, error);
      return;
    }
    const served = serve(head, decoded, place).catch((error: unknown) => fail(head, error));
    void served.then((bytes) => {
      if (place.most >= MUCH_GARBAGE_ITEMS || bytes >= MUCH_GARBAGE_BYTES) collectGarbage();
      place.holds(0);
    });
  }

  function fail(head: RequestHead, error: unknown): number {
    const { apiKey, apiVersion, connection, reqSeq } = head;
    if (error instanceof MalformedError) tellMalformed(head, error);
    else if (error instanceof AnswerTooLongError) {
      const setting = 'control.response.max.bytes';
      logger.warn({ apiKey, setting, reason: error.message }, 'an answer is too long');
    } else logger.error({ err: error, apiKey, apiVersion }, 'a request failed');
    engine.respond({ connection, reqSeq, closeAfter: true });
    return 0;
  }

  // Whoever floods the broker with them must not flood its log.
  function tellMalformed({ apiKey, apiVersion }: RequestHead, error: MalformedError): void {
    const second = Math.floor(services.clock.monotonicMs() / 1000);
    if (second !== malformed.second) Object.assign(malformed, { second, lines: 0 });
    malformed.lines += 1;
    if (malformed.lines > MALFORMED_LINES_PER_SECOND) return;
    const isLast = malformed.lines === MALFORMED_LINES_PER_SECOND;
    const message = isLast ? 'malformed request; no more in this second' : 'malformed request';
    logger.info({ apiKey, apiVersion, reason: error.message }, message);
  }

  function decode({ apiKey, apiVersion }: RequestHead, frame: Uint8Array): Decoded {
    const handler = byKey.get(apiKey);
    if (handler === undefined) throw new MalformedError(`no API has the key ${apiKey}`);
    const { api } = handler;
    if (apiVersion < api.minVersion || apiVersion > api.maxVersion) {
      if (apiKey !== ApiVersions.key)
        throw new MalformedError(`version ${apiVersion} is not served`);
      // A version of ApiVersions that we do not know is answered in version 0, which every client
      // can read; it then asks again in one we do know (KIP-511).
      return { handler, isUnsupported: true, request: undefined, clientId: null, items: 0 };
    }
    const reader = new Reader(frame, REQUEST_ITEMS_MAX);
    const { clientId } = readRequestHeader(reader, requestHeaderVersion);
    const request = api.request.read(reader, apiVersion);
    return { handler, isUnsupported: false, request, clientId, items: reader.items };
  }

  /** Resolves with the length of an answer that was handed over in parts. */
  async function serve(head: RequestHead, decoded: Decoded, place: Place): Promise<number> {
    const { handler, isUnsupported, items } = decoded;
    if (isUnsupported) return answer(head, handler, 0, unsupportedApiVersionsAnswer());
    // Who waits for other members of its group holds up no one else.
    place.holds(items);
    if (handler.isParked) place.holds(0);
    if (items >= TURN_ITEMS) await services.pace.nextTurn();
    const response = await callHandler(head, decoded);
    return answer(head, handler, head.apiVersion, response, failedAnswer(decoded));
  }

  async function callHandler(head: RequestHead, decoded: Decoded): Promise<unknown> {
    const { handler, request, clientId } = decoded;
    try {
      return await handler.handle(request, contextOf(head, clientId));
    } catch (error) {
      const failed = failedAnswer(decoded);
      if (failed === undefined) throw error;
      logger.error({ err: error, api: handler.api.name }, 'a request failed');
      return failed();
    }
  }

  /** What makes the answer that says one error for the whole request, where there is one. */
  function failedAnswer({ handler, request }: Decoded): (() => unknown) | undefined {
    return handler.failed && (() => handler.failed?.(request, ErrorCode.UNKNOWN_SERVER_ERROR));
  }

  function contextOf(head: RequestHead, clientId: string | null): RequestContext {
    const receivedMs = services.clock.monotonicMs();
    return {
      ...services,
      apiVersion: head.apiVersion,
      clientId,
      clientHost: peers.get(head.connection.slot)?.host ?? '/',
      connection: head.connection,
      listenerId: head.listenerId,
      principal: ANONYMOUS,
      deadlineMs: (timeoutMs) => receivedMs + Math.max(0, timeoutMs),
      // There is no authorizer: a configuration that names one is refused at start.
      isAllowed: () => true,
    };
  }

  /** `failed`: the answer to give instead when this one cannot be made and none of it has left. */
  async function answer(
    head: RequestHead,
    handler: Handler,
    version: number,
    response: unknown,
    failed?: () => unknown,
  ): Promise<number> {
    const { connection, reqSeq, correlationId } = head;
    const { api } = handler;
    let bytes = 0;
    // It holds the request, which may be large.
    let instead = failed;
    const take = (part: Uint8Array) => {
      instead = undefined;
      bytes += part.length;
      engine.respondPart(connection, reqSeq, part);
    };
    const writer = new Writer(undefined, { from: LONG_ARRAY_ITEMS, take });
    try {
      writeResponseHeader(writer, correlationId, api.responseHeaderVersion(version));
      api.response.write(writer, response as object, version);
      if (writer.hasRest) {
        const steps = longAnswers.paced(
          writer.rest(),
          () => bytes,
          () => isGone(connection),
        );
        await runInTurns(steps, services.pace);
      }
    } catch (error) {
      if (instead === undefined) throw error;
      logger.error({ err: error, api: api.name }, 'an answer could not be made');
      return answer(head, handler, version, instead());
    }
    // Who is gone gets nothing, not even half of it.
    if (!isGone(connection)) engine.respond({ connection, reqSeq, payload: writer.finish() });
    return bytes;
  }
}
