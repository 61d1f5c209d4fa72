import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { decode, encode, Reader, UnencodableError } from '../../src/kafka-protocol/index.ts';
import { OtherValue, SampleKey, SampleValue } from '../../src/kafka-protocol/testdata/sample.ts';
import { generate, generateShapes, parseAll } from './generate.ts';

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const pair = (left: number, right = 'r') => ({ left, right });

/** The message of the error that a definition causes. */
function problemOf(source: string, name = 'x.api'): string {
  try {
    parseAll(new Map([[name, source]]));
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const record = (...fields: string[]) =>
  ['# X.', '', 'record X  versions 0-3  flexible 2+', ...fields.map((field) => `  ${field}`)].join(
    '\n',
  );

describe('what is committed', () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'src', 'kafka-protocol');
  const filesIn = (folder: string, ending: string) => {
    const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(ending));
    return new Map(names.map((name) => [name, readFileSync(join(root, folder, name), 'utf8')]));
  };

  test.each([
    ['definitions', 'generated'],
    ['testdata', 'testdata'],
  ])('is what %s/*.api give', (from, to) => {
    const expected = generate(filesIn(from, '.api'));
    if (from === to) expected.delete('index.ts');
    const present = filesIn(to, '.ts');
    expect([...expected.keys()].sort()).toEqual([...present.keys()].sort());
    for (const [name, text] of expected)
      expect(text === present.get(name) ? name : text).toBe(name);
  });
});

describe('the table for Rust', () => {
  const source = (...fields: string[]) =>
    ['# X.', '', 'api DoIt  key 7  versions 0-3  flexible 2+', '', 'request', ...fields].join('\n');

  test('has the layout of every request, without tagged fields', () => {
    const text = generateShapes(
      new Map([
        [
          '07-do-it.api',
          source(
            '  ids    []int32?  1-2',
            '  at     Place?    3+',
            '    name   string',
            '    rest   bytes',
            '  hint   int64     2+  @0',
            'response',
          ),
        ],
      ]),
    );
    expect(text).toContain('{ api_key: 7, flexible_from: 2, fields: DO_IT_REQUEST },');
    expect(text.split('\n').filter((line) => /^ {4}field|^const/.test(line))).toEqual([
      'const DO_IT_REQUEST: &[Field] = &[',
      '    field(1, 2, Shape::Array(&Shape::Fixed(4))), // ids',
      '    field(3, i16::MAX, Shape::Nullable(0, i16::MAX, DO_IT_REQUEST_PLACE)), // at',
      'const DO_IT_REQUEST_PLACE: &[Field] = &[',
      '    field(0, i16::MAX, Shape::Text), // name',
      '    field(0, i16::MAX, Shape::Bytes), // rest',
    ]);
  });

  test('refuses an array in a tagged field of a request, which it could not count', () => {
    const tagged = source('  ids    []int32  2+  @0', 'response');
    expect(() => generateShapes(new Map([['07-do-it.api', tagged]]))).toThrow('ids');
  });
});

describe('a definition', () => {
  test('of an API gives codecs, header versions and a line in the index', () => {
    const files = generate(
      new Map([
        [
          '07-do-it.api',
          '# DoIt: does it.\n\napi DoIt  key 7  versions 1-3  flexible 2+\n\nrequest\n  a int8\nresponse\n',
        ],
      ]),
    );
    expect([...files.keys()]).toEqual(['do-it.ts', 'index.ts']);
    expect(files.get('do-it.ts')).toContain(
      'requestHeaderVersion: (version: number) => (version >= 2 ? 2 : 1),',
    );
    expect(files.get('do-it.ts')).toContain('export interface DoItResponse {\n}');
    expect(files.get('index.ts')).toContain("export * from './do-it.ts';");
  });

  test('keeps its opening and its remarks as comments', () => {
    const text = generate(new Map([['x.api', record('a  int8  # A remark.')]])).get('x.ts');
    expect(text).toContain('// X.');
    expect(text).toContain('/** A remark. */');
  });

  test.each([
    ['an unknown type', record('a  int7'), 'x.api:4: no such type: int7'],
    ['an unknown word', record('a  int8  hidden'), 'x.api:4: not a range of versions: hidden'],
    ['a word too many', record('a  int8  1+  2+'), 'x.api:4: unexpected: 2+'],
    ['an odd indentation', record(' a int8'), 'x.api:4: an odd indentation'],
    ['a tab', record('a\tint8'), 'x.api:4: a tab: indent by two spaces'],
    ['fields that belong to nothing', record('a  int8', '  b  int8'), 'x.api:5: indented too far'],
    ['a struct without fields', record('a  Thing'), 'x.api:4: no fields for struct Thing'],
    [
      'a struct that is not used',
      record('struct Thing', '  b  int8'),
      'x.api:4: struct Thing is not used',
    ],
    [
      'a struct with two sets of fields',
      record('a  T', '  b  int8', 'c  T', '  d  int8'),
      'x.api:6: struct T is defined twice in this message',
    ],
    ['a struct inside itself', record('a  T', '  b  []T'), 'x.api:4: struct T contains itself'],
    ['a field twice', record('a  int8', 'a  int8'), 'x.api:5: a: is there twice'],
    [
      'a capital letter',
      record('Name  int8'),
      'x.api:4: Name: field names begin with a small letter',
    ],
    [
      'a field in no version',
      record('a  int8  7+'),
      'x.api:4: a: exists in no version of its struct',
    ],
    ['a nullable number', record('a  int8?'), 'x.api:4: a: this type cannot be null'],
    [
      'a null default of what cannot be null',
      record('a  string  = null'),
      'x.api:4: a: defaults to null but cannot be null',
    ],
    ['a default that is no number', record('a  int8  = x'), 'x.api:4: a: not a number'],
    [
      'a default text without quotes',
      record('a  string  = x'),
      'x.api:4: a: a default text in quotes',
    ],
    [
      'a default that is neither true nor false',
      record('a  bool  = 1'),
      'x.api:4: a: true or false',
    ],
    [
      'a default array',
      record('a  []int8  = 1'),
      'x.api:4: a: only null can be the default of this type',
    ],
    ['a default id', record('a  uuid  = 1'), 'x.api:4: a: this type has no other default'],
    [
      'a tag without flexible versions',
      record('a  int8  @0'),
      'x.api:4: a: a tagged field needs flexible versions',
    ],
    [
      'a tag twice',
      record('a  int8  2+  @0', 'b  int8  2+  @0'),
      'x.api:5: b: tags are unique and at most 127',
    ],
    ['a gap in the tags', record('a  int8  2+  @1'), 'x.api:3: tag 0 of X is missing'],
    ['no opening', 'record X  versions 0\n', 'x.api:1: opens with what the API does'],
    [
      'open versions',
      '# X.\nrecord X  versions 0+\n',
      'x.api:2: a message has a first and a last version',
    ],
    ['no name', '# X.\nrecord versions 0\n', 'x.api:2: a name is missing'],
    ['an unknown option', '# X.\nrecord X  age 3\n', 'x.api:2: unexpected: age'],
    [
      'a key that is no number',
      '# X.\napi X  key a  versions 0\nrequest\nresponse\n',
      'x.api:2: not a number: a',
    ],
    [
      'a response alone',
      '# X.\napi X  key 1  versions 0\nresponse\n',
      '01-x.api: an api has one request and one response, in this order',
    ],
    ['a request without an api', '# X.\nrequest\n', 'x.api:2: unexpected: request'],
    [
      'an indented block',
      '# X.\n  record X  versions 0\n',
      'x.api:2: an indented line outside of a block',
    ],
  ])('with %s is refused', (_, source, problem) => {
    expect(problemOf(source, `${problem.slice(0, problem.indexOf('.api'))}.api`)).toBe(problem);
  });

  test('of an API is named by its key', () => {
    const source = '# X.\napi BigThing  key 7  versions 0\nrequest\nresponse\n';
    expect(problemOf(source, 'big.api')).toBe('big.api: should be named 07-big-thing.api');
    expect(problemOf(source, '07-big-thing.api')).toBe('none');
  });
});

describe('C-007: structs of one name', () => {
  test('in two messages are two types, each with the fields of its own', () => {
    const [one, two] = [{ single: pair(1) }, { single: { one: 'x' } }];
    expect(hexOf(encode(OtherValue, two, 0))).toBe('000178');
    expect(decode(OtherValue, encode(OtherValue, two, 0), 0)).toEqual(two);
    expect(
      decode(SampleValue, encode(SampleValue, { ...one, maybe: pair(2) }, 1), 1).single,
    ).toEqual(pair(1));
  });

  test('in request and response of one API carry the name of their message', () => {
    const source =
      '# X.\napi X  key 7  versions 0\nrequest\n  a  T\n    b  int8\nresponse\n  a  T\n    c  string\n';
    const text = generate(new Map([['07-x.api', source]])).get('x.ts') ?? '';
    expect(text).toContain('export interface XRequestT {\n  readonly b: number;');
    expect(text).toContain('export interface XResponseT {\n  readonly c: string;');
  });

  test('that is taken all the same is refused', () => {
    const source =
      '# X.\nrecord X  versions 0\n  a  T\n    b  int8\n\nrecord T  versions 0\n\nrecord XT  versions 0\n';
    expect(() => generate(new Map([['x.api', source]]))).toThrow('the name XT is taken twice');
  });
});

describe('generated code', () => {
  const everything = {
    single: pair(1),
    later: pair(3),
    strict: pair(4),
    port: 80,
    isGreat: false,
    id: 'AAAAAAAAAAAAAAAAAAAAAQ',
    payload: null,
    label: 'l',
    plainText: 'p',
    numbers: [1n, -1n],
    ids: ['AAAAAAAAAAAAAAAAAAAAAg'],
    tagged: pair(6),
    note: 'n',
    maybePair: pair(8),
  };

  test('reads what it wrote, in a version that has every kind of field', () => {
    const value = {
      ...everything,
      maybe: null,
      ratio: 2.5,
      log: Buffer.from('log'),
      outer: { inner: pair(7), list: [1] },
    };
    expect(decode(SampleValue, encode(SampleValue, value, 4), 4)).toEqual({ ...value, pairs: [] });
  });

  test('gives fields that a version lacks their defaults', () => {
    const value = decode(
      SampleValue,
      encode(SampleValue, { single: pair(1), maybe: pair(2) }, 1),
      1,
    );
    expect(value).toMatchObject({
      later: pair(-7, ''),
      ratio: 1.5,
      port: 9092,
      isGreat: true,
      payload: Buffer.alloc(0),
    });
    expect(value).toMatchObject({
      label: 'none',
      outer: { inner: pair(-7, ''), list: null },
      ids: [],
    });
  });

  test('keeps compact lengths away from a plain field', () => {
    const [compact, plain] = [{ label: 'abc' }, { plainText: 'abc' }].map((value) =>
      hexOf(encode(SampleValue, value, 5)),
    );
    expect(compact).toContain('04616263');
    expect(plain).toContain('0003616263');
  });

  test('writes a struct that may be null in some versions only', () => {
    expect(() => encode(SampleValue, { maybe: null }, 1)).toThrow(
      new UnencodableError('SampleValue.maybe cannot be null in version 1'),
    );
    const [without, withIt] = [null, pair(1)].map((maybe) => encode(SampleValue, { maybe }, 2));
    expect((withIt?.length ?? 0) - (without?.length ?? 0)).toBe(4 + 2 + 1);
  });

  test.each([
    ['strict', { strict: pair(4) }],
    ['pairs', { pairs: [pair(1)] }],
    ['pairs', { pairs: null }],
    ['payload', { payload: null }],
    ['tagged', { tagged: pair(1) }],
    ['outer', { outer: { list: [] } }],
    ['ids', { ids: ['AAAAAAAAAAAAAAAAAAAAAg'] }],
  ])('refuses %s in a version without it', (field, value) => {
    expect(() => encode(SampleValue, { maybe: pair(1), ...value }, 1)).toThrow(
      new UnencodableError(`SampleValue.${field} does not exist in version 1`),
    );
  });

  test('skips a tag that only a later version knows', () => {
    const plain = Buffer.from(encode(SampleValue, {}, 3));
    const mixed = Buffer.concat([plain.subarray(0, -1), Buffer.from('010103aabbcc', 'hex')]);
    const reader = new Reader(mixed);
    expect(SampleValue.read(reader, 3).outer.list).toBeNull();
    expect(reader.remaining).toBe(0);
  });

  test('copes with fields named like its own variables or like words of JavaScript', () => {
    const key = { default: 0xffffffff, version: 5n };
    expect(decode(SampleKey, encode(SampleKey, key, 0), 0)).toEqual(key);
    expect(SampleKey.type).toBe(7);
  });
});
