/** For requests whose items Kafka answers in an order of its own: by `name`, and those without one as they came. */
export function byName<Field extends string, Item extends { readonly name: string | null }>(
  field: Field,
): <Answer extends Readonly<Record<Field, readonly Item[]>>>(answer: Answer) => Answer {
  return (answer) => {
    const key = ({ name }: Item) => `${name === null ? 1 : 0}${name}`;
    const sorted = [...answer[field]].sort((a, b) =>
      key(a) < key(b) ? -1 : Number(key(a) > key(b)),
    );
    return { ...answer, [field]: sorted };
  };
}
