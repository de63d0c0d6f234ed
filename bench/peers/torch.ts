/**
 * PyTorch as a peer: a Python process that does a job whenever it is told to. Its Python is named by the environment
 * variable `GRAFT_TORCH_PYTHON`.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Contestant } from "../contestant.ts";

/** The variable that names a Python which has PyTorch. */
export const VARIABLE = "GRAFT_TORCH_PYTHON";

/** A running PyTorch. */
export class Torch {
  /** Its version. */
  readonly version: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Deno.ChildProcess, lines: AsyncIterator<string>, version: string) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#lines = lines;
    this.version = version;
  }

  /** Starts it; says so and gives `null` where it is not installed. */
  static async start(): Promise<Torch | null> {
    const python = process.env[VARIABLE];
    if (python === undefined) {
      console.error(`torch: not installed (${VARIABLE} can name a Python that has it)`);
      return null;
    }
    const script = fileURLToPath(new URL("torch_peer.py", import.meta.url));
    const child = new Deno.Command(python, { args: [script], stdin: "piped", stdout: "piped" }).spawn();
    const lines = linesOf(child.stdout);
    return new Torch(child, lines, await nextLine(lines));
  }

  /** A job of `torch_peer.py` as a contestant, with the few microseconds that telling it takes. */
  contestant(job: string): Contestant {
    const line = new TextEncoder().encode(`${job}\n`);
    return {
      name: `torch ${this.version}`,
      isAsync: true,
      isElsewhere: true,
      run: async () => {
        await this.#input.write(line);
        return Number(await nextLine(this.#lines));
      },
    };
  }

  /** Ends it. */
  async stop(): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }

  /** Ends it at once, where nothing can be awaited. */
  kill(): void {
    this.#child.kill();
  }
}

async function nextLine(lines: AsyncIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) {
    throw new Error("The Python of torch ended: what it printed says why");
  }
  return value;
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
