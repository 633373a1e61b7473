import { Intake } from "./intake.js";

export const DEFAULT_INTAKE = "tcp://127.0.0.1:5555";

/** Publishes decisions, one at a time; others wait. Use one per strategy. */
export class Publisher {
  #intake;

  /**
   * @param {string} [intake]
   * @param {import("./keys.js").CurveKeys} [keys] without them it speaks no CURVE
   */
  constructor(intake = DEFAULT_INTAKE, keys) {
    this.#intake = new Intake(intake, keys);
  }

  /**
   * Resolves with the acknowledgement once the decision is on disk at the worker. Without an answer within 2 s the same
   * bytes are sent again, for as long as it takes, or `timeout` milliseconds: then it rejects with NoAnswer. A refusal
   * rejects with Refused.
   * @param {Record<string, unknown>} decision the members of the contract, without `v`; amounts as strings
   * @param {number} [timeout]
   * @returns {Promise<Record<string, any>>}
   */
  async publish(decision, timeout = Infinity) {
    return this.#intake.ask(JSON.stringify({ v: 1, ...decision }), "ack", timeout);
  }

  close() {
    this.#intake.close();
  }
}
