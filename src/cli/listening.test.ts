import { describe, expect, test } from '@jest/globals';
import { Failure } from './failure.ts';
import { engineFailure, listenFailure, readyLine } from './listening.ts';

const failed = (code: string, message = 'os error') => Object.assign(new Error(message), { code });

test('the ready line names every listener with an address that this machine can connect to', () => {
  const listeners = [
    { name: 'PLAINTEXT', host: 'localhost', port: 9092 },
    { name: 'ALL', host: '', port: 31_400 },
    { name: 'SIX', host: '::1', port: 1 },
  ];
  expect(readyLine(listeners)).toBe(
    'ready PLAINTEXT=localhost:9092 ALL=localhost:31400 SIX=[::1]:1',
  );
});

describe('a listener that cannot be bound', () => {
  test.each([
    ['EADDRINUSE', 'the port is taken'],
    ['EACCES', 'permission denied'],
    ['EADDRNOTAVAIL', 'this machine does not have that address'],
    ['EWHATEVER', 'os error'],
  ])('%s: %s', (code, reason) => {
    const listener = { name: 'PLAINTEXT', host: '::1', port: 9092 };
    const failure = listenFailure(listener, failed(code));
    expect(failure.message).toBe(`listener PLAINTEXT cannot use [::1]:9092: ${reason}`);
    expect(failure.exitCode).toBe(2);
  });
});

describe('an engine that does not start', () => {
  test('because another process has the folder', () => {
    const failure = engineFailure('/data', failed('LOG_DIR_LOCKED')) as Failure;
    expect(failure.message).toBe('cannot use the data folder /data: another process has it open');
    expect(failure.exitCode).toBe(2);
  });

  test('because the disk says no', () => {
    const failure = engineFailure('/data', failed('LOG_DIR_IO', 'hard-state.log: EIO')) as Failure;
    expect(failure.message).toBe('cannot use the data folder /data: hard-state.log: EIO');
  });

  test('because the native module is not there', () => {
    const failure = engineFailure('/data', failed('ERR_DLOPEN_FAILED', 'no such file\nmore'));
    expect((failure as Failure).message).toBe('the native module cannot be loaded: no such file');
  });

  test('for a reason that is a bug stays what it is', () => {
    const bug = new TypeError('x');
    expect(engineFailure('/data', bug)).toBe(bug);
    expect(bug).not.toBeInstanceOf(Failure);
  });
});
