import { Subscriber as Socket } from "zeromq";
import { ACK_WAIT, Intake, NoAnswer, receive, Refused } from "./intake.js";
import { DEFAULT_INTAKE } from "./publisher.js";

export const DEFAULT_OUTCOMES = "tcp://127.0.0.1:5556";

/** A heartbeat comes every second; after so many milliseconds without one we are cut off. */
const SILENCE = 5000;

/**
 * Iterates over a strategy's outcomes, each once and in order. What the topic lost is replayed from the worker.
 *
 *     for await (const outcome of new Subscriber("mean-rev")) …
 */
export class Subscriber {
  #strategy;
  #outcomes;
  #keys;
  #intake;
  #socket = null;
  #heard = 0;
  // Only the answer to a replay changes the stream: live messages of an older database may still wait in the queue when
  // the worker has begun another one.
  #stream;
  #last;
  #behind = false;
  #ready = [];

  /**
   * @param {string} strategy
   * @param {{ after?: import("./position.js").Position, outcomes?: string, intake?: string,
   *   keys?: import("./keys.js").CurveKeys }} [options] without keys it speaks no CURVE
   */
  constructor(strategy, options = {}) {
    const { after, outcomes = DEFAULT_OUTCOMES, intake = DEFAULT_INTAKE, keys } = options;
    this.#strategy = strategy;
    this.#outcomes = outcomes;
    this.#keys = keys;
    this.#intake = new Intake(intake, keys);
    /** Of the last outcome that was handed out. */
    this.position = after ?? { stream: null, counter: 0 };
    this.#stream = this.position.stream;
    this.#last = this.position.counter;
  }

  close() {
    this.#disconnect();
    this.#intake.close();
  }

  async *[Symbol.asyncIterator]() {
    try {
      while (true) yield await this.next();
    } finally {
      this.close();
    }
  }

  /**
   * The next outcome. Rejects with Refused where we may not read the outcomes.
   * @returns {Promise<Record<string, any>>}
   */
  async next() {
    while (this.#ready.length === 0) await (this.#behind ? this.#catchUp() : this.#listen());
    const outcome = this.#ready.shift();
    // Not the outcome's own stream: one from before a restoration or a move names the stream of then.
    this.position = { stream: this.#stream, counter: outcome.strategy_seq };
    return outcome;
  }

  /** Takes one message of the topic. */
  async #listen() {
    if (this.#socket === null) {
      this.#socket = new Socket({ linger: 0, ...this.#keys });
      this.#socket.subscribe(`outcome|${this.#strategy}|`, "heartbeat|");
      this.#socket.connect(this.#outcomes);
      this.#heard = performance.now();
    }
    const message = await receive(this.#socket, 1000);
    if (message === null) {
      // A connection that was refused, or whose other end vanished, never comes back.
      if (performance.now() - this.#heard > SILENCE) this.#disconnect();
      return;
    }
    this.#heard = performance.now();
    if (message.stream !== this.#stream) {
      this.#behind = true;
    } else if (message.type === "heartbeat") {
      this.#behind = (message.strategies[this.#strategy] ?? 0) > this.#last;
    } else if (message.type === "outcome") {
      if (message.strategy_seq === this.#last + 1) this.#take(message);
      else this.#behind = message.strategy_seq > this.#last;
    }
  }

  #disconnect() {
    this.#socket?.close();
    this.#socket = null;
  }

  async #catchUp() {
    const request = { v: 1, type: "replay", strategy_name: this.#strategy, after: this.#last };
    let page;
    try {
      page = await this.#intake.ask(JSON.stringify(request), "replay", ACK_WAIT);
    } catch (error) {
      if (!(error instanceof NoAnswer || (error instanceof Refused && error.retry))) throw error;
      // The next heartbeat tells again that something is missing.
      this.#behind = false;
      return;
    }
    const isOtherDatabase = this.#stream !== null && page.stream !== this.#stream;
    this.#stream = page.stream;
    if (isOtherDatabase && this.#last > 0) {
      // Its counters begin anew: ask again, from its beginning.
      this.#last = 0;
      return;
    }
    for (const outcome of page.outcomes) if (outcome.strategy_seq > this.#last) this.#take(outcome);
    this.#behind = page.more;
  }

  #take(outcome) {
    this.#last = outcome.strategy_seq;
    this.#ready.push(outcome);
  }
}
