import { boolean, int, long, type Setting, section, works } from './setting.ts';

/** Settings that Kafka does not have. */
export const ownSettings: readonly Setting[] = section('Settings of MemoryStreamer', works(), [
  int(
    'reactor.threads',
    null,
    'Reactor threads; each serves its share of the connections from socket to log. Unset: one a core, less one for TypeScript, eight at most.',
    { min: 1, max: 64 },
  ),
  int(
    'reactor.spin.us',
    100,
    'How long a reactor polls before it sleeps after a turn that moved little, in microseconds. An idle reactor does not poll.',
    { min: 0, max: 100 },
  ),
  int(
    'reactor.coalesce.us',
    50,
    'How long a reactor waits from one look at its clients to the next, in microseconds, when one of them had several requests at once and there is nothing left to do: it takes up more of them then. Below 10 it does not wait.',
    { min: 0, max: 1000 },
  ),
  int(
    'reactor.receive.bytes',
    2_097_152,
    'Receive buffer of a reactor. A frame that does not fit is received into a buffer of its own, and so is one of more than a quarter of it if the one before came in pieces.',
    { min: 65_536, max: 16_777_216 },
  ),
  int(
    'control.request.max.bytes',
    4_194_304,
    'Largest request other than Produce and Fetch; a larger one closes its connection, as socket.request.max.bytes does for all.',
    { min: 1024 },
  ),
  int(
    'control.response.max.bytes',
    33_554_432,
    'Largest answer to a request other than Produce and Fetch; a request whose answer would be larger closes its connection.',
    { min: 1_048_576 },
  ),
  int(
    'control.nice',
    10,
    'By how much the priority of the thread that answers everything but Produce and Fetch is below that of the reactors, as the command nice counts; Linux only. At 10 it gets a tenth of a processor where a reactor or a client wants all of it, and the whole of one that nobody wants. 0: they are equal.',
    { min: 0, max: 19 },
  ),
  boolean(
    'producer.check.compressed',
    true,
    'Whether the records inside compressed batches are checked, as Kafka does. If not, a batch with a right CRC is taken by its header: records without a key in a compacted topic, times out of bounds and damaged contents are stored too, and a search by time that meets damaged contents answers KAFKA_STORAGE_ERROR until retention removes them.',
  ),
  int(
    'reactor.pool.mib',
    null,
    'Memory for frames that are still incomplete and work that waits for a partition. Unset: a quarter of the memory limit.',
    { min: 16 },
  ),
  int(
    'log.dirty.mib',
    null,
    'Written data that may wait for the disk before clients that produce are no longer read; from four fifths of it on it is given to the disk, which is left to the kernel while it has begun by itself. Unset: an eighth of the memory limit, at least 256.',
    { min: 16 },
  ),
  long(
    'log.dir.min.free.bytes',
    null,
    'Free space below which appends stop with KAFKA_STORAGE_ERROR, the metadata log excepted. Unset: one percent of the disk.',
    { min: 0 },
  ),
]);
