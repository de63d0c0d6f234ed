/**
 * Probabilities.
 *
 * @module
 */

/**
 * Lets a probability of dropout pass.
 *
 * @throws {RangeError} It is not within [0, 1].
 */
export function requireProbability(p: number): number {
  if (p >= 0 && p <= 1) return p;
  throw new RangeError(`dropout probability has to be between 0 and 1, but got ${p}`);
}
