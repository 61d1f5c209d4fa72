/**
 * Items that one request may have in all its arrays together: offsets of 100,000 partitions in 20,000 topics. A
 * frame with more closes its connection, as one that cannot be read does.
 */
export const REQUEST_ITEMS_MAX = 120_000;
/** A frame of so many bytes may be decoded at any time. */
const SMALL_BYTES = 4096;
/** Bytes of large frames that may wait, or one. The native half hands over no more, but for clients that are gone. */
const WAITING_BYTES_MAX = 8 << 20;

interface Waiting {
  readonly bytes: number;
  /** More than anybody has to begin with; the frame says the rest. */
  readonly items: number;
  readonly admit: () => void;
  readonly isGone: () => boolean;
}

/**
 * Bounds what large requests hold while they are answered: their items together are not more than one request may
 * have, and those that would be wait their turn as bytes.
 */
export class Admission {
  readonly #nextTurn: () => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #items = 0;
  #waitingBytes = 0;
  #isDue = false;

  constructor(nextTurn: () => Promise<void>) {
    this.#nextTurn = nextTurn;
  }

  /**
   * Calls `admit` with a place, now or later; never when `isGone` by then. False: too much waits already. Whoever
   * got a place must release it.
   */
  enter(bytes: number, admit: (place: Place) => void, isGone: () => boolean): boolean {
    if (bytes <= SMALL_BYTES) {
      admit(NO_PLACE);
      return true;
    }
    // No item takes less than a byte.
    const items = Math.min(bytes, REQUEST_ITEMS_MAX);
    const entrant = { bytes, items, admit: () => admit(this.#take(items)), isGone };
    if (this.#waiting.length === 0 && this.#hasRoom(items)) {
      entrant.admit();
      return true;
    }
    const isFull = this.#waitingBytes + bytes > WAITING_BYTES_MAX;
    if (isFull && this.#waiting.length > 0) return false;
    this.#waiting.push(entrant);
    this.#waitingBytes += bytes;
    return true;
  }

  #hasRoom(items: number): boolean {
    return this.#items + items <= REQUEST_ITEMS_MAX;
  }

  #take(taken: number): Place {
    let items = taken;
    let most = 0;
    this.#items += items;
    return {
      get most() {
        return most;
      },
      holds: (counted) => {
        this.#items += counted - items;
        items = counted;
        most = Math.max(most, counted);
        this.#admitLater();
      },
    };
  }

  // One a turn: to decode a large request is the longest work that cannot be interrupted.
  #admitLater(): void {
    const [next] = this.#waiting;
    if (this.#isDue || next === undefined || !this.#hasRoom(next.items)) return;
    this.#isDue = true;
    void this.#nextTurn().then(() => {
      this.#isDue = false;
      this.#admitNext();
      this.#admitLater();
    });
  }

  #admitNext(): void {
    const [next] = this.#waiting;
    if (next === undefined || !this.#hasRoom(next.items)) return;
    this.#waiting.shift();
    this.#waitingBytes -= next.bytes;
    if (!next.isGone()) next.admit();
  }
}

/** What one large request holds. */
export interface Place {
  /** So many items from now on; none when it is answered. */
  holds(items: number): void;
  /** The most it has held since it was decoded. */
  readonly most: number;
}

const NO_PLACE: Place = { holds() {}, most: 0 };
