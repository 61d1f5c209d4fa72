import { DescribeCluster, ErrorCode } from '../../kafka-protocol/index.ts';
import { CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED } from './authorized-operations.ts';
import { brokersOf } from './cluster-view.ts';
import { defineHandler } from './handler.ts';

const BROKERS = 1;
const CONTROLLERS = 2;

/** The brokers and the cluster's id (KIP-700). This listener knows of brokers only (KIP-919). */
export const describeCluster = defineHandler(DescribeCluster, {
  handle(request, ctx) {
    const { endpointType } = request;
    if (endpointType === CONTROLLERS) {
      const errorMessage = 'This listener tells of brokers (1) only, not of controllers (2).';
      return { errorCode: ErrorCode.MISMATCHED_ENDPOINT_TYPE, errorMessage };
    }
    if (endpointType !== BROKERS) {
      const errorMessage = `There is no type ${endpointType} of endpoints: brokers are 1, controllers 2.`;
      return { errorCode: ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, errorMessage };
    }
    return {
      errorMessage: null,
      endpointType,
      clusterId: ctx.clusterId,
      controllerId: ctx.config.nodeId,
      brokers: brokersOf(ctx).map(({ nodeId, ...rest }) => ({ brokerId: nodeId, ...rest })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? CLUSTER_OPERATIONS
        : OPERATIONS_NOT_ASKED,
    };
  },
});
