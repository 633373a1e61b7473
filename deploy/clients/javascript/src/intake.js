import { Dealer } from "zeromq";

/** How many milliseconds to wait for an answer before the same bytes are sent again. */
export const ACK_WAIT = 2000;

/**
 * The worker does not take a message. Nothing of a refused decision reaches the broker. One exception: with the code
 * `storage_failed` it is not known; the same decision, published again, gives the answer.
 */
export class Refused extends Error {
  /** @param {Record<string, any>} answer the whole answer, as it came */
  constructor(answer) {
    super(`${answer.code}: ${answer.message}`);
    this.name = "Refused";
    this.answer = answer;
    /** @type {string} */
    this.code = answer.code;
    /** @type {boolean} Whether the same may be taken later. */
    this.retry = answer.retry;
    /**
     * With the code `wrong_partition`: the intake of the worker that serves the strategy, where it is known.
     * @type {string | undefined}
     */
    this.endpoint = answer.endpoint;
  }
}

/**
 * The time is over. Whether the worker has the decision is not known: publish the same one again, never another one in
 * its place.
 */
export class NoAnswer extends Error {
  constructor(endpoint) {
    super(`${endpoint} has not answered in time`);
    this.name = "NoAnswer";
  }
}

/** A connection to the worker's intake. One question at a time; others wait. */
export class Intake {
  #endpoint;
  #keys;
  #socket = null;
  #turn = Promise.resolve();

  /**
   * @param {string} endpoint
   * @param {import("./keys.js").CurveKeys} [keys] without them it speaks no CURVE
   */
  constructor(endpoint, keys) {
    this.#endpoint = endpoint;
    this.#keys = keys;
  }

  /**
   * @param {string} body
   * @param {string} type of the answer
   * @param {number} timeout in milliseconds
   */
  ask(body, type, timeout) {
    const answer = this.#turn.then(() => this.#ask(body, type, timeout));
    this.#turn = answer.then(() => {}, () => {});
    return answer;
  }

  close() {
    this.#socket?.close();
    this.#socket = null;
  }

  async #ask(body, type, timeout) {
    const end = performance.now() + timeout;
    while (true) {
      const wait = Math.ceil(Math.min(ACK_WAIT, end - performance.now()));
      if (wait <= 0) throw new NoAnswer(this.#endpoint);
      const answer = await this.#attempt(body, wait);
      if (answer === null) continue;
      if (answer.type === "ack" && answer.status === "refused") throw new Refused(answer);
      if (answer.type !== type) throw new Error(`asked for ${type}, got ${JSON.stringify(answer)}`);
      return answer;
    }
  }

  async #attempt(body, wait) {
    if (this.#socket === null) {
      this.#socket = new Dealer({ linger: 0, ...this.#keys });
      this.#socket.connect(this.#endpoint);
    }
    try {
      await this.#socket.send(body);
      const answer = await receive(this.#socket, wait);
      // A late answer goes nowhere, and can't be taken for that to another question.
      if (answer === null) this.close();
      return answer;
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/** The message in the last frame of the next one, or null where none has come. */
export async function receive(socket, wait) {
  socket.receiveTimeout = wait;
  try {
    const frames = await socket.receive();
    return JSON.parse(frames.at(-1).toString());
  } catch (error) {
    if (error.code === "EAGAIN") return null;
    throw error;
  }
}
