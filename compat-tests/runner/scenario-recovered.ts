import type { Json, JsonObject } from './adapter.ts';
import type { Context } from './context.ts';
import { type Acknowledged, contentOf } from './ledger.ts';

/**
 * After `kill -9`: every record that was acknowledged before, once, at the offset that was told, and every committed
 * offset. Throws when something is not there: no recording makes that right.
 */
export async function recovered(context: Context): Promise<Json> {
  const { topics, created } = context.ledger;
  const groups = new Map(context.ledger.groups); // Before this step's own groups.
  if (topics.size === 0) throw new Error('nothing was acknowledged: run the steps before as well');
  const problems: string[] = [];
  for (const [topic, partitions] of created) {
    const { count } = await context.awaitTopic(topic);
    if (count !== partitions) problems.push(`${topic}: ${count} partitions, not ${partitions}`);
  }
  const isSpread = ([, records]: [string, readonly Acknowledged[]]) =>
    records.some((record) => !record.isPlaced);
  const single = [...topics].filter((entry) => !isSpread(entry));
  const read = await readSingle(context, single);
  for (const [topic, expected] of single) {
    problems.push(...compare(topic, expected, read.get(topic) ?? []));
    problems.push(...(await compareEnd(context, topic, expected.length)));
  }
  for (const [topic, expected] of [...topics].filter(isSpread)) {
    // A group of its own reads them: its coordinator came back too.
    const group = context.own(`recovered-${topic}`);
    const found = await context.consumeInGroup(group, topic, expected.length);
    problems.push(...compareSpread(topic, expected, found as JsonObject[]));
  }
  const offsets = context.has('committed') ? await compareOffsets(context, groups, problems) : null;
  if (problems.length > 0) throw new Error(problems.slice(0, 20).join('\n'));
  const counts = [...topics].map(([topic, records]): [string, number] => [topic, records.length]);
  return { topics: created.size, records: Object.fromEntries(counts), offsets };
}

/** All topics of one partition, in one subscription; the records of each in the order of offsets. */
async function readSingle(
  context: Context,
  topics: readonly [string, readonly Acknowledged[]][],
): Promise<Map<string, JsonObject[]>> {
  const count = topics.reduce((sum, [, records]) => sum + records.length, 0);
  const names = topics.map(([topic]) => topic);
  const read = new Map(names.map((topic): [string, JsonObject[]] => [topic, []]));
  for (const record of (await context.consume(names, 'start', count)) as JsonObject[])
    read.get(String(record.topic))?.push(record);
  return read;
}

/** One partition holds what was produced, in that order, from offset 0, without a gap. */
function compare(
  topic: string,
  expected: readonly Acknowledged[],
  found: readonly JsonObject[],
): string[] {
  const problems: string[] = [];
  if (found.length !== expected.length)
    problems.push(`${topic}: ${expected.length} acknowledged, ${found.length} there`);
  expected.forEach(({ text, place }, i) => {
    const record = found[i];
    if (record === undefined) return;
    if (Number(record.offset) !== i) problems.push(`${topic}: ${record.offset} where ${i} belongs`);
    if (place !== undefined && place[1] !== i)
      problems.push(`${topic}: ${text.slice(0, 60)} was acknowledged at ${place[1]}, not ${i}`);
    if (contentOf(record) !== text)
      problems.push(
        `${topic} at ${i}: ${contentOf(record).slice(0, 60)}, not ${text.slice(0, 60)}`,
      );
  });
  return problems;
}

/** What the client's partitioner spread: all of it once, and each where it was acknowledged. */
function compareSpread(
  topic: string,
  expected: readonly Acknowledged[],
  found: readonly JsonObject[],
): string[] {
  const problems: string[] = [];
  const places = new Map<string, string>();
  const left = new Map<string, number>();
  for (const record of found) {
    const text = contentOf(record);
    places.set(`${record.partition}:${record.offset}`, text);
    left.set(text, (left.get(text) ?? 0) + 1);
  }
  for (const { text, place } of expected) {
    const count = left.get(text) ?? 0;
    if (count === 0) problems.push(`${topic}: ${text.slice(0, 60)} is lost`);
    left.set(text, count - 1);
    if (place !== undefined && places.get(place.join(':')) !== text)
      problems.push(`${topic}: ${text.slice(0, 60)} is not at ${place.join(':')}`);
  }
  if (found.length !== expected.length)
    problems.push(`${topic}: ${expected.length} acknowledged, ${found.length} there`);
  return problems;
}

async function compareEnd(context: Context, topic: string, count: number): Promise<string[]> {
  if (!context.has('offset-lookup')) return [];
  const { offset } = await context.call('offset', { topic, partition: 0, at: 'end' });
  return offset === count ? [] : [`${topic}: ends at ${offset}, not at ${count}`];
}

/** What each group has committed; a difference is added to the problems. */
async function compareOffsets(
  context: Context,
  groups: ReadonlyMap<string, ReadonlyMap<number, number>>,
  problems: string[],
): Promise<Json> {
  const observed: { [group: string]: Json } = {};
  for (const [key, expected] of groups) {
    const [group = '', topic = ''] = JSON.parse(key) as string[];
    const answer = await context.call('committed', { group, topic });
    const rows = new Map((answer.offsets as [number, number][]).map(([p, offset]) => [p, offset]));
    for (const [partition, offset] of expected) {
      if (rows.get(partition) !== offset)
        problems.push(`${group}: ${rows.get(partition)} of ${topic}-${partition}, not ${offset}`);
    }
    observed[group] = Object.fromEntries(expected);
  }
  return observed;
}
