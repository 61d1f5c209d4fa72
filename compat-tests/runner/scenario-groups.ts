import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from './adapter.ts';
import type { Context } from './context.ts';
import { bulkRecords } from './scenario-data.ts';

const settleLimitMs = 90_000;
const recordCount = 120;
const partitionCount = 6;

/** Two members share six partitions, a third joins, one leaves; nothing is lost meanwhile. */
export async function groupOfThree(context: Context): Promise<Json> {
  const topic = context.own('group');
  const group = context.own('three');
  await context.create(topic, partitionCount);
  const join = (name: string) => context.call('join', { name, group, topic });
  await Promise.all([join('first'), join('second')]);
  const two = await settled(context, group, topic, ['first', 'second']);
  const places = await context.produce(topic, keyed(0));
  await join('third');
  const three = await settled(context, group, topic, ['first', 'second', 'third']);
  await context.produce(topic, keyed(recordCount));
  await context.call('leave', { name: 'second' });
  const left = await settled(context, group, topic, ['first', 'third']);
  await context.produce(topic, keyed(2 * recordCount));
  const distinct = await received(context, ['first', 'second', 'third'], 3 * recordCount);
  await context.call('leave', { name: 'first' });
  await context.call('leave', { name: 'third' });
  return { two, three, left, distinct, spread: spread(places) };
}

/** Three groups, each of two members, which hand every record on to the next topic. */
export async function chainedGroups(context: Context): Promise<Json> {
  const stages = 3;
  const topics = Array.from({ length: stages + 1 }, (_, i) => context.own(`stage-${i}`));
  for (const topic of topics) await context.create(topic, partitionCount);
  const joined = Array.from({ length: stages }, async (_, stage) => {
    const [topic = '', to = ''] = topics.slice(stage);
    const group = context.own(`stage-${stage}`);
    const pair = [`stage${stage}-a`, `stage${stage}-b`];
    for (const name of pair) await context.call('join', { name, group, topic, forwardTo: to });
    // Members that do not commit when they lose a partition would hand records on twice.
    await settled(context, group, topic, pair);
    return pair;
  });
  const members = (await Promise.all(joined)).flat();
  await context.produce(topics[0] ?? '', keyed(0));
  const end = await context.consume([topics.at(-1) ?? ''], 'start', recordCount);
  for (const name of members) await context.call('leave', { name });
  const values = new Set(end.map((record) => (record as { value: string }).value));
  return { records: end.length, distinct: values.size };
}

function keyed(first: number) {
  return bulkRecords(first + recordCount, null).slice(first);
}

/** Waits until each member has partitions and each partition one owner; says how many each has. */
export async function settled(
  context: Context,
  group: string,
  topic: string,
  names: readonly string[],
): Promise<Json> {
  const deadlineMs = performance.now() + settleLimitMs;
  let last: number[][] = [];
  while (performance.now() < deadlineMs) {
    const answers = await Promise.all(
      names.map((name) => context.call('assigned', { name, group, topic })),
    );
    last = answers.map((answer) => answer.partitions as number[]);
    const all = last.flat();
    const isWhole = all.length === partitionCount && new Set(all).size === partitionCount;
    if (isWhole && last.every((owned) => owned.length > 0)) {
      return last.map((owned) => owned.length).sort();
    }
    await delay(100); // Clients have no event for what the whole group has.
  }
  throw new Error(`group not settled within ${settleLimitMs} ms: ${JSON.stringify(last)}`);
}

/** Waits until the members together saw so many distinct records. */
async function received(context: Context, names: readonly string[], count: number) {
  const deadlineMs = performance.now() + settleLimitMs;
  const seen = new Set<string>();
  while (seen.size < count && performance.now() < deadlineMs) {
    for (const name of names) {
      const answer = await context.call('received', { name });
      for (const place of answer.places as Json[]) seen.add(JSON.stringify(place));
    }
    if (seen.size < count) await delay(100);
  }
  return seen.size;
}

/** How many records went to each partition, where the client says so: its partitioner is fixed. */
function spread(places: Json): Json {
  if (!Array.isArray(places)) return null;
  const counts: { [partition: string]: number } = {};
  for (const [partition] of places as [number][]) {
    counts[partition] = (counts[partition] ?? 0) + 1;
  }
  return counts;
}
