import type { ConfigProblem } from './problem.ts';
import type { SettingValues } from './setting-values.ts';
import { logDefaults } from './topic-config.ts';

/** What no single setting can tell: rules between settings, as Kafka has them. */
export function crossCheck(values: SettingValues): readonly ConfigProblem[] {
  return rules.flatMap(({ name, message, isBroken }) => {
    return isBroken(values) ? [{ name, message: `${name} ${message}` }] : [];
  });
}

interface Rule {
  readonly name: string;
  readonly message: string;
  readonly isBroken: (values: SettingValues) => boolean;
}

const rules: readonly Rule[] = [
  {
    name: 'node.id',
    message: 'and broker.id must have the same value; broker.id is the old name.',
    isBroken: (values) => values.number('node.id') !== values.number('broker.id'),
  },
  {
    name: 'log.retention.ms',
    message: 'must be at least 1, or -1 for no limit, in whichever unit it is given.',
    isBroken: (values) => logDefaults(values).retentionMs === 0n,
  },
  {
    name: 'log.roll.ms',
    message: 'must be at least 1.',
    isBroken: (values) => logDefaults(values).segmentMs < 1n,
  },
  {
    name: 'log.roll.jitter.ms',
    message: 'must be at least 0.',
    isBroken: (values) => logDefaults(values).segmentJitterMs < 0n,
  },
  {
    name: 'max.connections.per.ip',
    message: 'must be at least 1.',
    isBroken: (values) => values.number('max.connections.per.ip') < 1,
  },
  {
    name: 'queued.max.request.bytes',
    message: 'must be at least socket.request.max.bytes.',
    isBroken(values) {
      const bytes = values.number('queued.max.request.bytes');
      return bytes > 0 && bytes < values.number('socket.request.max.bytes');
    },
  },
  {
    name: 'offsets.topic.compression.codec',
    message: 'must be the number of a codec, 0 to 4.',
    isBroken(values) {
      const codec = values.number('offsets.topic.compression.codec');
      return codec < 0 || codec > 4;
    },
  },
  {
    name: 'log.dirs',
    message: 'names more than one folder; one log directory is supported.',
    isBroken: (values) => logDirs(values).length > 1,
  },
];

/** The folders of the data: `log.dirs`, else `log.dir`. */
export function logDirs(values: SettingValues): readonly string[] {
  return values.get('log.dirs') === null ? values.list('log.dir') : values.list('log.dirs');
}
