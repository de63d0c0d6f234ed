/**
 * The command line as a process of its own: pipes, permissions, signals, environment. Runs where processes may be
 * started: `deno task ok cli`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeSafetensors, zeros } from "../../mod.ts";
import { inFolder, model, PRETRAINED } from "./screen.ts";

const CLI = new URL("../../src/cli.ts", import.meta.url).href;
const CONFIG = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
/** A second for each 200 of them: far longer than a process takes to begin to write. */
const MOST_WAITS = 6000;
const ignore = Deno.permissions.querySync({ name: "run" }).state !== "granted";

interface Options {
  readonly permissions?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

function command(args: readonly string[], { permissions = ["-R", "-W"], env = {}, cwd }: Options = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--config", CONFIG, ...permissions, CLI, ...args],
    env: { ...env },
    ...(cwd === undefined ? {} : { cwd }),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

async function graft(
  args: readonly string[],
  options?: Options,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const { code, stdout, stderr } = await command(args, options).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "graft as a process: text on stdout, complaints on stderr, the exit code between them",
  ignore,
  async fn() {
    const done = await graft(["inspect", PRETRAINED]);
    assertEquals([done.code, done.err], [0, ""]);
    assertStringIncludes(done.out, "4 tensors, 67 parameters");
    const refused = await graft(["inspect", "nowhere.pt"]);
    assertEquals(refused, { code: 1, out: "", err: 'Cannot open "nowhere.pt": there is no such file or folder\n' });
    const wrong = await graft(["inspect", PRETRAINED, "--jsom"]);
    assertEquals([wrong.code, wrong.out], [2, ""]);
    const different = await graft(["plan", PRETRAINED, "--model", model("added_layer")]);
    assertEquals(different.code, 1);
  },
});

Deno.test({
  name: "graft does not colour a pipe, whatever NO_COLOR is",
  ignore,
  async fn() {
    for (const NO_COLOR of ["", "1"]) {
      const { out } = await graft(["plan", PRETRAINED, "--model", model("added_layer")], { env: { NO_COLOR } });
      assertEquals(out.includes("\x1b"), false);
    }
  },
});

Deno.test({
  name: "graft is quiet when its reader leaves: | head -1",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/wide.safetensors`;
      const one = zeros([1]);
      // Names of which no two fold, so that the text is larger than a pipe holds.
      const names = Array.from({ length: 20_000 }, (_, i) => [`layer${i.toString(36)}.weight`, one.clone()] as const);
      Deno.writeFileSync(path, await new Response(encodeSafetensors(new Map(names))).bytes());
      const child = command(["inspect", path]).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      await reader.cancel();
      const { code, success } = await child.status;
      assertEquals([success, code], [true, 0]);
      assertEquals(await new Response(child.stderr).text(), "");
    }),
});

Deno.test({
  name: "graft needs no permission but that of its files, and names the flag for them",
  ignore,
  fn: () =>
    inFolder(async (cwd) => {
      Deno.copyFileSync(PRETRAINED, `${cwd}/in.pt`);
      const args = ["convert", "in.pt", "out.safetensors"];
      const refused = await graft(args, { cwd, permissions: [] });
      const [problem, flags] = refused.err.trim().split("\n");
      assertEquals([refused.code, problem], [1, 'Not permitted to read "in.pt"']);
      assert(flags.startsWith("Add --allow-read=in.pt,"));
      const permitted = await graft(args, { cwd, permissions: flags.slice("Add ".length).split(" ") });
      assertEquals(permitted, { code: 0, out: "Wrote out.safetensors: 4 tensors, 588 bytes\n", err: "" });
      const divided = ["convert", "in.pt", "model.safetensors", "--shard-size", "100"];
      const unwritten = await graft(divided, { cwd, permissions: ["--allow-read=in.pt"] });
      assertEquals(unwritten.err, 'Not permitted to read "."\nAdd --allow-read=in.pt,. --allow-write=.\n');
      const written = await graft(divided, { cwd, permissions: ["--allow-read=in.pt,.", "--allow-write=."] });
      assertEquals([written.code, written.err], [0, ""]);
      const inspected = await graft(["inspect", "in.pt"], { cwd, permissions: ["--allow-read=in.pt"] });
      assertEquals(inspected.code, 0);
      const help = await graft(["--help"], { cwd, permissions: [] });
      assertEquals([help.code, help.err], [0, ""]);
    }),
});

Deno.test({
  name: "graft plan says that the imports of a model need to be read too",
  ignore,
  fn: () =>
    inFolder(async (cwd) => {
      Deno.writeTextFileSync(`${cwd}/model.ts`, `import "./part.ts"; export default 1;`);
      Deno.writeTextFileSync(`${cwd}/part.ts`, "export {};");
      const args = ["plan", PRETRAINED, "--model", "model.ts"];
      const { code, err } = await graft(args, { cwd, permissions: [`--allow-read=${PRETRAINED},model.ts`] });
      assertEquals(code, 1);
      assertStringIncludes(err, "part.ts");
      assertStringIncludes(err, "Add -R");
    }),
});

Deno.test({
  name: "graft convert ends quietly on Ctrl-C and leaves the old file whole",
  ignore: ignore || Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const { code, out, err } = await stopped(folder, "SIGINT");
      assertEquals([code, out, err], [130, "", ""]);
      assertEquals(namesIn(folder), ["in.safetensors", "out.safetensors"]);
      assertEquals(Deno.readTextFileSync(`${folder}/out.safetensors`), "old");
    }),
});

Deno.test({
  name: "graft convert killed while it writes leaves the old file whole, and does it when run again",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      await stopped(folder, "SIGKILL");
      assertEquals(Deno.readTextFileSync(`${folder}/out.safetensors`), "old");
      assertEquals(namesIn(folder), ["in.safetensors", "out.safetensors", "out.safetensors.part"]);
      const again = await graft(["convert", `${folder}/in.safetensors`, `${folder}/out.safetensors`, "--force"]);
      assertEquals([again.code, again.err], [0, ""]);
      assertEquals(namesIn(folder), ["in.safetensors", "out.safetensors"]);
      const [before, after] = ["in", "out"].map((name) => Deno.statSync(`${folder}/${name}.safetensors`).size);
      assertEquals(after, before);
    }),
});

/** Converts what takes a while, and stops it while it writes. */
async function stopped(
  folder: string,
  signal: Deno.Signal,
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [path, out] = [`${folder}/in.safetensors`, `${folder}/out.safetensors`];
  const large = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`w${i}`, zeros([2 << 20])]));
  Deno.writeFileSync(path, await new Response(encodeSafetensors(large)).bytes());
  Deno.writeTextFileSync(out, "old");
  const child = command(["convert", path, out, "--dtype", "float16", "--force"]).spawn();
  const output = child.output();
  for (let waits = 0; !namesIn(folder).includes("out.safetensors.part") && waits < MOST_WAITS; waits++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill(signal);
  const { code, stdout, stderr } = await output;
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}
