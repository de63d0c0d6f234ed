/**
 * Where a command prints: the terminal or pipe of this process, or what a test puts in its place.
 *
 * @module
 */

/** Back to the first column, and the line is empty. */
const ERASE = "\r\x1b[K";

/**
 * What a command knows of the world it prints to.
 *
 * @example A command whose output is kept
 * ```ts
 * import { main, type Terminal } from "@graft/graft/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const errors: string[] = [];
 * const terminal: Terminal = {
 *   width: undefined,
 *   color: false,
 *   isWatched: false,
 *   print: () => {},
 *   complain: (text) => errors.push(text),
 *   progress: () => {},
 *   interruption: () => new AbortController().signal,
 * };
 * assertEquals(await main(["inspct"], terminal), 2);
 * assertEquals(errors[0].split("\n")[0], 'Unknown command "inspct", did you mean inspect?');
 * ```
 */
export interface Terminal {
  /** Columns of a line; `undefined` where it is no terminal. */
  readonly width: number | undefined;
  /** Whether to colour what goes to stdout. */
  readonly color: boolean;
  /** Whether somebody watches stderr: only then is progress shown. */
  readonly isWatched: boolean;
  /** Writes to stdout, and ends the line. A reader that has gone is no error. */
  print(text: string): void;
  /** Writes to stderr what went wrong. */
  complain(text: string): void;
  /** Puts a line in the place of the last one on stderr; an empty one takes it away. */
  progress(line: string): void;
  /** Aborts on Ctrl-C from now on, where the process would otherwise just end. */
  interruption(): AbortSignal;
}

/** The terminal, pipe or file that this process was given. It reads no environment variable and asks for nothing. */
export function processTerminal(): Terminal {
  const isTerminal = Deno.stdout.isTerminal();
  const columns = isTerminal ? Deno.consoleSize().columns : 0;
  return {
    // A terminal that does not know its size says 0.
    width: columns > 0 ? columns : undefined,
    color: isTerminal && !Deno.noColor,
    isWatched: Deno.stderr.isTerminal(),
    print: (text) => write(Deno.stdout, `${text}\n`),
    complain: (text) => write(Deno.stderr, `${text}\n`),
    progress: (line) => write(Deno.stderr, ERASE + line),
    interruption,
  };
}

function interruption(): AbortSignal {
  const controller = new AbortController();
  Deno.addSignalListener("SIGINT", () => controller.abort(new Interruption()));
  return controller.signal;
}

/** Ctrl-C. */
export class Interruption extends Error {
  /** The name of the class. */
  override readonly name: string = "Interruption";

  /** Nobody reads a message. */
  constructor() {
    super("Interrupted");
  }
}

/** What was to be printed has no place: the disk behind `> file` is full, say. */
export class OutputError extends Error {
  /** The name of the class. */
  override readonly name: string = "OutputError";

  /** Says why. */
  constructor(cause: unknown) {
    super(`Cannot write the output: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Writes everything; `| head -1` closes the pipe early, and means it. */
function write(sink: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) done += sink.writeSync(bytes.subarray(done));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return;
    throw new OutputError(error);
  }
}
