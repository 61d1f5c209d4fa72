import { ErrorCode, SaslAuthenticate, SaslHandshake } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

// Where no listener asks who a client is, there is nothing to authenticate with: both come at the wrong time.

export const saslHandshake = defineHandler(SaslHandshake, {
  handle: () => ({ errorCode: ErrorCode.ILLEGAL_SASL_STATE }),
});

export const saslAuthenticate = defineHandler(SaslAuthenticate, {
  handle: () => ({
    errorCode: ErrorCode.ILLEGAL_SASL_STATE,
    errorMessage: 'This listener has no SASL: the connection is authenticated already.',
  }),
});
