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
import { unsupportedApiVersionsAnswer } from '../handlers/api-versions.ts';
import type { Services } from '../services.ts';
import { Admission, type Place, REQUEST_ITEMS_MAX } from './admission.ts';
import type { Handler, RequestContext } from './handler.ts';

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
/** To decode so many took a turn of its own. */
const TURN_ITEMS = 1000;
/** Arrays of so many items are written in turns. */
const LONG_ARRAY_ITEMS = 64;
const ANONYMOUS = 'User:ANONYMOUS';

const MALFORMED_LINES_PER_SECOND = 10;

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
    const isGone = () => peers.get(connection.slot)?.gen !== connection.gen;
    if (admission.enter(frame.frame.length, (place) => startIn(place, frame), isGone)) return;
    logger.warn(
      { apiKey, bytes: frame.frame.length },
      'too many large requests wait: one is refused',
    );
    engine.respond({ connection, reqSeq, closeAfter: true });
  }

  function startIn(place: Place, frame: RequestFrame): void {
    const served = serve(frame, place).catch((error: unknown) => {
      const { apiKey, apiVersion } = frame;
      if (error instanceof MalformedError) tellMalformed(frame, error);
      else logger.error({ err: error, apiKey, apiVersion }, 'a request failed');
      const { connection, reqSeq } = frame;
      engine.respond({ connection, reqSeq, closeAfter: true });
    });
    void served.finally(() => {
      if (place.most >= MUCH_GARBAGE_ITEMS) collectGarbage();
      place.holds(0);
    });
  }

  // Whoever floods the broker with them must not flood its log.
  function tellMalformed({ apiKey, apiVersion }: RequestFrame, error: MalformedError): void {
    const second = Math.floor(services.clock.nowMs() / 1000);
    if (second !== malformed.second) Object.assign(malformed, { second, lines: 0 });
    malformed.lines += 1;
    if (malformed.lines > MALFORMED_LINES_PER_SECOND) return;
    const isLast = malformed.lines === MALFORMED_LINES_PER_SECOND;
    const message = isLast ? 'malformed request; no more in this second' : 'malformed request';
    logger.info({ apiKey, apiVersion, reason: error.message }, message);
  }

  async function serve(frame: RequestFrame, place: Place): Promise<void> {
    const { apiKey, apiVersion } = frame;
    const handler = byKey.get(apiKey);
    if (handler === undefined) throw new MalformedError(`no API has the key ${apiKey}`);
    const { api } = handler;
    if (apiVersion < api.minVersion || apiVersion > api.maxVersion) {
      if (apiKey !== ApiVersions.key)
        throw new MalformedError(`version ${apiVersion} is not served`);
      // A version of ApiVersions that we do not know is answered in version 0, which every client
      // can read; it then asks again in one we do know (KIP-511).
      await answer(frame, handler, 0, unsupportedApiVersionsAnswer());
      return;
    }
    const reader = new Reader(frame.frame, REQUEST_ITEMS_MAX);
    const { clientId } = readRequestHeader(reader, requestHeaderVersion);
    const request = api.request.read(reader, apiVersion);
    // Who waits for other members of its group holds up no one else.
    place.holds(reader.items);
    if (handler.isParked) place.holds(0);
    if (reader.items >= TURN_ITEMS) await services.pace.nextTurn();
    await answer(frame, handler, apiVersion, await callHandler(handler, request, frame, clientId));
  }

  async function callHandler(
    handler: Handler,
    request: unknown,
    frame: RequestFrame,
    clientId: string | null,
  ): Promise<unknown> {
    try {
      return await handler.handle(request, contextOf(frame, clientId));
    } catch (error) {
      if (handler.failed === undefined) throw error;
      logger.error({ err: error, api: handler.api.name }, 'a request failed');
      return handler.failed(request, ErrorCode.UNKNOWN_SERVER_ERROR);
    }
  }

  function contextOf(frame: RequestFrame, clientId: string | null): RequestContext {
    const { clock } = services;
    const receivedMs = clock.nowMs();
    return {
      ...services,
      apiVersion: frame.apiVersion,
      clientId,
      clientHost: peers.get(frame.connection.slot)?.host ?? '/',
      connection: frame.connection,
      listenerId: frame.listenerId,
      principal: ANONYMOUS,
      receivedMs,
      deadlineMs: (timeoutMs) => receivedMs + Math.max(0, timeoutMs),
      // There is no authorizer: a configuration that names one is refused at start.
      isAllowed: () => true,
    };
  }

  async function answer(
    frame: RequestFrame,
    { api }: Handler,
    version: number,
    response: unknown,
  ): Promise<void> {
    const { connection, reqSeq, correlationId } = frame;
    const take = (part: Uint8Array) => engine.respondPart(connection, reqSeq, part);
    const writer = new Writer(undefined, { from: LONG_ARRAY_ITEMS, take });
    writeResponseHeader(writer, correlationId, api.responseHeaderVersion(version));
    api.response.write(writer, response as object, version);
    if (writer.hasRest) await runInTurns(writer.rest(), services.pace);
    engine.respond({ connection, reqSeq, payload: writer.finish() });
  }
}
