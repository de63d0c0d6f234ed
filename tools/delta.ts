/**
 * Makes the deltas that `src/core/delta.ts` applies: greedy, with the longest match among the places where the same
 * bytes begin in the base.
 *
 * @module
 */

/** Bytes that must agree before a copy is looked at: shorter ones cost as much as they save. */
const LEAST_MATCH = 8;

/** Places tried for one position. Code repeats itself; beyond this many the gain is nothing. */
const MOST_PLACES = 64;

/** The difference that leads from `base` to `target`. */
export function makeDelta(base: Uint8Array, target: Uint8Array): Uint8Array<ArrayBuffer> {
  const places = index(base);
  const steps: number[] = [];
  putNumber(steps, target.length);
  let literal = 0;
  let from = 0;
  let at = 0;
  while (at < target.length) {
    const copy = longest(base, target, { at, expected: from + at - literal, candidates: places.get(key(target, at)) });
    if (copy.length < LEAST_MATCH) {
      at++;
      continue;
    }
    putLiteral(steps, target.subarray(literal, at));
    putNumber(steps, copy.length * 2 + 1);
    const distance = copy.start - from;
    putNumber(steps, distance >= 0 ? distance * 2 : -distance * 2 - 1);
    from = copy.start + copy.length;
    at += copy.length;
    literal = at;
  }
  putLiteral(steps, target.subarray(literal));
  return Uint8Array.from(steps);
}

/** Where every run of {@linkcode LEAST_MATCH} bytes begins. */
function index(base: Uint8Array): ReadonlyMap<string, readonly number[]> {
  const places = new Map<string, number[]>();
  for (let at = 0; at + LEAST_MATCH <= base.length; at++) {
    const found = places.get(key(base, at));
    if (found === undefined) places.set(key(base, at), [at]);
    else if (found.length < MOST_PLACES) found.push(at);
  }
  return places;
}

function key(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + LEAST_MATCH));
}

interface Search {
  readonly at: number;
  /** Where the base goes on if what lies between is a replacement of the same length. */
  readonly expected: number;
  readonly candidates: readonly number[] | undefined;
}

/** The longest copy that begins at `search.at`; the expected place wins a tie, because its distance is small. */
function longest(base: Uint8Array, target: Uint8Array, search: Search): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (const start of [search.expected, ...search.candidates ?? []]) {
    let length = 0;
    while (
      start + length < base.length && search.at + length < target.length &&
      base[start + length] === target[search.at + length]
    ) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

function putLiteral(steps: number[], bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  putNumber(steps, bytes.length * 2);
  for (const byte of bytes) steps.push(byte);
}

function putNumber(steps: number[], value: number): void {
  for (; value >= 0x80; value = Math.floor(value / 0x80)) steps.push((value & 0x7f) | 0x80);
  steps.push(value);
}
