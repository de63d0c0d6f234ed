/**
 * The command line: what is in a checkpoint, what loading it would do, what is different between two, and one as another
 * file.
 *
 * ```sh
 * deno run -R jsr:@graft/graft/cli inspect model.pt
 * deno run -R jsr:@graft/graft/cli plan model.pt --model model.ts --allow-missing "head.*"
 * deno run -R jsr:@graft/graft/cli diff before.pt after.safetensors --values
 * deno run -R -W jsr:@graft/graft/cli convert model.pt model.safetensors --dtype float16
 * ```
 *
 * Exit codes: 0 done; 1 refused, or different; 2 the arguments are wrong; 130 stopped with Ctrl-C.
 *
 * `--json` prints one object. Its keys are stable: later versions may add some.
 *
 * | command | keys |
 * | --- | --- |
 * | `inspect` | those of `Inspection.toJSON`: `format path tensors parameters byteLength` |
 * | `plan` | those of `LoadPlan.toJSON`: `ok problems suggestions bytesToRead peakBytes` and those of the report; each suggestion with its `flags` for this command line, or `null` |
 * | `diff` | those of `Comparison.toJSON`: `equal missing extra shapes dtypes others compared values unreadable` |
 * | `convert` | those of `Conversion.toJSON`: `from path files tensors byteLength aliases renamed dropped unusedRules casts overflowed vanished` |
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { VERSION } from "../mod.ts";
import { type Call, type Command, DONE, INTERRUPTED, type Option, UsageError, WRONG_USAGE } from "./cli/command.ts";
import { convert } from "./cli/convert.ts";
import { diff } from "./cli/diff.ts";
import { explain } from "./cli/failure.ts";
import { commandHelp, EVERYWHERE, programHelp, spelling, usage } from "./cli/help.ts";
import { inspect } from "./cli/inspect.ts";
import type { Needed } from "./cli/permission.ts";
import { plan } from "./cli/plan.ts";
import { didYouMean } from "./cli/spelling.ts";
import { Interruption, processTerminal, type Terminal } from "./cli/terminal.ts";

export type { Terminal } from "./cli/terminal.ts";

const COMMANDS: readonly Command[] = [inspect, plan, diff, convert];

/** The options that may stand before a command, or without one. */
const GLOBAL: readonly Option[] = [...EVERYWHERE, { name: "version", help: "the version" }];

/**
 * Runs one command and returns its exit code.
 *
 * @param args What stands after the program's name.
 * @param terminal Where to print; by default this process's own terminal.
 *
 * @example A command whose output is kept
 * ```ts
 * import { main, type Terminal } from "@graft/graft/cli";
 * import { assertEquals } from "@std/assert";
 *
 * const lines: string[] = [];
 * const terminal: Terminal = {
 *   width: 60,
 *   color: false,
 *   isWatched: false,
 *   print: (text) => lines.push(text),
 *   complain: (text) => lines.push(text),
 *   progress: () => {},
 *   interruption: () => new AbortController().signal,
 * };
 * assertEquals(await main(["inspect", "examples/data/pretrained.pt"], terminal), 0);
 * assertEquals(lines[0].split("\n")[1], "4 tensors, 67 parameters, 268 bytes: all float32");
 * ```
 */
export async function main(args: readonly string[], terminal: Terminal = processTerminal()): Promise<number> {
  let needed: Needed = { read: [], write: [] };
  try {
    const [name, ...rest] = splitCommand(args);
    if (name === undefined) return withoutCommand(args, terminal);
    const command = COMMANDS.find((candidate) => candidate.name === name) ?? unknownCommand(name);
    const call = callOf(command, rest, terminal);
    if (call === null) return DONE;
    needed = command.needs(call);
    return await command.run(call, terminal);
  } catch (error) {
    if (error instanceof Interruption) return INTERRUPTED;
    const failure = explain(error, needed);
    if (failure === null) throw error;
    terminal.complain(failure.message);
    return failure.code;
  }
}

/** What a command is called with, with all of its files; `null` where it was asked about, and answered. */
function callOf(command: Command, args: readonly string[], terminal: Terminal): Call | null {
  const flags = parse(args, [...command.options, ...GLOBAL]);
  if (flags.has("help") || flags.has("version")) {
    terminal.print(flags.has("help") ? commandHelp(command, terminal.width) : VERSION);
    return null;
  }
  const { files } = flags;
  const lacking = [
    ...command.files.slice(files.length),
    ...command.options.filter(({ name, required }) => required && flags.text(name) === undefined).map(spelling),
  ];
  const surplus = files.slice(command.files.length);
  if (lacking.length + surplus.length === 0) return flags;
  const problem = surplus.length > 0
    ? `One argument too many: "${surplus[0]}"`
    : `${lacking.join(" and ")} ${lacking.length === 1 ? "is" : "are"} missing`;
  throw new UsageError(`${problem}\nUsage: ${usage(command)}\nMore: graft ${command.name} --help`);
}

function withoutCommand(args: readonly string[], terminal: Terminal): number {
  const flags = parse(args, GLOBAL);
  if (flags.has("version")) terminal.print(VERSION);
  else if (flags.has("help") || flags.files[0] === "help") terminal.print(programHelp(COMMANDS, terminal.width));
  else {
    terminal.complain(programHelp(COMMANDS, terminal.width));
    return WRONG_USAGE;
  }
  return DONE;
}

/** The first word is the command; what stands before it is for every command. */
function splitCommand(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const [first, second] = at < 0 ? [] : args.slice(at);
  // `graft help plan`, as many programs have it.
  if (first === "help") return second === undefined ? [] : [second, "--help"];
  return at < 0 ? [] : [args[at], ...args.slice(0, at), ...args.slice(at + 1)];
}

function unknownCommand(name: string): never {
  const names = COMMANDS.map((command) => command.name);
  const hint = didYouMean(name, names) || `; the commands are ${names.join(", ")}`;
  throw new UsageError(`Unknown command "${name}"${hint}\nMore: graft --help`);
}

/** The arguments of one command, every one of them known and in its place. */
function parse(args: readonly string[], options: readonly Option[]): Call {
  const valued = options.filter(({ value }) => value !== undefined).map(({ name }) => name);
  const switches = options.filter(({ value, negatable }) => value === undefined && !negatable).map(({ name }) => name);
  const negatable = options.filter((option) => option.negatable).map(({ name }) => name);
  const flags: Readonly<Record<string, unknown>> = parseArgs([...args], {
    boolean: [...switches, ...negatable],
    string: ["_", ...valued],
    collect: valued,
    negatable,
    default: Object.fromEntries(negatable.map((name) => [name, true])),
    alias: { help: "h" },
    unknown: (arg: string) => !arg.startsWith("-") || arg === "-" || unknownOption(arg, options),
  });
  const texts = (name: string) => stringsOf(flags[name]);
  for (const { name, value, many } of options) {
    if (value === undefined) continue;
    if (texts(name).includes("")) throw new UsageError(`--${name} needs a value: --${name} ${value}`);
    if (!many && texts(name).length > 1) throw new UsageError(`--${name} is given twice`);
  }
  return {
    files: stringsOf(flags._),
    json: flags.json === true,
    has: (name) => flags[name] === true,
    text: (name) => texts(name)[0],
    texts,
    ordered: (names) => inOrder(args, names).map(([name, i]) => [name, texts(name)[i]]),
  };
}

function unknownOption(arg: string, options: readonly Option[]): never {
  const [written] = arg.split("=");
  const names = options.flatMap(({ name, negatable }) => negatable ? [name, `no-${name}`] : [name]);
  const hint = didYouMean(written.replace(/^-+/, ""), names, "--") || "; --help lists the options";
  throw new UsageError(`Unknown option ${written}${hint}`);
}

/** Which of the named options stand where: each with its number among those of its name. */
function inOrder(args: readonly string[], names: readonly string[]): [string, number][] {
  const end = args.indexOf("--");
  const counts = new Map<string, number>();
  return args.slice(0, end < 0 ? args.length : end).flatMap((arg): [string, number][] => {
    const name = names.find((candidate) => arg === `--${candidate}` || arg.startsWith(`--${candidate}=`));
    if (name === undefined) return [];
    const i = counts.get(name) ?? 0;
    counts.set(name, i + 1);
    return [[name, i]];
  });
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

if (import.meta.main) Deno.exit(await main(Deno.args));
