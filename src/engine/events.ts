import type { EngineReceiver, PartitionHandle } from './engine.ts';
import type { Done } from './native-engine.ts';
import { PackedKind, type PackedReader } from './packed.ts';

const logDirectoryStates = ['in-order', 'short-of-space', 'off-line'] as const;

/** Reads one entry of `drain` and calls the receiver, or `settle` for the event of a command. */
export function dispatchEntry(
  entry: PackedReader,
  receiver: EngineReceiver,
  settle: (token: number, errorCode: number, done: Done) => void,
): void {
  const kind = entry.u8();
  if (kind === PackedKind.request) {
    dispatchRequest(entry, receiver);
    return;
  }
  entry.u8();
  const errorCode = entry.i16();
  const token = entry.u32();
  const handle: PartitionHandle = { index: entry.u32(), generation: entry.u32() };
  const connection = { slot: handle.index, gen: handle.generation };
  switch (kind) {
    case PackedKind.done:
      settle(token, errorCode, { handle, payload: entry });
      break;
    case PackedKind.connected: {
      const listenerId = entry.u8();
      entry.u8();
      const port = entry.u16();
      receiver.connected(connection, { listenerId, port, address: entry.str() });
      break;
    }
    case PackedKind.disconnected:
      receiver.disconnected(connection);
      break;
    case PackedKind.role: {
      const leaderEpoch = entry.i32();
      const isLeader = entry.u8() !== 0;
      receiver.role(handle, { leaderEpoch, isLeader, startOffset: entry.i64() });
      break;
    }
    case PackedKind.committed:
      receiver.committed(handle, entry.i64());
      break;
    case PackedKind.closed:
      receiver.closed(handle);
      break;
    case PackedKind.failed:
      receiver.failed(handle, entry.str());
      break;
    case PackedKind.logDirectory: {
      const state = logDirectoryStates[entry.u8()];
      receiver.logDirectory(state ?? 'off-line', entry.str());
      break;
    }
    case PackedKind.log: {
      const level = entry.u8();
      receiver.log(level, entry.str());
      break;
    }
    default:
      throw new Error(`unknown entry kind ${kind} from the native half`);
  }
}

function dispatchRequest(entry: PackedReader, receiver: EngineReceiver): void {
  const listenerId = entry.u8();
  const apiKey = entry.i16();
  const apiVersion = entry.i16();
  entry.u16();
  const correlationId = entry.i32();
  const connection = { slot: entry.u32(), gen: entry.u32() };
  entry.u32();
  const reqSeq = entry.u32();
  receiver.request({
    connection,
    listenerId,
    apiKey,
    apiVersion,
    correlationId,
    reqSeq,
    frame: entry.rest(),
  });
}
