/** Bit sets of the operations that a resource knows, by the numbers of Kafka's AclOperation; what a principal may do without an authorizer. */
const bits = (...operations: readonly number[]): number =>
  operations.reduce((set, operation) => set | (1 << operation), 0);

export const TOPIC_OPERATIONS = bits(3, 4, 5, 6, 7, 8, 10, 11);
export const CLUSTER_OPERATIONS = bits(5, 7, 8, 9, 10, 11, 12);
export const GROUP_OPERATIONS = bits(3, 6, 8, 10, 11);

/** What an answer says when the client did not ask. */
export const OPERATIONS_NOT_ASKED = -2147483648;
