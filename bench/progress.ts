/**
 * What a long benchmark is at, for a person who waits: one line of the terminal, which the next one replaces. Where
 * errors go to no terminal, nothing is printed.
 *
 * @module
 */

/** Back to the start of the line, and the rest of it away (ECMA-48, EL). */
const CLEAR = "\r\x1b[K";

/** Says what is at hand; without a text, says nothing any more. */
export function progress(text = ""): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(CLEAR + text));
}
