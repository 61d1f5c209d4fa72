import { ErrorCode, SaslHandshake } from '../../kafka-protocol/index.ts';
import { defineHandler } from './handler.ts';

/** Comes at the wrong time: no listener has SASL. */
export const saslHandshake = defineHandler(SaslHandshake, {
  handle: () => ({ errorCode: ErrorCode.ILLEGAL_SASL_STATE }),
});
