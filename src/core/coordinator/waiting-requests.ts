import type { Effects, ReplyToken, Vocabulary } from './machine.ts';
import type { CoordinatorError } from './options.ts';

/** Requests of one machine that are not answered yet, by the token its replies name them with. */
export class WaitingRequests<V extends Vocabulary> {
  readonly #waiting = new Map<ReplyToken, Waiting<V>>();
  #lastToken = 0;

  add(resolve: Waiting<V>['resolve'], reject: Waiting<V>['reject']): ReplyToken {
    this.#lastToken += 1;
    const token = this.#lastToken as ReplyToken;
    this.#waiting.set(token, { resolve, reject });
    return token;
  }

  /** In the order of the replies; one for a request that was answered already is dropped. */
  answer(replies: Effects<V>['replies']): void {
    for (const { token, reply } of replies) this.#take(token)?.resolve(reply);
  }

  /** Nobody waits for a command without a token. */
  refuse(token: ReplyToken | undefined, error: CoordinatorError): void {
    if (token !== undefined) this.#take(token)?.reject(error);
  }

  refuseAll(error: CoordinatorError): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(error);
  }

  #take(token: ReplyToken): Waiting<V> | undefined {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    return waiting;
  }
}

interface Waiting<V extends Vocabulary> {
  readonly resolve: (reply: V['Reply']) => void;
  readonly reject: (error: CoordinatorError) => void;
}
