import {
  ALL_VERSIONS,
  type ApiHead,
  type Definition,
  DefinitionError,
  type Field,
  type Message,
  PRIMITIVES,
  type Primitive,
  type Struct,
  type TypeRef,
  type Versions,
} from './model.ts';

interface Line {
  readonly number: number;
  readonly depth: number;
  readonly text: string;
  readonly comment: string;
}

/** Reads one .api file into a Definition. Says nothing about whether it makes sense: see check.ts. */
export function parseDefinition(file: string, source: string): Definition {
  const texts = source.split('\n');
  const end = texts.findIndex((text) => !text.startsWith('#'));
  const summary = texts.slice(0, end === -1 ? texts.length : end).map((text) => text.slice(2));
  const lines = texts.map((text, i) => parseLine(file, text, i + 1));
  const parser = new Parser(
    file,
    lines.filter((line) => line.text !== ''),
  );
  return parser.parse(summary.join('\n').trim());
}

function parseLine(file: string, raw: string, number: number): Line {
  if (raw.includes('\t'))
    throw new DefinitionError(`${file}:${number}`, 'a tab: indent by two spaces');
  const hash = /(^|\s)#/.exec(raw);
  const text = (hash === null ? raw : raw.slice(0, hash.index)).trimEnd();
  const comment = hash === null ? '' : raw.slice(hash.index + hash[0].length).trim();
  const spaces = text.length - text.trimStart().length;
  if (spaces % 2 !== 0) throw new DefinitionError(`${file}:${number}`, 'an odd indentation');
  return { number, depth: spaces / 2, text: text.trim(), comment };
}

class Parser {
  readonly #file: string;
  readonly #lines: readonly Line[];
  #next = 0;

  constructor(file: string, lines: readonly Line[]) {
    this.#file = file;
    this.#lines = lines;
  }

  parse(summary: string): Definition {
    let api: ApiHead | undefined;
    const messages: Message[] = [];
    while (this.#next < this.#lines.length) {
      const line = this.#take();
      const [word = ''] = line.text.split(/\s+/);
      if (line.depth !== 0) throw this.#error(line, 'an indented line outside of a block');
      if (word === 'api' && api === undefined) api = this.#apiHead(line);
      else if (word === 'record') messages.push(this.#record(line));
      else if ((word === 'request' || word === 'response') && api !== undefined) {
        messages.push(this.#apiMessage(line, api, word));
      } else throw this.#error(line, `unexpected: ${line.text}`);
    }
    return { file: this.#file, summary, api, messages };
  }

  #apiHead(line: Line): ApiHead {
    const options = this.#options(line, ['key', 'versions', 'flexible', 'response-header']);
    const header = options.get('response-header');
    return {
      name: options.get('') ?? '',
      key: this.#number(line, options.get('key')),
      versions: this.#versions(line, options.get('versions')),
      flexibleFrom: this.#flexibleFrom(line, options.get('flexible')),
      responseHeader: header === undefined ? undefined : this.#number(line, header),
    };
  }

  #apiMessage(line: Line, api: ApiHead, kind: 'request' | 'response'): Message {
    const name = `${api.name}${kind === 'request' ? 'Request' : 'Response'}`;
    const { versions, flexibleFrom } = api;
    return this.#body(line, { name, kind, versions, flexibleFrom, typeNumber: undefined });
  }

  #record(line: Line): Message {
    const options = this.#options(line, ['type', 'versions', 'flexible']);
    const type = options.get('type');
    return this.#body(line, {
      name: options.get('') ?? '',
      kind: 'record',
      versions: this.#versions(line, options.get('versions')),
      flexibleFrom: this.#flexibleFrom(line, options.get('flexible')),
      typeNumber: type === undefined ? undefined : this.#number(line, type),
    });
  }

  #body(line: Line, head: Omit<Message, 'root' | 'structs'>): Message {
    const structs = new Map<string, Struct>();
    const fields = this.#fields(1, structs);
    return { ...head, root: { name: head.name, fields, line: line.number }, structs };
  }

  #fields(depth: number, structs: Map<string, Struct>): Field[] {
    const fields: Field[] = [];
    for (;;) {
      const line = this.#lines[this.#next];
      if (line === undefined || line.depth < depth) return fields;
      if (line.depth > depth) throw this.#error(line, 'indented too far');
      this.#next += 1;
      const common = /^struct\s+(\w+)$/.exec(line.text);
      if (common?.[1] !== undefined) {
        this.#struct(line, common[1], depth + 1, structs);
        continue;
      }
      const field = this.#field(line);
      fields.push(field);
      const hasFields = (this.#lines[this.#next]?.depth ?? 0) > depth;
      const base = field.type.kind === 'array' ? field.type.element : field.type;
      if (hasFields && base.kind === 'struct') this.#struct(line, base.name, depth + 1, structs);
    }
  }

  #struct(line: Line, name: string, depth: number, structs: Map<string, Struct>): void {
    if (structs.has(name))
      throw this.#error(line, `struct ${name} is defined twice in this message`);
    const struct: Struct = { name, fields: [], line: line.number };
    // Set before its fields are read: the order is that of first mention.
    structs.set(name, struct);
    struct.fields.push(...this.#fields(depth, structs));
  }

  #field(line: Line): Field {
    const words = line.text.match(/=\s*(?:"[^"]*"|\S+)|\S+/g) ?? [];
    const [name = '', typeText = '', ...rest] = words;
    const [, typeName = '', question, nullableText] = /^([^?]+)(\?(.*))?$/.exec(typeText) ?? [];
    let versions: Versions | undefined;
    let defaultText: string | undefined;
    let tag: number | undefined;
    let isIgnorable = false;
    let isPlain = false;
    for (const word of rest) {
      if (word === 'ignorable') isIgnorable = true;
      else if (word === 'plain') isPlain = true;
      else if (word.startsWith('=')) defaultText = word.slice(1).trim();
      else if (/^@\d+$/.test(word)) tag = Number(word.slice(1));
      else if (versions === undefined) versions = this.#versions(line, word);
      else throw this.#error(line, `unexpected: ${word}`);
    }
    return {
      name,
      type: this.#type(line, typeName),
      versions: versions ?? ALL_VERSIONS,
      nullable: question === undefined ? undefined : this.#nullable(line, nullableText),
      defaultText,
      tag,
      isIgnorable,
      isPlain,
      comment: line.comment,
      line: line.number,
    };
  }

  #nullable(line: Line, text: string | undefined): Versions {
    return text === undefined || text === '' ? ALL_VERSIONS : this.#versions(line, text);
  }

  #type(line: Line, text: string): TypeRef {
    if (text.startsWith('[]')) return { kind: 'array', element: this.#type(line, text.slice(2)) };
    if ((PRIMITIVES as readonly string[]).includes(text))
      return { kind: 'primitive', name: text as Primitive };
    if (/^[A-Z]\w*$/.test(text)) return { kind: 'struct', name: text };
    throw this.#error(line, `no such type: ${text || line.text}`);
  }

  /** `word value word value`, after the block's own word and its name, which is kept under ''. */
  #options(line: Line, allowed: readonly string[]): Map<string, string> {
    const [, name, ...rest] = line.text.split(/\s+/);
    if (name === undefined || !/^[A-Z]\w*$/.test(name))
      throw this.#error(line, 'a name is missing');
    const options = new Map([['', name]]);
    for (let i = 0; i < rest.length; i += 2) {
      const [word = '', value] = rest.slice(i, i + 2);
      if (!allowed.includes(word) || value === undefined)
        throw this.#error(line, `unexpected: ${word}`);
      options.set(word, value);
    }
    return options;
  }

  #versions(line: Line, text: string | undefined): Versions {
    const match = /^(\d+)(\+|-(\d+))?$/.exec(text ?? '');
    if (match?.[1] === undefined)
      throw this.#error(line, `not a range of versions: ${text ?? 'nothing'}`);
    const min = Number(match[1]);
    if (match[2] === undefined) return { min, max: min };
    return { min, max: match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]) };
  }

  #flexibleFrom(line: Line, text: string | undefined): number {
    return text === undefined ? Number.POSITIVE_INFINITY : this.#versions(line, text).min;
  }

  #number(line: Line, text: string | undefined): number {
    if (text === undefined || !/^\d+$/.test(text))
      throw this.#error(line, `not a number: ${text ?? 'nothing'}`);
    return Number(text);
  }

  #take(): Line {
    const line = this.#lines[this.#next];
    if (line === undefined) throw new DefinitionError(this.#file, 'ends too early');
    this.#next += 1;
    return line;
  }

  #error(line: Line, reason: string): DefinitionError {
    return new DefinitionError(`${this.#file}:${line.number}`, reason);
  }
}
