import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerLauncher } from '../runner/broker.ts';
import { runCommand } from '../runner/commands.ts';
import { brokerJars, fetchJars } from '../runner/install.ts';

// Any cluster id will do; it has to be 22 characters of base64.
const clusterId = 'ms000000000000000compat';

const log4j = `status = error
appender.o.type = Console
appender.o.name = o
appender.o.layout.type = PatternLayout
appender.o.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.o.ref = o
`;

/** Downloads Apache Kafka if needed, formats the folder that `file` names and says how to start it. */
export async function kafkaLauncher(folder: string, file: string): Promise<BrokerLauncher> {
  const classPath = await fetchJars(brokerJars);
  const logging = join(folder, 'log4j2.properties');
  writeFileSync(logging, log4j);
  const java = ['-Xmx1g', '-Xms1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'];
  const common = [`-Dlog4j2.configurationFile=${logging}`, '-cp', classPath];
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId.slice(0, 22), '-c', file];
  await runCommand('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', ...common, ...format], {
    timeoutMs: 60_000,
  });
  return {
    program: 'java',
    args: [...java, ...common, 'kafka.Kafka', file],
    readyText: 'Kafka Server started',
  };
}
