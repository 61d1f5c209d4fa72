import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { ApiVersions, Fetch, Metadata, Produce } from '../../src/kafka-protocol/index.ts';
import { encodeRequest } from '../support/raw-client.ts';
import { batchOf, fetchBody, withCrc } from '../support/records.ts';
import { acceptedRequests } from './accepted-requests.ts';

// node hostile-client.ts ATTACK PORT [KIND]: attacks until it is killed; prints how often it did so and how many
// connections are open, again and again. KIND: one of the accepted requests alone.
const [, , name = '', port = '', kind] = process.argv;
const LARGEST = 104_857_600;
const BOMB_BYTES = 256 << 20;
const PIECE = 64 << 10;
const run = { 'slow-loris': slowLoris, 'announced-frames': announcedFrames };
const more = { 'absurd-frames': absurdFrames, 'never-reading': neverReading };
const last = { 'compression-bombs': compressionBombs, 'oversized-requests': oversizedRequests };
const newest = { 'named-often': namedOften, 'accepted-requests': largeRequests };
const attack = { ...run, ...more, ...last, ...newest }[name];
if (attack === undefined) throw new Error(`no such attack: ${name}`);
let acts = 0;
let connections = 0;
attack();
setInterval(() => console.log(acts, connections), 100);

function slowLoris(): void {
  const frame = framed(encodeRequest(Metadata, 9, { topics: null }, 1, 'l'.repeat(20_000)));
  for (let i = 0; i < 400; i++) {
    const socket = open();
    let sent = 0;
    setInterval(
      () => {
        socket.write(frame.subarray(sent, sent + 1));
        acts += 1;
        sent = (sent + 1) % frame.length;
      },
      100 + (i % 50),
    );
  }
}

/** The begin of a Produce, which may be that long; what follows never comes. */
function announcedFrames(): void {
  const start = Buffer.concat([int32(LARGEST), compactHeader(0), random(65_536)]);
  for (let i = 0; i < 200; i++) {
    const again = () => {
      const socket = open();
      socket.write(start, () => {
        acts += 1;
      });
      socket.once('close', () => setTimeout(again, 20));
    };
    again();
  }
}

/** Each connection sends one absurdity, and is opened again once the broker has closed it. */
function absurdFrames(): void {
  const header = Buffer.from([0, 3, 0, 1, 0, 0, 0, 1, 0, 1, 0x61]);
  const absurdities = [
    int32(2 ** 31 - 1),
    int32(-1),
    int32(LARGEST + 1),
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    framed(Buffer.concat([header, int32(2 ** 31 - 1)])),
    framed(Buffer.concat([header, int32(-2_000_000_000)])),
    // Compact forms: Metadata 12, Produce 9 and Fetch 12 with counts of ten bytes of ones.
    ...[3, 0, 1].map((key) => framed(Buffer.concat([compactHeader(key), Buffer.alloc(10, 0xff)]))),
    framed(random(2000)),
  ];
  for (let i = 0; i < 40; i++) {
    const again = () => {
      const socket = open();
      socket.write(absurdities[Math.floor(Math.random() * absurdities.length)] ?? Buffer.alloc(0));
      acts += 1;
      setTimeout(() => socket.destroy(), 50);
      socket.once('close', () => setTimeout(again, 5));
    };
    again();
  }
}

/** More bytes than a control request may have; fewer, and more items than it may have, announced at once or one by one. */
function oversizedRequests(): void {
  const requests = [emptyNames(20_000_000), emptyNames(1_000_000), emptyResources(100_000)];
  for (let i = 0; i < 12; i++) {
    const request = requests[i % requests.length] ?? Buffer.alloc(0);
    const again = () => {
      const socket = open();
      send(socket, request);
      acts += 1;
      socket.once('close', () => setTimeout(again, 20));
    };
    again();
  }
}

/** Metadata of topics without a name: two bytes an item. */
function emptyNames(count: number): Buffer {
  const head = Buffer.from([0, 3, 0, 1, 0, 0, 0, 1, 0, 1, 0x61]);
  return framed(Buffer.concat([head, int32(count), Buffer.alloc(2 * count)]));
}

/** DescribeConfigs of resources without a name, each with one configuration key: four and a half bytes an item. */
function emptyResources(count: number): Buffer {
  const head = Buffer.from([0, 32, 0, 1, 0, 0, 0, 1, 0, 1, 0x61]);
  const resource = Buffer.from([2, 0, 0, 0, 0, 0, 1, 0, 0]);
  return framed(Buffer.concat([head, int32(count), Buffer.alloc(9 * count, resource), int32(0)]));
}

function neverReading(): void {
  const large = fetchBody('bait', new Map([[0, 0n]]), { maxBytes: 8 << 20 });
  const requests = [
    framed(encodeRequest(Fetch, 12, large, 1)),
    framed(encodeRequest(Metadata, 9, { topics: null }, 2)),
    framed(encodeRequest(ApiVersions, 2, {}, 3)),
  ];
  const flood = Buffer.concat(Array.from({ length: 300 }, (_, i) => requests[i % 3] ?? random(0)));
  for (let i = 0; i < 30; i++) {
    const again = () => {
      const socket = open();
      socket.pause();
      const more = () => {
        acts += 1;
        socket.write(flood, (error) => {
          if (!error) setTimeout(more, 20);
        });
      };
      more();
      socket.once('close', () => setTimeout(again, 20));
    };
    again();
  }
}

/** Batches of a few hundred KiB that say they hold one record, of many MiB. */
function compressionBombs(): void {
  const record = Buffer.concat([
    varint(BOMB_BYTES + 10),
    Buffer.of(0, 0, 0, 1),
    varint(BOMB_BYTES),
  ]);
  const plain = batchOf(['']);
  const inner = gzipSync(Buffer.concat([record, Buffer.alloc(BOMB_BYTES), Buffer.of(0)]));
  const header = Buffer.from(plain.subarray(0, 61));
  header.writeInt32BE(49 + inner.length, 8);
  header.writeInt16BE(1, 21);
  const records = withCrc(Buffer.concat([header, inner]));
  const topicData = [{ name: 'bait', partitionData: [{ index: 0, records }] }];
  const bomb = framed(encodeRequest(Produce, 9, { acks: 1, timeoutMs: 5000, topicData }, 1));
  for (let i = 0; i < 8; i++) {
    const socket = open();
    const again = () => {
      acts += 1;
      socket.write(bomb);
    };
    socket.on('data', again);
    again();
  }
}

/** One partition, and many that are not there, as often as a request may name partitions. */
function namedOften(): void {
  const count = 65_535;
  const bodies = [() => 0, (i: number) => i].flatMap((indexOf) => {
    const partitionData = Array.from({ length: count }, (_, i) => ({ index: indexOf(i) }));
    const partitions = Array.from({ length: count }, (_, i) => {
      return { partition: indexOf(i), fetchOffset: 0n, partitionMaxBytes: 1 };
    });
    const topicData = [{ name: 'bait', partitionData }];
    const topics = [{ topic: 'bait', partitions }];
    return [
      framed(encodeRequest(Produce, 9, { acks: 1, timeoutMs: 5000, topicData }, 1)),
      framed(encodeRequest(Fetch, 12, { ...fetchBody('', new Map()), topics }, 1)),
    ];
  });
  for (const body of bodies) sendAgainAndAgain(() => body);
}

/** Of each kind one after the other, on some connections from which the answers are taken and on some from which not. */
function largeRequests(): void {
  const kinds = [...acceptedRequests('bait')];
  const bodies = kinds.filter(([one]) => kind === undefined || one === kind);
  const frames = bodies.map(([, body]) => framed(body));
  for (let i = 0; i < 12; i++) {
    let next = i;
    sendAgainAndAgain(() => frames[next++ % frames.length] ?? random(0));
  }
  for (let i = 0; i < 4; i++) {
    const again = () => {
      const socket = open();
      socket.pause();
      let next = 3 * i;
      const more = () => {
        socket.write(frames[next++ % frames.length] ?? random(0), (error) => {
          if (!error) more();
        });
      };
      more();
      socket.once('close', () => setTimeout(again, 20));
    };
    again();
  }
}

/** Each when the one before is answered. */
function sendAgainAndAgain(next: () => Buffer): void {
  const socket = open();
  let [got, expected] = [0, 0];
  const again = () => {
    [got, expected] = [0, 0];
    send(socket, next());
  };
  socket.on('data', (data) => {
    if (got === 0) expected = 4 + data.readInt32BE(0);
    got += data.length;
    if (got < expected) return;
    acts += 1;
    again();
  });
  socket.once('close', () => setTimeout(() => sendAgainAndAgain(next), 20));
  again();
}

/** Zigzag, as record fields are. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value * 2;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function open(): Socket {
  const socket = connect({ port: Number(port), host: '127.0.0.1' });
  socket.on('error', () => undefined);
  socket.once('connect', () => {
    connections += 1;
    socket.once('close', () => {
      connections -= 1;
    });
  });
  return socket;
}

/** In pieces: a system call that the kernel does not interrupt keeps a processor of the broker's machine as it copies. */
function send(socket: Socket, bytes: Buffer, from = 0): void {
  const end = from + PIECE;
  socket.write(bytes.subarray(from, end), (error) => {
    if (!error && end < bytes.length) send(socket, bytes, end);
  });
}

function compactHeader(key: number): Buffer {
  const version = key === 0 ? 9 : 12;
  return Buffer.from([0, key, 0, version, 0, 0, 0, 1, 0, 1, 0x61, 0]);
}

function framed(frame: Uint8Array): Buffer {
  return Buffer.concat([int32(frame.length), frame]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function random(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => Math.floor(Math.random() * 256)));
}
