/**
 * What a misspelt word was probably meant to be.
 *
 * @module
 */

import { nearestWord } from "../plan/nearest.ts";

/** `, did you mean "plan"?`, or what there is. */
export function didYouMean(word: string, candidates: readonly string[], prefix = ""): string {
  const near = nearestWord(word, candidates) ?? candidates.find((candidate) => candidate.startsWith(word));
  return near === undefined || word === "" ? "" : `, did you mean ${prefix}${near}?`;
}

/** The word, if it is one of those allowed. */
export function oneOf<T extends string>(word: string, allowed: readonly T[]): T | undefined {
  return allowed.find((candidate) => candidate === word);
}
