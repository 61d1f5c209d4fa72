import { connect, type Socket } from 'node:net';
import {
  type Api,
  type Draft,
  Reader,
  readResponseHeader,
  Writer,
  writeRequestHeader,
} from '../../src/kafka-protocol/index.ts';
import { PATIENCE_MS } from './patience.ts';

interface Waiting {
  readonly resolve: (frame: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

/** One connection that speaks frames, for tests of what is on the wire. Answers are taken in the order they come. */
export class RawClient {
  readonly #socket: Socket;
  readonly #waiting: Waiting[] = [];
  readonly #arrived: Uint8Array[] = [];
  readonly #closed: Promise<void>;
  #buffer: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #nextCorrelationId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data) => this.#receive(data));
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        for (const { reject } of this.#waiting.splice(0)) reject(new Error('connection closed'));
        resolve();
      });
    });
  }

  static connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host });
      socket.once('connect', () => resolve(new RawClient(socket)));
      socket.once('error', reject);
    });
  }

  /** Sends one request and resolves with its answer. */
  async request<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    body: Draft<Request>,
    clientId: string | null = 'raw',
  ): Promise<Response> {
    const correlationId = this.send(api, version, body, clientId);
    return this.answer(api, version, correlationId);
  }

  /** Sends one request without waiting; returns its correlation id. */
  send<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    body: Draft<Request>,
    clientId: string | null = 'raw',
  ): number {
    const correlationId = this.#nextCorrelationId++;
    this.sendFrame(encodeRequest(api, version, body, correlationId, clientId));
    return correlationId;
  }

  /** The next answer, which must be that of this correlation id. */
  async answer<Request, Response>(
    api: Api<Request, Response>,
    version: number,
    correlationId: number,
    timeoutMs = PATIENCE_MS,
  ): Promise<Response> {
    const reader = new Reader(await this.nextFrame(timeoutMs));
    const got = readResponseHeader(reader, api.responseHeaderVersion(version));
    if (got !== correlationId) throw new Error(`answer ${got} instead of ${correlationId}`);
    const response = api.response.read(reader, version);
    if (reader.remaining > 0) throw new Error(`${reader.remaining} bytes left in ${api.name}`);
    return response;
  }

  sendFrame(frame: Uint8Array): void {
    const length = Buffer.alloc(4);
    length.writeInt32BE(frame.length);
    this.#socket.write(Buffer.concat([length, frame]));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next frame that arrives, without its length; rejects when the connection closes first. */
  nextFrame(timeoutMs = PATIENCE_MS): Promise<Uint8Array> {
    const arrived = this.#arrived.shift();
    if (arrived !== undefined) return Promise.resolve(arrived);
    if (this.#isClosed) return Promise.reject(new Error('connection closed'));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      this.#waiting.push({
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** Resolves with true once the other side has closed, with false after the time. */
  isClosedWithin(timeoutMs = PATIENCE_MS): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#closed.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  /** What arrives from now on is never seen; `close` ends the connection. */
  stopReading(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Leaves once all that it has sent is under way. */
  leave(): void {
    this.#socket.end(() => this.#socket.destroy());
  }

  #receive(data: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? data : Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length >= 4) {
      const length = this.#buffer.readInt32BE(0);
      if (this.#buffer.length < 4 + length) return;
      const frame = this.#buffer.subarray(4, 4 + length);
      this.#buffer = this.#buffer.subarray(4 + length);
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#arrived.push(frame);
      else waiting.resolve(frame);
    }
  }
}

/** A request frame without its length prefix. */
export function encodeRequest<Request, Response>(
  api: Api<Request, Response>,
  version: number,
  body: Draft<Request>,
  correlationId: number,
  clientId: string | null = 'raw',
): Uint8Array {
  const writer = new Writer();
  const header = { apiKey: api.key, apiVersion: version, correlationId, clientId };
  writeRequestHeader(writer, header, api.requestHeaderVersion(version));
  api.request.write(writer, body, version);
  return writer.finish();
}
