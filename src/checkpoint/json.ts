/**
 * JSON as a file's header needs it: objects are Maps in the order of the text, a name given twice is refused, and
 * integers are told from other numbers. `JSON.parse` can do neither.
 *
 * Source: RFC 8259, and serde_json where it is stricter or where the RFC leaves a choice.
 *
 * @module
 */

/** Lists and objects within one another that serde_json reads: it stops at the 128th. */
const MAX_DEPTH = 127;

/** The longest integer that any reader needs: -(2^64). Longer ones are numbers without exact value. */
const MAX_INTEGER_LENGTH = 21;

/** Strings up to this length are likely to come again, as the names in a header do; so many of them are remembered. */
const SHORT_LENGTH = 16;
const SHORT_SLOTS = 64;

/** Integers are bigints; numbers are what had a fraction or an exponent. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | ReadonlyMap<string, Json>;

/**
 * Parses the whole of `text`.
 *
 * @throws {SyntaxError} It is not JSON, an object has a name twice, or it is nested more than 127 deep. The message
 * names the character.
 */
export function parseJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

/**
 * Parses the whole of `text`, an object, and hands over its entries one after the other, so that what they hold need not
 * be in memory together. `false` where the text is something else than an object.
 *
 * @throws {SyntaxError} As {@linkcode parseJson} does, also for a name that comes again; those before were handed over.
 * @throws {unknown} What `take` throws.
 */
export function parseEntries(text: string, take: (name: string, value: Json) => void): boolean {
  const parser = new Parser(text);
  if (parser.entries(take)) return true;
  parseJson(text);
  return false;
}

class Parser {
  readonly #text: string;
  #at = 0;
  /** Short strings that came before, by their first character and length. */
  readonly #short = new Array<string>(SHORT_SLOTS).fill("");

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(this.#deeper(depth));
      case "[":
        return this.#array(this.#deeper(depth));
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #deeper(depth: number): number {
    if (depth === MAX_DEPTH) throw this.#error(`nesting of more than ${MAX_DEPTH}`);
    return depth + 1;
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw this.#error("something after the value");
  }

  /** The entries of an object that is the whole text; `false` where it is another value. */
  entries(take: (name: string, value: Json) => void): boolean {
    this.#space();
    if (this.#text[this.#at] !== "{") return false;
    const names = new Set<string>();
    this.#at++;
    if (!this.#skip("}")) {
      do {
        const name = this.#name();
        if (names.size === names.add(name).size) throw this.#twice(name);
        this.#colon();
        take(name, this.value(1));
      } while (this.#skip(","));
      this.#brace();
    }
    this.end();
    return true;
  }

  #object(depth: number): ReadonlyMap<string, Json> {
    const object = new Map<string, Json>();
    this.#at++;
    if (this.#skip("}")) return object;
    do {
      const name = this.#name();
      if (object.has(name)) throw this.#twice(name);
      this.#colon();
      object.set(name, this.value(depth));
    } while (this.#skip(","));
    this.#brace();
    return object;
  }

  #name(): string {
    this.#space();
    return this.#string();
  }

  #twice(name: string): SyntaxError {
    return this.#error(`the name ${JSON.stringify(name)} for the second time`);
  }

  #colon(): void {
    if (!this.#skip(":")) throw this.#error("a name without a colon");
  }

  #brace(): void {
    if (!this.#skip("}")) throw this.#error("an object without its end");
  }

  #array(depth: number): readonly Json[] {
    const array: Json[] = [];
    this.#at++;
    if (this.#skip("]")) return array;
    do array.push(this.value(depth)); while (this.#skip(","));
    if (!this.#skip("]")) throw this.#error("an array without its end");
    return array;
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') throw this.#error("no string where one must be");
    PLAIN_STRING.lastIndex = start;
    if (PLAIN_STRING.test(this.#text)) {
      this.#at = PLAIN_STRING.lastIndex;
      return this.#plain(start + 1, this.#at - 1);
    }
    let end = start + 1;
    for (; this.#text[end] !== '"'; end++) {
      if (end >= this.#text.length) throw this.#error("a string without its end");
      if (this.#text[end] === "\\") end++;
    }
    this.#at = end + 1;
    const value = this.#parseLiteral(this.#text.slice(start, this.#at));
    if (typeof value !== "string" || !value.isWellFormed()) throw this.#error("a string that is half a character");
    return value;
  }

  /** A part of the text. A short one that came before is the same string again, which the engine has interned already. */
  #plain(start: number, end: number): string {
    const length = end - start;
    if (length > SHORT_LENGTH) return this.#text.slice(start, end);
    const slot = (31 * this.#text.charCodeAt(start) + length) % SHORT_SLOTS;
    const before = this.#short[slot];
    if (before?.length === length && this.#text.startsWith(before, start)) return before;
    return this.#short[slot] = this.#text.slice(start, end);
  }

  /** The engine knows all the escapes, and refuses control characters. */
  #parseLiteral(literal: string): unknown {
    try {
      return JSON.parse(literal);
    } catch {
      throw this.#error("a string that is not one");
    }
  }

  #number(): number | bigint {
    const digits = this.#digits();
    if (digits !== null) return BigInt(digits);
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error("no value where one must be");
    this.#at = NUMBER.lastIndex;
    const [literal, fraction] = match;
    if (literal === "-0") return -0;
    return fraction === "" && literal.length <= MAX_INTEGER_LENGTH ? BigInt(literal) : Number(literal);
  }

  /** The integers of a header, which are nearly all that is in it: a few digits, and no more of a number behind them. */
  #digits(): number | null {
    const text = this.#text;
    let at = this.#at;
    let value = text.charCodeAt(at++) - DIGIT_0;
    if (!(value >= 0 && value <= 9)) return null;
    const isZero = value === 0;
    for (; at - this.#at <= MAX_EXACT_DIGITS; at++) {
      const code = text.charCodeAt(at);
      const digit = code - DIGIT_0;
      if (digit >= 0 && digit <= 9 && !isZero) {
        value = value * 10 + digit;
        continue;
      }
      if (code === POINT || code === UPPER_E || code === LOWER_E) return null;
      this.#at = at;
      return value;
    }
    return null;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error("no value where one must be");
    this.#at += word.length;
    return value;
  }

  /** Steps over space and then `character`, if it is there. */
  #skip(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (let code = this.#text.charCodeAt(this.#at); code <= BLANK; code = this.#text.charCodeAt(++this.#at)) {
      if (code !== BLANK && code !== TAB && code !== LINE_FEED && code !== CARRIAGE_RETURN) return;
    }
  }

  #error(found: string): SyntaxError {
    return new SyntaxError(`${found} at character ${this.#at}`);
  }
}

/** A string without escapes, control characters or halves of characters is its own text. */
// deno-lint-ignore no-control-regex -- those are what JSON does not allow
const PLAIN_STRING = /"[^"\\\x00-\x1f\ud800-\udfff]*"/y;

/** Characters, by their codes. */
const [TAB, LINE_FEED, CARRIAGE_RETURN, BLANK, POINT, DIGIT_0, UPPER_E, LOWER_E] = Array.from(
  "\t\n\r .0Ee",
  (character) => character.charCodeAt(0),
);

/** So many digits, and the first, make a number that is exact: 10^15 is below 2^53. */
const MAX_EXACT_DIGITS = 14;

const NUMBER = /-?(?:0|[1-9]\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
