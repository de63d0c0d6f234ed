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

class Parser {
  readonly #text: string;
  #at = 0;

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

  #object(depth: number): ReadonlyMap<string, Json> {
    const object = new Map<string, Json>();
    this.#at++;
    if (this.#skip("}")) return object;
    do {
      this.#space();
      const name = this.#string();
      if (object.has(name)) throw this.#error(`the name ${JSON.stringify(name)} for the second time`);
      if (!this.#skip(":")) throw this.#error("a name without a colon");
      object.set(name, this.value(depth));
    } while (this.#skip(","));
    if (!this.#skip("}")) throw this.#error("an object without its end");
    return object;
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

  /** The engine knows all the escapes, and refuses control characters. */
  #parseLiteral(literal: string): unknown {
    try {
      return JSON.parse(literal);
    } catch {
      throw this.#error("a string that is not one");
    }
  }

  #number(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw this.#error("no value where one must be");
    this.#at = NUMBER.lastIndex;
    const [literal, fraction] = match;
    if (literal === "-0") return -0;
    return fraction === "" && literal.length <= MAX_INTEGER_LENGTH ? BigInt(literal) : Number(literal);
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
    while (SPACE.has(this.#text[this.#at])) this.#at++;
  }

  #error(found: string): SyntaxError {
    return new SyntaxError(`${found} at character ${this.#at}`);
  }
}

const SPACE: ReadonlySet<string> = new Set([" ", "\t", "\n", "\r"]);

const NUMBER = /-?(?:0|[1-9]\d*)((?:\.\d+)?(?:[eE][+-]?\d+)?)/y;
