/**
 * The command line: what is in a checkpoint.
 *
 * ```sh
 * deno run -R jsr:@graft/graft/cli inspect model.pt
 * ```
 *
 * Exit codes: 0 done, 1 refused, 2 the arguments are wrong.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { CheckpointError, inspectCheckpoint, LimitError, TruncatedError, UnsupportedError, VERSION } from "../mod.ts";

const USAGE = `Usage: graft inspect FILE [--filter GLOB] [--state-dict PATH] [--json]

Says what is in a checkpoint that PyTorch or safetensors wrote. Reads no tensor.

  --filter GLOB       only keys that match: * any run, ? one character, {a,b}
  --state-dict PATH   which state dict inside the file, its keys joined by dots
  --json              as JSON
  --version           the version
  --help              this text

Example: graft inspect examples/data/pretrained.pt --filter "*.weight"`;

const REFUSED = 1;
const WRONG_USAGE = 2;

/**
 * Runs one command and returns its exit code.
 *
 * @example
 * ```ts
 * import { main } from "@graft/graft/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["--version"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const unknown: string[] = [];
  const flags = parseArgs([...args], {
    boolean: ["help", "version", "json"],
    string: ["filter", "state-dict"],
    unknown: (name: string) => {
      if (name.startsWith("-")) unknown.push(name);
      return !name.startsWith("-");
    },
  });
  if (flags.version) return print(VERSION);
  if (flags.help) return print(USAGE);
  const [command, file, ...rest] = flags._.map(String);
  if (unknown.length > 0 || command !== "inspect" || file === undefined || rest.length > 0) {
    console.error(unknown.length > 0 ? `Unknown option ${unknown[0]}\n\n${USAGE}` : USAGE);
    return WRONG_USAGE;
  }
  const path = flags["state-dict"];
  try {
    const inspection = await inspectCheckpoint(file, {
      filter: flags.filter,
      stateDictPath: path === undefined ? undefined : path.split("."),
    });
    return print(flags.json ? JSON.stringify(inspection, null, 2) : inspection.text({ width: width() }));
  } catch (error) {
    if (!isRefusal(error)) throw error;
    console.error(error.message);
    return REFUSED;
  }
}

function print(text: string): number {
  console.log(text);
  return 0;
}

function isRefusal(error: unknown): error is Error {
  return [CheckpointError, UnsupportedError, LimitError, TruncatedError].some((kind) => error instanceof kind);
}

/** Columns of the terminal; where there is none, the text's own default. */
function width(): number | undefined {
  return Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
