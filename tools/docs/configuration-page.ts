import type { Setting } from '../../src/core/config/index.ts';
import { brokerSettings, topicSettings } from '../../src/core/config/index.ts';
import { formatValue } from '../../src/core/config/value.ts';

/** `docs/configuration.md`, from the table that the broker runs on. */
export function configurationPage(): string {
  const broker = [...brokerSettings.values()];
  const topic = [...topicSettings.values()];
  const kinds = (kind: string) =>
    [...broker, ...topic].filter((setting) => setting.effect.kind === kind).length;
  return `${[
    '# Configuration',
    '',
    'Generated from the configuration table in `src/core/config` by `npm run generate`; do not edit.',
    '',
    introduction(broker.length, topic.length, kinds),
    ...sections(broker),
    ...sections(topic),
  ].join('\n')}\n`;
}

function introduction(broker: number, topic: number, kinds: (kind: string) => number): string {
  return `A broker is described by a Kafka \`server.properties\`; \`--override key=value\` on the command line wins over
the file. All ${broker} settings of the broker and ${topic} of topics are known, with Kafka's names, types and defaults.

| column | meaning |
| --- | --- |
| name | \`*\` behind it: Kafka lets it be changed at run time |
| default | what holds when it is not set; a topic's default comes from the broker's setting named there |
| effect | **yes**: it works here. **no**: it is accepted, checked and shown, and does nothing, for the reason given. **refused**: any value but the default ends the start, because ignoring it would mislead |

Today ${kinds('works')} work, ${kinds('none')} have no effect and ${kinds('refused')} are refused. Unknown names are ignored with a warning
that names the nearest known one; names that would set up security are refused.

Exit codes of every command: 0 done (also after SIGTERM or SIGINT), 1 failure, 2 usage or configuration, 70 a bug.`;
}

function sections(settings: readonly Setting[]): readonly string[] {
  const titles = [...new Set(settings.map((setting) => setting.section))];
  return titles.flatMap((title) => [
    '',
    `## ${title}`,
    '',
    '| name | type | default | valid | what it is | effect |',
    '| --- | --- | --- | --- | --- | --- |',
    ...settings.filter((setting) => setting.section === title).map(row),
  ]);
}

function row(setting: Setting): string {
  const name = `\`${setting.name}\`${setting.isDynamic ? ' *' : ''}`;
  const cells = [name, setting.type, defaultOf(setting), validOf(setting), setting.documentation];
  return `| ${[...cells, effectOf(setting)].map(escapeCell).join(' | ')} |`;
}

function defaultOf(setting: Setting): string {
  if (setting.isRequired) return 'must be set';
  const text = formatValue(setting.default, setting.type);
  const value = text === null ? '' : text === '' ? 'empty' : `\`${text}\``;
  const from = setting.synonyms.map((name) => `\`${name}\``).join(', ');
  return [value, from].filter((part) => part !== '').join(' from ');
}

function validOf({ check }: Setting): string {
  switch (check?.kind) {
    case 'range':
      return rangeOf(check);
    case 'one-of':
      return check.values.map((value) => `\`${value}\``).join(', ');
    case 'list': {
      const values = check.values.map((value) => `\`${value}\``).join(', ');
      return [values, check.isEmptyAllowed ? '' : 'not empty'].filter((s) => s !== '').join('; ');
    }
    case 'non-empty':
      return 'not empty';
    case 'gzip-level':
      return '1 to 9, or -1';
    case 'throttled-replicas':
      return '`partition:broker` pairs, or `*`';
    default:
      return '';
  }
}

function rangeOf({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `${min} to ${max}`;
}

function effectOf({ effect }: Setting): string {
  switch (effect.kind) {
    case 'works':
      return effect.note === '' ? '**yes**' : `**yes**. ${effect.note}`;
    case 'none':
      return `**no**: ${effect.reason}`;
    case 'refused':
      return `**refused**: ${effect.reason}`;
  }
}

function escapeCell(text: string): string {
  return text.replaceAll('|', '\\|');
}
