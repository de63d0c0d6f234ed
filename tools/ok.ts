/**
 * `deno task ok`: the gate. Runs every check, also after one failed, and says at the end which did and how long each took.
 *
 * Arguments select steps by name: `deno task ok lint types`.
 *
 * @module
 */

/** One check. */
interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder to run in, from the repository; its root by default. */
  readonly folder?: string;
}

/** The repository. */
const ROOT = new URL("..", import.meta.url);

/** What a user can import; everything they reach is documented. */
const ENTRY_POINTS = ["mod.ts", "src/checkpoint/mod.ts", "src/cli.ts"];

/** This very program: `deno` need not be on the path. */
const DENO = Deno.execPath();

/** Cheapest first, so that a person who watches sees a failure early. */
const STEPS: readonly Step[] = [
  { name: "format", command: DENO, args: ["fmt", "--check"] },
  { name: "lint", command: DENO, args: ["lint"] },
  { name: "types", command: DENO, args: ["check", "mod.ts", "src", "tests", "examples", "bench", "tools"] },
  { name: "docs", command: DENO, args: ["doc", "--lint", ...ENTRY_POINTS] },
  { name: "test", command: DENO, args: ["task", "test"] },
  {
    name: "cli",
    command: DENO,
    args: ["test", "-R", "-W", "-E", "--allow-run", "tests/cli/process_test.ts"],
  },
  {
    name: "save",
    command: DENO,
    args: ["test", "-R", "-W", "-E", "--allow-run", "tests/load/save_process_test.ts"],
  },
  {
    name: "bundle",
    command: DENO,
    args: ["test", "-R", "-W", "-E", "--allow-run", "tests/bundle_test.ts"],
  },
  { name: "wasm:check", command: DENO, args: ["task", "wasm:check"] },
  { name: "publish", command: DENO, args: ["publish", "--dry-run", "--allow-dirty"] },
  { name: "cargo:fmt", command: "cargo", args: ["fmt", "--check"], folder: "rust/" },
  {
    name: "cargo:clippy",
    command: "cargo",
    args: ["clippy", "--all-targets", "--locked", "--", "-D", "warnings"],
    folder: "rust/",
  },
  { name: "cargo:test", command: "cargo", args: ["test", "--locked", "--quiet"], folder: "rust/" },
];

if (import.meta.main) {
  const chosen = STEPS.filter((step) => Deno.args.length === 0 || Deno.args.includes(step.name));
  const lines: string[] = [];
  let failed = 0;
  for (const step of chosen) {
    console.log(`\n=== ${step.name}`);
    const started = performance.now();
    const passed = await run(step);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    lines.push(`${passed ? "ok    " : "FAILED"}  ${step.name.padEnd(12)}${seconds.padStart(7)} s`);
    if (!passed) failed++;
  }
  console.log(`\n${lines.join("\n")}`);
  if (failed > 0) Deno.exit(1);
}

async function run({ command, args, folder = "" }: Step): Promise<boolean> {
  try {
    const child = new Deno.Command(command, {
      args: [...args],
      cwd: new URL(folder, ROOT),
      stdout: "inherit",
      stderr: "inherit",
    });
    return (await child.output()).success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.error(`"${command}" is not installed`);
    return false;
  }
}
