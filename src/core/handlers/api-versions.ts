import {
  ApiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
  type Draft,
  ErrorCode,
} from '../../kafka-protocol/index.ts';
import { defineHandler, type Handler, type RequestContext } from './handler.ts';

/** One line of the answer. */
export interface AdvertisedApi {
  readonly apiKey: number;
  readonly minVersion: number;
  readonly maxVersion: number;
}

const softwarePattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;
const SOFTWARE_NAMES_SINCE = 3;
/** From here on the answer depends on the request. */
export const IDENTITY_SINCE = 5;
/** Older answers cannot carry a feature whose minimum is 0 (KAFKA-17011). */
const MINIMUM_ZERO_SINCE = 4;

const supportedFeatures = [
  { name: 'metadata.version', minVersion: 7, maxVersion: 33 },
  { name: 'transaction.version', minVersion: 0, maxVersion: 2 },
] as const;
const finalizedFeatures = [
  { name: 'metadata.version', minVersionLevel: 33, maxVersionLevel: 33 },
  { name: 'transaction.version', minVersionLevel: 2, maxVersionLevel: 2 },
] as const;

/** What this broker serves: key 18 first of all calls (KIP-35, KIP-511). */
export function apiVersionsHandler(advertised: readonly AdvertisedApi[]): Handler {
  return defineHandler(ApiVersions, {
    handle(request, ctx) {
      const isNamed = ctx.apiVersion >= SOFTWARE_NAMES_SINCE;
      const names = [request.clientSoftwareName, request.clientSoftwareVersion];
      if (isNamed && !names.every((name) => softwarePattern.test(name))) {
        return { errorCode: ErrorCode.INVALID_REQUEST };
      }
      const errorCode = identityError(request, ctx);
      if (errorCode !== ErrorCode.NONE) return { errorCode };
      return apiVersionsAnswer(advertised, ctx.apiVersion);
    },
  });
}

// Since version 5 a client says whom it takes this broker for, both parts or neither (KIP-1242).
function identityError({ clusterId, nodeId }: ApiVersionsRequest, ctx: RequestContext): number {
  const hasNodeId = nodeId !== -1;
  if (clusterId === null && !hasNodeId) return ErrorCode.NONE;
  if (clusterId === null || !hasNodeId) return ErrorCode.INVALID_REQUEST;
  const isThisBroker = clusterId === ctx.clusterId && nodeId === ctx.config.nodeId;
  return isThisBroker ? ErrorCode.NONE : ErrorCode.REBOOTSTRAP_REQUIRED;
}

/** The answer to a well-formed request of this version. */
export function apiVersionsAnswer(
  advertised: readonly AdvertisedApi[],
  version: number,
): Draft<ApiVersionsResponse> {
  if (version < SOFTWARE_NAMES_SINCE) return { apiKeys: advertised };
  return {
    apiKeys: advertised,
    supportedFeatures: supportedFeatures.filter(
      ({ minVersion }) => minVersion > 0 || version >= MINIMUM_ZERO_SINCE,
    ),
    finalizedFeaturesEpoch: 0n,
    finalizedFeatures,
  };
}

/** The answer to a version nobody knows: in version 0, with the range of key 18 alone (KIP-511). */
export function unsupportedApiVersionsAnswer(): Draft<ApiVersionsResponse> {
  const { key, minVersion, maxVersion } = ApiVersions;
  return {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: key, minVersion, maxVersion }],
  };
}
