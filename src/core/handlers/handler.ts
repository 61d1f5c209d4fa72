import type { ConnectionId } from '../../engine/index.ts';
import type { Api, LateDraft } from '../../kafka-protocol/index.ts';
import type { Services } from '../services.ts';

/** One request as a handler sees it, with the broker's services beside it. */
export interface RequestContext extends Services {
  readonly apiVersion: number;
  readonly clientId: string | null;
  /** `/127.0.0.1`, as Kafka prints it. */
  readonly clientHost: string;
  readonly connection: ConnectionId;
  readonly listenerId: number;
  readonly principal: string;
  /** When an answer is due, by the monotonic clock; negative timeouts count as 0. */
  deadlineMs(timeoutMs: number): number;
  isAllowed(operation: Operation, resourceType: ResourceType, name: string): boolean;
}

export type Operation =
  | 'READ'
  | 'WRITE'
  | 'CREATE'
  | 'DELETE'
  | 'ALTER'
  | 'DESCRIBE'
  | 'CLUSTER_ACTION'
  | 'DESCRIBE_CONFIGS'
  | 'ALTER_CONFIGS'
  | 'IDEMPOTENT_WRITE';

export type ResourceType = 'TOPIC' | 'GROUP' | 'CLUSTER' | 'TRANSACTIONAL_ID';

/** The name of the one resource of type CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster';

/** What one API does. Stateless: whatever it must remember belongs to a service. */
export interface HandlerOf<Request, Response> {
  handle(request: Request, ctx: RequestContext): Promise<LateDraft<Response>> | LateDraft<Response>;
  /** The answer that says one error for the whole request; without it the connection is closed. */
  failed?(request: Request, errorCode: number): LateDraft<Response>;
  /** Its answer waits for what other clients do. */
  readonly isParked?: boolean;
}

/** A handler with its API, its types forgotten: what the table holds. */
export interface Handler {
  readonly api: Api<unknown, unknown>;
  readonly handle: (request: unknown, ctx: RequestContext) => unknown;
  readonly failed: ((request: unknown, errorCode: number) => unknown) | undefined;
  readonly isParked: boolean;
}

export function defineHandler<Request, Response>(
  api: Api<Request, Response>,
  handler: HandlerOf<Request, Response>,
): Handler {
  return {
    api: api as unknown as Api<unknown, unknown>,
    isParked: handler.isParked === true,
    handle: (request, ctx) => handler.handle(request as Request, ctx),
    failed:
      handler.failed && ((request, errorCode) => handler.failed?.(request as Request, errorCode)),
  };
}
