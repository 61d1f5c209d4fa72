import { ErrorCode, SaslAuthenticate } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Comes at the wrong time: where no listener asks who a client is, there is nothing to authenticate with. */
export const saslAuthenticate = defineHandler(SaslAuthenticate, {
  handle: () => ({
    errorCode: ErrorCode.ILLEGAL_SASL_STATE,
    errorMessage: 'This listener has no SASL: the connection is authenticated already.',
  }),
});
