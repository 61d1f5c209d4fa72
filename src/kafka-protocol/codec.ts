import type { Items } from './late-items.ts';
import { MalformedError, type Reader } from './reader.ts';
import { UnencodableError, type Writer } from './writer.ts';

export { ZERO_UUID } from './uuid.ts';

/**
 * What `write` accepts for a message of type T: any field may be left out and then has the default of its
 * definition (zero, empty, false, or what the definition names).
 */
export type Draft<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Draft<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]?: Draft<T[Key]> | undefined }
      : T;

/** The same, and items of arrays may be made while they are written. */
export type LateDraft<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? Items<LateDraft<Item>>
    : T extends object
      ? { readonly [Key in keyof T]?: LateDraft<T[Key]> | undefined }
      : T;

/** Reads and writes one message. Bytes after the message are left unread. */
export interface Codec<T> {
  /** @throws MalformedError for bytes that are not such a message, and for a version that does not exist. */
  read(reader: Reader, version: number): T;
  /** @throws UnencodableError for a value that this version cannot carry. */
  write(writer: Writer, value: Draft<T>, version: number): void;
}

/** One Kafka API: its key, the versions that can be read and written, and its codecs. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  /** The first version with compact encodings and tagged fields; Infinity where there is none. */
  readonly flexibleFrom: number;
  readonly request: Codec<Request>;
  readonly response: Codec<Response>;
  requestHeaderVersion(version: number): number;
  responseHeaderVersion(version: number): number;
}

/** A versioned value outside of requests: the key or value of a record, or one embedded in a bytes field. */
export interface RecordFormat<T> extends Codec<T> {
  readonly name: string;
  /** The number that tells records of one log apart; -1 where the format has none. */
  readonly type: number;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly flexibleFrom: number;
}

export const EMPTY_BYTES: Uint8Array = new Uint8Array(0);

/** Refuses a value other than the default in a version that has no place for it. */
export function requireDefault(isDefault: boolean, field: string, version: number): void {
  if (!isDefault) throw new UnencodableError(`${field} does not exist in version ${version}`);
}

/** Refuses null in a version in which the field cannot be null. */
export function notNull<T>(value: T | null, field: string, version: number): T {
  if (value === null) throw new UnencodableError(`${field} cannot be null in version ${version}`);
  return value;
}

/** Refuses to write a version for which there is no format. */
export function requireWritable(isKnown: boolean, message: string, version: number): void {
  if (!isKnown) throw new UnencodableError(`${message} has no version ${version}`);
}

/** Refuses to read a version for which there is no format: records name theirs themselves. */
export function requireReadable(isKnown: boolean, message: string, version: number): void {
  if (!isKnown) throw new MalformedError(`${message} has no version ${version}`);
}
