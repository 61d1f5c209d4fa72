/** Where the broker listens. Host '' means every address of the machine; port 0 means any free port. */
export interface Listener {
  /** In capitals, as Kafka normalises it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly securityProtocol: 'PLAINTEXT';
}

/** What is told to clients of the listener of that name. */
export interface Endpoint {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}
