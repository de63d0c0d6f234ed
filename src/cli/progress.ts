/**
 * One line on stderr about work that takes longer than a moment, for somebody who watches.
 *
 * @module
 */

import type { LoadProgress } from "../../mod.ts";
import type { Terminal } from "./terminal.ts";

/** A moment, in milliseconds: below it a line would only flicker. */
const MOMENT = 500;
/** How often the line changes, in milliseconds. */
const EVERY = 100;

/** Shows how far some work has come. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #verb: string;
  readonly #now: () => number;
  readonly #started: number;
  #shown: number | null = null;

  /** Shows nothing yet; `now` is the clock, in milliseconds. */
  constructor(terminal: Terminal, verb: string, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#verb = verb;
    this.#now = now;
    this.#started = now();
  }

  /** What the library calls. */
  readonly onProgress = ({ done, total }: LoadProgress): void => {
    const now = this.#now();
    const due = this.#shown === null ? this.#started + MOMENT : this.#shown + EVERY;
    if (!this.#terminal.isWatched || now < due) return;
    this.#shown = now;
    const percent = total === 0 ? 100 : Math.floor(100 * done / total);
    this.#terminal.progress(`${this.#verb} ${percent} %`);
  };

  /** Takes the line away. */
  end(): void {
    if (this.#shown !== null) this.#terminal.progress("");
    this.#shown = null;
  }
}

/** Does some work with its progress shown. */
export async function withProgress<T>(
  terminal: Terminal,
  verb: string,
  work: (onProgress: (progress: LoadProgress) => void) => Promise<T>,
): Promise<T> {
  const line = new ProgressLine(terminal, verb);
  try {
    return await work(line.onProgress);
  } finally {
    line.end();
  }
}
