import { describe, expect, test } from '@jest/globals';
import {
  ApiVersions,
  apis,
  decode,
  encode,
  Reader,
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  Writer,
  writeRequestHeader,
  writeResponseHeader,
} from './index.ts';

function hexOf(write: (writer: Writer) => void): string {
  const writer = new Writer();
  write(writer);
  return Buffer.from(writer.finish()).toString('hex');
}

describe('headers', () => {
  // Bytes from Kafka's RequestHeaderData.
  test.each([
    ['0012000200000007ffff', { apiKey: 18, apiVersion: 2, correlationId: 7, clientId: null }],
    ['0012000300000007ffff00', { apiKey: 18, apiVersion: 3, correlationId: 7, clientId: null }],
    [
      '0003000c0000000700046b63617400',
      { apiKey: 3, apiVersion: 12, correlationId: 7, clientId: 'kcat' },
    ],
  ])('%s', (hex, header) => {
    const reader = new Reader(Buffer.from(hex, 'hex'));
    expect(readRequestHeader(reader, requestHeaderVersion)).toEqual(header);
    expect(reader.remaining).toBe(0);
    const version = requestHeaderVersion(header.apiKey, header.apiVersion);
    expect(hexOf((writer) => writeRequestHeader(writer, header, version))).toBe(hex);
  });

  test('C-004: a null client id is read in front of every flexible request', () => {
    for (const api of apis) {
      for (let version = api.minVersion; version <= api.maxVersion; version++) {
        const header = { apiKey: api.key, apiVersion: version, correlationId: 9, clientId: null };
        const hex = hexOf((writer) =>
          writeRequestHeader(writer, header, api.requestHeaderVersion(version)),
        );
        expect(
          readRequestHeader(new Reader(Buffer.from(hex, 'hex')), requestHeaderVersion),
        ).toEqual(header);
        // The client id keeps its two-byte length also where everything else is compact.
        expect(hex.slice(16)).toBe(version >= api.flexibleFrom ? 'ffff00' : 'ffff');
      }
    }
  });

  test('a client id of any negative length is null, one beyond the frame is malformed', () => {
    const header = (id: string) => new Reader(Buffer.from(`0003000000000001${id}`, 'hex'));
    expect(readRequestHeader(header('fffe'), requestHeaderVersion).clientId).toBeNull();
    expect(() => readRequestHeader(header('7530'), requestHeaderVersion)).toThrow(
      '30000 bytes wanted, 0 left',
    );
  });

  test('unknown tagged fields in a header are skipped', () => {
    const reader = new Reader(Buffer.from('0003000c00000001ffff010902aabb', 'hex'));
    expect(readRequestHeader(reader, requestHeaderVersion).correlationId).toBe(1);
    expect(reader.remaining).toBe(0);
  });

  test('response headers', () => {
    expect(hexOf((writer) => writeResponseHeader(writer, 7, 0))).toBe('00000007');
    expect(hexOf((writer) => writeResponseHeader(writer, 7, 1))).toBe('0000000700');
    expect(readResponseHeader(new Reader(Buffer.from('0000000700', 'hex')), 1)).toBe(7);
  });
});

describe('ApiVersions', () => {
  test('C-001: its responses have header version 0 in every version', () => {
    for (let version = ApiVersions.minVersion; version <= ApiVersions.maxVersion; version++) {
      expect(ApiVersions.responseHeaderVersion(version)).toBe(0);
      expect(ApiVersions.requestHeaderVersion(version)).toBe(version >= 3 ? 2 : 1);
    }
  });

  test('features are tagged fields', () => {
    const hex =
      '00000200120000000500000000000201080000000000000007021702116d657461646174612e76657273696f6e0021002100';
    const value = decode(ApiVersions.response, Buffer.from(hex, 'hex'), 3);
    expect(value.finalizedFeaturesEpoch).toBe(7n);
    expect(value.finalizedFeatures).toEqual([
      { name: 'metadata.version', maxVersionLevel: 33, minVersionLevel: 33 },
    ]);
    expect(Buffer.from(encode(ApiVersions.response, value, 3)).toString('hex')).toBe(hex);
  });
});
