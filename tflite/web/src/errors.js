/** What a user can cause; the message is one sentence: what came, what was wanted, what to do. */
export class BertkitError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "BertkitError";
  }
}
