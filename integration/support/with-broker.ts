import { afterAll, beforeAll } from '@jest/globals';
import { BrokerProcess, type StartOptions } from './broker-process.ts';
import { RawClient } from './raw-client.ts';

/** Starts a broker with a client before the tests of a file, hands both over, and ends both behind the tests. */
export function withBroker(
  use: (broker: BrokerProcess, client: RawClient) => unknown,
  options?: StartOptions,
): void {
  let broker: BrokerProcess | undefined;
  let client: RawClient | undefined;
  beforeAll(async () => {
    broker = await BrokerProcess.start(options);
    client = await RawClient.connect(broker.port);
    await use(broker, client);
  });
  afterAll(async () => {
    client?.close();
    await broker?.dispose();
  });
}
