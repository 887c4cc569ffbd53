/** A set-up step that failed: what, what to do about it, and where its output lies. */
export class StepError extends Error {
  /**
   * @param {string} message what failed, one line
   * @param {{ remedy?: string, log?: string }} [more] `remedy`: what the user can do; `log`: path of the step's output
   */
  constructor(message, { remedy, log } = {}) {
    super(message);
    this.name = 'StepError';
    this.remedy = remedy;
    this.log = log;
  }
}
