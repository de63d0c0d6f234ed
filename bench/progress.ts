/**
 * What a long benchmark is at, for a person who waits: one line of the terminal, which the next one replaces, or the
 * `output` of a page. Where errors go to no terminal, nothing is printed.
 *
 * @module
 */

/** Back to the start of the line, and the rest of it away (ECMA-48, EL). */
const CLEAR = "\r\x1b[K";

/** Milliseconds in which a page draws what changed; while a benchmark runs, it draws nothing. */
const FRAME = 30;

/** Says what is at hand; without a text, says nothing any more. In a page, returns when it can be read. */
export async function progress(text = ""): Promise<void> {
  if ("document" in globalThis) {
    document.querySelector("output")?.replaceChildren(text);
    await new Promise((resolve) => setTimeout(resolve, FRAME));
  } else if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(CLEAR + text));
}
