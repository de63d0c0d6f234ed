/**
 * Patterns for keys: globs over the whole key, and regular expressions that search.
 *
 * @module
 */

import type { Pattern } from "../outcome.ts";

/** What has a meaning in a regular expression and none in a glob. */
const REGEXP_SPECIALS = /[\\^$.|+()[\]/]/;

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
  const glob = globExpression(pattern);
  return (key) => glob.test(key);
}

/** A pattern as it is written in TypeScript: `"*.bias"`, `/bias$/`. */
export function showPattern(pattern: Pattern): string {
  return typeof pattern === "string" ? JSON.stringify(pattern) : String(pattern);
}

function globExpression(glob: string): RegExp {
  let source = "";
  let depth = 0;
  for (const char of glob) {
    if (char === "*") source += ".*";
    else if (char === "?") source += ".";
    else if (char === "{") {
      source += "(?:";
      depth++;
    } else if (char === "}") {
      source += ")";
      if (--depth < 0) throw new TypeError(`Bad pattern ${JSON.stringify(glob)}: "}" without "{"`);
    } else if (char === "," && depth > 0) source += "|";
    else source += REGEXP_SPECIALS.test(char) ? `\\${char}` : char;
  }
  if (depth > 0) throw new TypeError(`Bad pattern ${JSON.stringify(glob)}: "{" without "}"`);
  // u: "?" is one character, also beyond the basic plane; s: keys may hold line breaks.
  return new RegExp(`^(?:${source})$`, "su");
}
