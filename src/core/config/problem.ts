/** One reason why a configuration is refused. `message` is a whole sentence fit for one line. */
export interface ConfigProblem {
  readonly name: string;
  readonly message: string;
}
