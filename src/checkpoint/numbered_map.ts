/**
 * A map by names, most of which are a stem and a number, as the records of a checkpoint are: `archive/data/123`.
 *
 * An engine interns every text that becomes the key of a `Map`, in one table for the whole program: that takes longer
 * than all else that is done for a name. So the numbers are keys as numbers, and their stem is one text.
 *
 * @module
 */

/** Digits of the longest number that is a small integer in every engine. */
const MAX_DIGITS = 9;

const [DIGIT_0, DIGIT_9] = [0x30, 0x39];

/** Names and what they lead to. */
export class NumberedMap<T> {
  readonly #named = new Map<string, T>();
  /** By the stem. An engine keeps an array with holes as it is, dense or as a table. */
  readonly #numbered = new Map<string, T[]>();

  /** What a name leads to. */
  get(name: string): T | undefined {
    const end = stemLength(name);
    if (end === name.length) return this.#named.get(name);
    return this.#numbered.get(name.slice(0, end))?.[decimal(name.slice(end))];
  }

  /** Lets a name lead to a value. */
  set(name: string, value: T): void {
    const end = stemLength(name);
    if (end === name.length) this.#named.set(name, value);
    else this.numbers(name.slice(0, end))[decimal(name.slice(end))] = value;
  }

  /** What those names lead to that are `stem`, which does not end with a digit, and a number; they may be set here. */
  numbers(stem: string): T[] {
    const known = this.#numbered.get(stem);
    if (known !== undefined) return known;
    const numbers: T[] = [];
    this.#numbered.set(stem, numbers);
    return numbers;
  }

  /** The stems. */
  stems(): Iterable<string> {
    return this.#numbered.keys();
  }

  /** The names that are not a stem and a number. */
  others(): Iterable<string> {
    return this.#named.keys();
  }
}

/** A number as JavaScript writes it, of at most nine digits; -1 for any other text. */
export function decimal(text: string): number {
  const { length } = text;
  if (length === 0 || length > MAX_DIGITS || (length > 1 && text.charCodeAt(0) === DIGIT_0)) return -1;
  let number = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < DIGIT_0 || code > DIGIT_9) return -1;
    number = number * 10 + code - DIGIT_0;
  }
  return number;
}

/** Characters before the number that a name ends with; all where it ends with none. */
function stemLength(name: string): number {
  let end = name.length;
  while (end > 0 && isDigit(name.charCodeAt(end - 1))) end--;
  return decimal(name.slice(end)) < 0 ? name.length : end;
}

function isDigit(code: number): boolean {
  return code >= DIGIT_0 && code <= DIGIT_9;
}

/** Where the number begins that a name in bytes ends with; `end` where it ends with none. */
export function numberStart(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isDigit(bytes[at - 1])) at--;
  const isNumber = end - at <= MAX_DIGITS && (end - at === 1 || bytes[at] !== DIGIT_0);
  return isNumber ? at : end;
}

/** The number of bytes that {@linkcode numberStart} found. */
export function numberIn(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let i = start; i < end; i++) number = number * 10 + bytes[i] - DIGIT_0;
  return number;
}
