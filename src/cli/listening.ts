import { Failure } from './failure.ts';

/** A listener with the port that was bound, or that could not be. */
export interface NamedAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** `ready PLAINTEXT=localhost:9092 …`: every client listener with the port that was bound. */
export function readyLine(listeners: readonly NamedAddress[]): string {
  return ['ready', ...listeners.map((listener) => `${listener.name}=${addressOf(listener)}`)].join(
    ' ',
  );
}

/** `host:port` as a client on this machine can write it. */
export function addressOf({ host, port }: { readonly host: string; readonly port: number }) {
  if (host === '' || host === '0.0.0.0' || host === '::') return `localhost:${port}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The line for an engine that did not start. Anything but its data folder is a bug and stays as it is. */
export function engineFailure(logDir: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'LOG_DIR_LOCKED') {
    return new Failure(`cannot use the data folder ${logDir}: another process has it open`);
  }
  if (code === 'LOG_DIR_IO') return new Failure(`cannot use the data folder ${logDir}: ${message}`);
  if (code === 'ERR_DLOPEN_FAILED' || code === 'MODULE_NOT_FOUND') {
    return new Failure(`the native module cannot be loaded: ${message.split('\n')[0]}`);
  }
  return error;
}

/** The line for a listener that could not be bound. */
export function listenFailure(listener: NamedAddress, error: unknown): Failure {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host;
  const reason = listenProblems.get(code) ?? message;
  return new Failure(`listener ${listener.name} cannot use ${host}:${listener.port}: ${reason}`);
}

const listenProblems = new Map([
  ['EADDRINUSE', 'the port is taken'],
  ['EACCES', 'permission denied'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'the host name is not known'],
]);
