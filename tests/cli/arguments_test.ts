import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../mod.ts";
import { PRETRAINED, run } from "./screen.ts";

const COMMANDS = ["inspect", "plan", "diff", "convert"];

Deno.test("graft --version and --help go to stdout and exit with 0", async () => {
  assertEquals(await run(["--version"]), { code: 0, out: VERSION, err: "", progress: [] });
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const { code, out, err } = await run(args);
    assertEquals([code, err], [0, ""]);
    for (const command of COMMANDS) assertMatch(out, new RegExp(`^  ${command}  `, "m"));
  }
});

Deno.test("graft without a command prints its help to stderr and exits with 2", async () => {
  const { code, out, err } = await run([]);
  assertEquals([code, out], [2, ""]);
  assertStringIncludes(err, "Usage: graft COMMAND");
});

for (const command of COMMANDS) {
  Deno.test(`graft ${command} --help has an example and fits 60 columns`, async () => {
    for (const args of [[command, "--help"], ["--help", command], ["help", command], [command, "-h", "x.pt"]]) {
      const { code, out } = await run(args, { width: 60 });
      assertEquals(code, 0);
      const [text, example] = out.split("\nExample:\n");
      assertStringIncludes(text, `Usage: graft ${command} `);
      assertStringIncludes(example, `graft ${command} `);
      assertEquals(text.split("\n").filter((line) => line.length > 60), []);
    }
  });
}

const WRONG: readonly (readonly [readonly string[], string])[] = [
  [["inspct", "x"], 'Unknown command "inspct", did you mean inspect?'],
  [["con", "x"], 'Unknown command "con", did you mean convert?'],
  [["frobnicate"], 'Unknown command "frobnicate"; the commands are inspect, plan, diff, convert'],
  [["--jsn", "inspect", PRETRAINED], "Unknown option --jsn, did you mean --json?"],
  [["inspect", PRETRAINED, "--filtr=x"], "Unknown option --filtr, did you mean --filter?"],
  [["plan", PRETRAINED, "--no-strct"], "Unknown option --no-strct, did you mean --no-strict?"],
  [["inspect", PRETRAINED, "--allow-missing", "x"], "Unknown option --allow-missing; --help lists the options"],
  [["inspect", PRETRAINED, "-x"], "Unknown option -x; --help lists the options"],
  [["inspect"], "FILE is missing"],
  [["diff"], "A and B are missing"],
  [["diff", PRETRAINED], "B is missing"],
  [["plan", PRETRAINED], "--model MODEL.ts is missing"],
  [["inspect", PRETRAINED, "other.pt"], 'One argument too many: "other.pt"'],
  [["inspect", PRETRAINED, "--filter"], "--filter needs a value: --filter GLOB"],
  [["inspect", PRETRAINED, "--filter="], "--filter needs a value: --filter GLOB"],
  [["inspect", PRETRAINED, "--filter", "a", "--filter", "b"], "--filter is given twice"],
  [["inspect", PRETRAINED, "--filter", "a{b"], 'Bad pattern "a{b": "{" without "}"'],
  [
    ["diff", "a", "b", "--state-dict", "a", "--state-dict", "b", "--state-dict", "c"],
    "--state-dict is given more than",
  ],
  [["convert", PRETRAINED, "x.safetensors", "--dtype", "flaot16"], 'Unknown dtype "flaot16", did you mean float16?'],
  [["convert", PRETRAINED, "x.safetensors", "--dtype", "int8"], 'Unknown dtype "int8"'],
  [["convert", PRETRAINED, "x.safetensors", "--rename", "a"], '--rename needs FROM=TO, got "a"'],
  [["convert", PRETRAINED, "x.safetensors", "--rename", "auto"], '--rename needs FROM=TO, got "auto"'],
  [["convert", PRETRAINED, "x.safetensors", "--rename", "/(/=x"], "--rename /(/=x: Invalid regular expression"],
  [
    ["plan", PRETRAINED, "--model", "m.ts", "--cast", "widn"],
    '--cast needs allow, widen, error, got "widn", did you mean',
  ],
  [["plan", PRETRAINED, "--model", "m.ts", "--mismatch", "*.w=skp"], "--mismatch needs error, skip or overlap"],
  [["plan", PRETRAINED, "--model", "m.ts", "--min-coverage", "90"], "--min-coverage needs a fraction from 0 to 1"],
  [["plan", PRETRAINED, "--model", "m.ts", "--init-missing", "xavier_unifrm_"], "did you mean xavierUniform_?"],
  [["plan", PRETRAINED, "--model", "m.ts", "--no-strict", "--allow-missing", "a"], "--no-strict allows every key"],
  [["plan", PRETRAINED, "--model", "m.ts", "--rename", "auto", "--strip", "a."], "--rename auto stands alone"],
];

for (const [args, message] of WRONG) {
  Deno.test(`graft refuses wrong usage with 2: ${message}`, async () => {
    const { code, out, err } = await run(args);
    assertEquals([code, out], [2, ""]);
    assertEquals(err.startsWith(message) || err.includes(message), true, err);
    assertEquals(err.includes("    at "), false, "no stack");
  });
}

Deno.test("graft takes options before, between and after the files, and files after --", async () => {
  const plain = await run(["inspect", PRETRAINED, "--json"]);
  assertEquals(await run(["--json", "inspect", PRETRAINED]), plain);
  assertEquals(await run(["inspect", "--json", "--", PRETRAINED]), plain);
  const { err } = await run(["inspect", "--", "--json"]);
  assertStringIncludes(err, 'Cannot open "--json"');
});
