import { ApiVersions, SaslAuthenticate, SaslHandshake } from '../src/kafka-protocol/index.ts';
import { recorded } from './support/recorded.ts';

recorded('sasl', {
  'on a listener without SASL': async ({ ask }) => {
    for (const version of [0, 1]) {
      for (const mechanism of ['PLAIN', 'SCRAM-SHA-512', 'none', '']) {
        await ask(SaslHandshake, version, { mechanism });
      }
    }
    for (const version of [0, 1, 2]) {
      for (const token of ['', '\0user\0password']) {
        await ask(SaslAuthenticate, version, { authBytes: Buffer.from(token) });
      }
    }
    const view = ({ errorCode }: { errorCode: number }) => ({ errorCode });
    await ask(ApiVersions, 0, {}, { view });
  },
});
