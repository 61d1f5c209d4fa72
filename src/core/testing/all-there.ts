import { LateItems } from '../../kafka-protocol/index.ts';

/** An answer with those items of its arrays that are made late. */
export async function allThere(answer: unknown): Promise<unknown> {
  if (answer instanceof LateItems) {
    const items: unknown[] = [];
    for (const step of answer.steps()) {
      if (step instanceof Promise) await step;
      else items.push(await allThere(step));
    }
    return items;
  }
  if (Array.isArray(answer)) return Promise.all(answer.map(allThere));
  if (typeof answer !== 'object' || answer === null || answer instanceof Uint8Array) return answer;
  const fields = Object.entries(answer).map(async ([key, value]) => [key, await allThere(value)]);
  return Object.fromEntries(await Promise.all(fields));
}
