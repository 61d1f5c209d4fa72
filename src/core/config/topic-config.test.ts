import { describe, expect, test } from '@jest/globals';
import { topicSettings } from './table.ts';
import { configOf } from './testing/config-of.ts';
import { resolveTopicConfig, toLogConfig } from './topic-config.ts';
import { validateTopicConfig } from './validate-topic-config.ts';
import { parseValue } from './value.ts';

describe('resolveTopicConfig', () => {
  test('gives the defaults of Kafka', () => {
    const config = resolveTopicConfig(configOf({}), new Map());
    expect(config).toMatchObject({
      segmentBytes: 1_073_741_824,
      segmentMs: 604_800_000n,
      segmentJitterMs: 0n,
      retentionMs: 604_800_000n,
      retentionBytes: -1n,
      maxMessageBytes: 1_048_588,
      messageTimestampType: 'CreateTime',
      messageTimestampAfterMaxMs: 3_600_000n,
      cleanupPolicy: { isDelete: true, isCompact: false },
      flushMessages: 9_223_372_036_854_775_807n,
      flushMs: 9_223_372_036_854_775_807n,
      fileDeleteDelayMs: 60_000n,
      minInsyncReplicas: 1,
    });
  });

  test.each([
    [{ 'log.retention.hours': '1' }, 3_600_000n],
    [{ 'log.retention.hours': '1', 'log.retention.minutes': '2' }, 120_000n],
    [{ 'log.retention.minutes': '2', 'log.retention.ms': '3' }, 3n],
    [{ 'log.retention.ms': '-5' }, -1n],
  ])('takes retention from %j', (properties, retentionMs) => {
    expect(resolveTopicConfig(configOf(properties), new Map()).retentionMs).toBe(retentionMs);
  });

  test('the scheduler stands in for the flush interval', () => {
    const config = configOf({ 'log.flush.scheduler.interval.ms': '7' });
    expect(resolveTopicConfig(config, new Map()).flushMs).toBe(7n);
  });

  test('an override wins, and one that cannot be read gives way', () => {
    const config = configOf({ 'log.retention.ms': '3' });
    expect(resolveTopicConfig(config, new Map([['retention.ms', '9']])).retentionMs).toBe(9n);
    expect(resolveTopicConfig(config, new Map([['retention.ms', 'x']])).retentionMs).toBe(3n);
  });

  test('the internal segment size has no lower limit', () => {
    const overrides = new Map([['internal.segment.bytes', '200']]);
    const config = resolveTopicConfig(configOf({}), overrides);
    expect(toLogConfig(config, true)).toMatchObject({ segmentBytes: 200, isInternal: true });
  });
});

describe('validateTopicConfig says what is wrong', () => {
  const invalid = (name: string, value: string, why: string) =>
    `${name}=${value} is refused: ${why}.`;

  test.each<[Record<string, string | null>, string]>([
    [{ foo: '1' }, "Topics have no setting 'foo'."],
    [{ foo: null }, 'No value is given for foo.'],
    [{ 'retention.ms': null }, 'No value is given for retention.ms.'],
    [{ 'retention.ms': 'abc', foo: '2' }, "Topics have no setting 'foo'."],
    [{ 'retention.ms': 'abc' }, invalid('retention.ms', 'abc', 'it is not a number of type long')],
    [{ 'retention.ms': '1.5' }, invalid('retention.ms', '1.5', 'it is not a number of type long')],
    [{ 'retention.ms': '-2' }, invalid('retention.ms', '-2', '-1 is the least')],
    [
      { 'cleanup.policy': 'foo,bar' },
      invalid('cleanup.policy', 'foo', 'it may be compact, delete'),
    ],
    [{ 'cleanup.policy': ',' }, 'cleanup.policy is refused: one of its entries is empty.'],
    [
      { 'min.cleanable.dirty.ratio': '2' },
      invalid('min.cleanable.dirty.ratio', '2.0', '1 is the most'),
    ],
    [{ preallocate: 'maybe' }, invalid('preallocate', 'maybe', 'it is not true or false')],
    [
      { 'leader.replication.throttled.replicas': 'x' },
      invalid(
        'leader.replication.throttled.replicas',
        'x',
        "it may be '*', or {partition}:{broker} as often as needed, with commas between",
      ),
    ],
    [
      { 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' },
      'min.compaction.lag.ms=10 is above max.compaction.lag.ms=5.',
    ],
    [
      { 'remote.storage.enable': 'true' },
      'remote.storage.enable is refused: tiered storage is not built.',
    ],
    [{ 'message.format.version': '3.0' }, "Topics have no setting 'message.format.version'."],
  ])('%j', (overrides, message) => {
    expect(validateTopicConfig(configOf({}), new Map(Object.entries(overrides)))).toBe(message);
  });

  test('no more of what is very long than an answer can hold', () => {
    const long = 'x'.repeat(32_767);
    for (const [name, value] of [
      [long, '1'],
      [long, null],
      ['retention.ms', long],
    ] as const) {
      const message = validateTopicConfig(configOf({}), new Map([[name, value]]));
      expect(message).toContain('xxx');
      expect(message?.length).toBeLessThan(500);
    }
  });

  test.each<[Record<string, string>]>([
    [{ 'cleanup.policy': 'compact, delete' }],
    [{ 'cleanup.policy': '' }],
    [{ 'retention.ms': '+5' }],
    [{ 'min.cleanable.dirty.ratio': 'NaN' }],
    [{ 'leader.replication.throttled.replicas': '0:1, 1:2' }],
    [{ 'leader.replication.throttled.replicas': '*' }],
    [{ 'min.insync.replicas': '5' }],
    [{ 'local.retention.ms': '5', 'retention.ms': '1' }],
  ])('%j is accepted', (overrides) => {
    const given = new Map(Object.entries(overrides));
    expect(validateTopicConfig(configOf({}), given)).toBeUndefined();
  });

  test.each([
    ['long', 'retention.ms', '\u0001 \u0005077\t', 77n],
    ['long', 'retention.ms', `${'0'.repeat(30)}5`, 5n],
    ['long', 'retention.ms', '1\u0660\uff11', 101n],
    ['long', 'retention.ms', '\u{1d7cf}', undefined],
    ['long', 'retention.ms', '\u00a05', undefined],
    ['long', 'retention.ms', '-9223372036854775809', undefined],
    ['double', 'min.cleanable.dirty.ratio', '-NaN', Number.NaN],
    ['double', 'min.cleanable.dirty.ratio', '+Infinity', undefined],
    ['double', 'min.cleanable.dirty.ratio', '0x1.8P-2f', 0.375],
    ['double', 'min.cleanable.dirty.ratio', '-0x0p99999', -0],
    ['double', 'min.cleanable.dirty.ratio', '0x.p1', undefined],
    ['double', 'min.cleanable.dirty.ratio', '0x8', undefined],
    ['boolean', 'preallocate', ' TRUE ', true],
    ['boolean', 'preallocate', 'constructor', undefined],
    ['list', 'cleanup.policy', 'delete\t,\u000bcompact', ['delete', 'compact']],
    ['list', 'cleanup.policy', 'delete\u2003,compact', undefined],
  ] as const)('a %s is read as Java reads it: %s=%j', (_, name, text, value) => {
    const setting = topicSettings.get(name);
    const parsed = setting && parseValue(setting, text);
    expect(parsed?.isValid ? parsed.value : undefined).toEqual(value);
  });

  test('but for what it would only pretend to do', () => {
    const refusal = (value: string) =>
      validateTopicConfig(configOf({}), new Map([['compression.type', value]]));
    expect(refusal('zstd')).toContain('the broker does not compress: leave it at producer');
    expect(refusal('producer')).toBeUndefined();
  });
});
