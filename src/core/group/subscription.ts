/**
 * The topics that members of the "consumer" protocol type subscribe to, or undefined when one of them
 * sent something else. Only the prefix that every version shares is read, and leniently: clients differ
 * in what follows (C-106), and nothing but the expiry of offsets depends on it.
 */
export function subscribedTopics(metadata: readonly Uint8Array[]): ReadonlySet<string> | undefined {
  const topics = new Set<string>();
  for (const bytes of metadata) {
    if (!readTopics(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), topics)) {
      return undefined;
    }
  }
  return topics;
}

/** Version (int16), then an array of strings. */
function readTopics(bytes: Buffer, into: Set<string>): boolean {
  if (bytes.length < 6) return false;
  const count = bytes.readInt32BE(2);
  let at = 6;
  // A string takes at least the two bytes of its length.
  if (count < 0 || count > (bytes.length - at) / 2) return false;
  for (let read = 0; read < count; read += 1) {
    if (at + 2 > bytes.length) return false;
    const length = bytes.readInt16BE(at);
    at += 2;
    if (length < 0 || at + length > bytes.length) return false;
    into.add(bytes.toString('utf8', at, at + length));
    at += length;
  }
  return true;
}
