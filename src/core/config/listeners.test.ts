import { describe, expect, test } from '@jest/globals';
import { configOf } from './testing/config-of.ts';

const refusal = (properties: Record<string, string>) => {
  try {
    configOf(properties);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('listeners', () => {
  test('client and controller listeners are told apart; names become capitals', () => {
    const config = configOf({
      listeners: 'plaintext://127.0.0.1:1,INTERNAL://[::1]:2,CONTROLLER://:9093',
      'listener.security.protocol.map':
        'plaintext:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    });
    expect(config.listeners).toEqual([
      { name: 'PLAINTEXT', host: '127.0.0.1', port: 1, securityProtocol: 'PLAINTEXT' },
      { name: 'INTERNAL', host: '::1', port: 2, securityProtocol: 'PLAINTEXT' },
    ]);
    expect(config.controllerListeners).toEqual([
      { name: 'CONTROLLER', host: '', port: 9093, securityProtocol: 'PLAINTEXT' },
    ]);
    expect(config.interBrokerListenerName).toBe('PLAINTEXT');
  });

  test('controller names need no protocol of their own while the map is the default one', () => {
    const listeners = 'PLAINTEXT://:9092,QUORUM://:9093';
    const config = configOf({ listeners, 'controller.listener.names': 'QUORUM' });
    expect(config.controllerListeners.map(({ name }) => name)).toEqual(['QUORUM']);
  });

  test('two listeners share a port only as IPv4 and IPv6', () => {
    const map = {
      'listener.security.protocol.map': 'A:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    };
    const listeners = (other: string) => ({
      ...map,
      listeners: `PLAINTEXT://127.0.0.1:9092,A://${other}:9092,CONTROLLER://:9093`,
    });
    expect(refusal(listeners('[::1]'))).toBeUndefined();
    expect(refusal(listeners('127.0.0.2'))).toBe(
      'listeners uses port 9092 twice: only an IPv4 and an IPv6 address may share one.',
    );
  });

  test('port 0 may be used by all', () => {
    expect(refusal({ listeners: 'PLAINTEXT://:0,CONTROLLER://:0' })).toBeUndefined();
  });

  test.each([
    [
      'PLAINTEXT:9092,CONTROLLER://:9093',
      "listeners wants {name}://{host}:{port}, not 'PLAINTEXT:9092'.",
    ],
    [
      'PLAINTEXT://:99999,CONTROLLER://:9093',
      "listeners wants {name}://{host}:{port}, not 'PLAINTEXT://:99999'.",
    ],
    ['PLAINTEXT://:1,PLAINTEXT://:2,CONTROLLER://:9093', 'listeners names PLAINTEXT twice.'],
    [
      'FOO://:9092,CONTROLLER://:9093',
      'listener.security.protocol.map has no protocol for listener FOO.',
    ],
    [
      'PLAINTEXT://:9092',
      'controller.listener.names names CONTROLLER, which is not one of listeners.',
    ],
    [
      'CONTROLLER://:9093',
      'Clients are told of no listener: those of controller.listener.names are not for clients.',
    ],
  ])('%s is refused', (listeners, message) => {
    expect(refusal({ listeners })).toBe(message);
  });

  test.each([
    [
      'PLAINTEXT',
      "listener.security.protocol.map wants {listener name}:{protocol} with one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'PLAINTEXT'.",
    ],
    ['PLAINTEXT:PLAINTEXT,plaintext:SSL', 'listener.security.protocol.map names PLAINTEXT twice.'],
    [
      'PLAINTEXT:PLAINTEXT',
      'listener.security.protocol.map has no protocol for listener CONTROLLER.',
    ],
  ])('protocol map %s is refused', (map, message) => {
    expect(refusal({ 'listener.security.protocol.map': map })).toBe(message);
  });
});

describe('advertised listeners', () => {
  test('are the listeners when not set; an empty host becomes the name of the machine', () => {
    const config = configOf({ listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093' });
    expect(config.advertisedListeners).toEqual([
      { name: 'PLAINTEXT', host: 'broker.example', port: 9092 },
    ]);
  });

  test('may name the controller, as the stock file does, which clients are not told', () => {
    const advertised = 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093';
    const config = configOf({ 'advertised.listeners': advertised });
    expect(config.advertisedListeners).toEqual([
      { name: 'PLAINTEXT', host: 'localhost', port: 9092 },
    ]);
  });

  test.each([
    [
      { listeners: 'PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093' },
      'Listener PLAINTEXT cannot be advertised as 0.0.0.0: set advertised.listeners to an address that clients can reach.',
    ],
    [
      { 'advertised.listeners': 'SSL://localhost:9092' },
      'Listener SSL is refused: it uses SSL, and only PLAINTEXT is built.',
    ],
    [
      {
        'advertised.listeners': 'PLAINTEXT://a:1,EXT://a:2',
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,EXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      },
      'advertised.listeners names EXT, which is not one of listeners.',
    ],
    [
      { 'inter.broker.listener.name': 'CONTROLLER' },
      'inter.broker.listener.name must be an advertised listener (PLAINTEXT), not CONTROLLER.',
    ],
    [
      { 'inter.broker.listener.name': 'PLAINTEXT', 'security.inter.broker.protocol': 'PLAINTEXT' },
      'inter.broker.listener.name and security.inter.broker.protocol exclude each other: set one of them.',
    ],
  ])('%j is refused', (properties, message) => {
    expect(refusal(properties)).toBe(message);
  });
});
