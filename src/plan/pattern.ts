/**
 * Patterns for keys: globs over the whole key, and regular expressions that search.
 *
 * @module
 */

import type { Pattern } from "../outcome.ts";

/** What has a meaning in a regular expression and none in a glob; braces are gone by then. */
const REGEXP_SPECIALS = /[\\^$.|+()[\]/]/g;
/** Alternatives that the braces of one glob may come to: beyond that a RegExp is what is meant. */
const MOST_ALTERNATIVES = 1000;

/** Some patterns, and which of them ever matched. */
export class PatternList {
  readonly #patterns: readonly Pattern[];
  readonly #tests: readonly ((key: string) => boolean)[];
  readonly #used: boolean[];

  /**
   * Compiles the patterns once.
   *
   * @throws {TypeError} A glob's braces do not pair.
   */
  constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
    this.#tests = patterns.map(compilePattern);
    this.#used = patterns.map(() => false);
  }

  /** The index of the first pattern that matches, or -1. Every pattern that matches counts as used. */
  first(key: string): number {
    let found = -1;
    for (let i = 0; i < this.#tests.length; i++) {
      if (found >= 0 && this.#used[i]) continue;
      if (!this.#tests[i](key)) continue;
      this.#used[i] = true;
      if (found < 0) found = i;
    }
    return found;
  }

  /** Whether any pattern matches. */
  matches(key: string): boolean {
    return this.first(key) >= 0;
  }

  /** The patterns that matched nothing so far. */
  unused(): Pattern[] {
    return this.#patterns.filter((_, i) => !this.#used[i]);
  }
}

/** The pattern that a filter is where there is none. */
export const EVERY_KEY = "*";

/**
 * A test for keys. A string is a glob over the whole key: `*` is any run of characters, dots included, `?` one
 * character, `{a,b}` either. A `RegExp` searches, from the beginning of every key whatever its `lastIndex`.
 *
 * @throws {TypeError} A glob's braces do not pair.
 */
export function compilePattern(pattern: Pattern): (key: string) => boolean {
  if (typeof pattern !== "string") {
    const own = new RegExp(pattern);
    return (key) => {
      own.lastIndex = 0;
      return own.test(key);
    };
  }
  if (!/[*?{}]/.test(pattern)) return (key) => key === pattern;
  const globs = alternativesOf(pattern).map(globExpression);
  return (key) => globs.some((glob) => glob.test(key));
}

/** A pattern as it is written in TypeScript: `"*.bias"`, `/bias$/`. */
export function showPattern(pattern: Pattern): string {
  return typeof pattern === "string" ? JSON.stringify(pattern) : String(pattern);
}

/** A glob without braces. Every run of `*` but the last takes the shortest and never reconsiders: no backtracking. */
function globExpression(glob: string): RegExp {
  const [head, ...rest] = glob.split("*").map((part) => part.replaceAll(REGEXP_SPECIALS, "\\$&").replaceAll("?", "."));
  const tail = rest.pop();
  // JavaScript has no atomic groups; a lookahead that is captured and repeated is one.
  const middle = rest.map((part, i) => `(?=(.*?${part}))\\${i + 1}`).join("");
  const end = tail === undefined ? "" : `.*${tail}`;
  // s: keys may hold line breaks; u: "?" is one character, also beyond the basic plane.
  return new RegExp(`^${head}${middle}${end}$`, "su");
}

/** The globs that a glob with braces stands for. */
function alternativesOf(glob: string): string[] {
  const done: string[] = [];
  const open = [glob];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const braces = firstBraces(next, glob);
    if (braces === null) done.push(next);
    else open.push(...braces);
    if (done.length + open.length <= MOST_ALTERNATIVES) continue;
    throw new TypeError(`Bad pattern ${JSON.stringify(glob)}: its braces come to more than ${MOST_ALTERNATIVES} globs`);
  }
  return done;
}

/** The glob with each alternative of its first braces in their place, or `null` without braces. */
function firstBraces(glob: string, whole: string): string[] | null {
  const start = glob.search(/[{}]/);
  if (start < 0) return null;
  if (glob[start] === "}") throw new TypeError(`Bad pattern ${JSON.stringify(whole)}: "}" without "{"`);
  const cuts = [start];
  let depth = 0;
  for (let i = start; i < glob.length; i++) {
    if (glob[i] === "{") depth++;
    else if (glob[i] === "," && depth === 1) cuts.push(i);
    else if (glob[i] === "}" && --depth === 0) {
      cuts.push(i);
      const [before, after] = [glob.slice(0, start), glob.slice(i + 1)];
      return cuts.slice(1).map((cut, n) => before + glob.slice(cuts[n] + 1, cut) + after);
    }
  }
  throw new TypeError(`Bad pattern ${JSON.stringify(whole)}: "{" without "}"`);
}
