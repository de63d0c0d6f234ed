/**
 * Saving in a process of its own, which is killed, or permitted little. Runs where processes may be started:
 * `deno task ok save`.
 */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { save } from "../../mod.ts";
import { inFolder, namesIn, valued, valueIn } from "./saved.ts";

const WORKER = new URL("save_worker.ts", import.meta.url).href;
const CONFIG = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
const ignore = Deno.permissions.querySync({ name: "run" }).state !== "granted";
const INDEX = "model.safetensors.index.json";
/** Processes that are killed at the same time. */
const AT_ONCE = 4;

interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

async function worker(
  args: readonly string[],
  { permissions = ["-R", "-W", "--allow-run"], cwd }: {
    readonly permissions?: readonly string[];
    readonly cwd?: string;
  } = {},
): Promise<Ended> {
  const { code, signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--config", CONFIG, ...permissions, WORKER, ...args],
    stdin: "null",
    ...(cwd === undefined ? {} : { cwd }),
  }).output();
  const decoder = new TextDecoder();
  return { code, signal, out: decoder.decode(stdout).trim(), err: decoder.decode(stderr) };
}

Deno.test({
  name: "save() killed at any call to the file system leaves the old file or the new one, whole",
  ignore,
  async fn() {
    const found = new Set<number>();
    let calls = AT_ONCE;
    for (let first = 1; first <= calls; first += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => killedAt(first + i)));
    }
    assertEquals([...found].sort(), [1, 2]);

    function killedAt(call: number): Promise<void> {
      return inFolder(async (folder) => {
        const path = `${folder}/model.safetensors`;
        await save(valued(1), path);
        const { code, signal, out, err } = await worker([path, String(call)]);
        if (signal === "SIGKILL") calls = Math.max(calls, call + 1);
        else assertEquals([code, err, Number(out) < call], [0, "", true]);
        found.add(await valueIn(path));
      });
    }
  },
});

Deno.test({
  name: "save() killed while it writes shards leaves the old ones, and the next one clears up",
  ignore,
  fn: () =>
    inFolder(async (folder) => {
      const path = `${folder}/model.safetensors`;
      await save(valued(1), path, { maxShardSize: 20 });
      const { signal } = await worker([path, "20", "40B"]);
      assertEquals([signal, await valueIn(`${folder}/${INDEX}`)], ["SIGKILL", 1]);
      assert(namesIn(folder).some((name) => name.endsWith(".part")));
      await save(valued(3), path, { maxShardSize: 20 });
      assertEquals([namesIn(folder).length, await valueIn(`${folder}/${INDEX}`)], [4, 3]);
    }),
});

Deno.test({
  name: "save() needs its path and the one with .part and no other, and says so where it has less",
  ignore,
  fn: () =>
    inFolder(async (cwd) => {
      await save(valued(1), `${cwd}/model.safetensors`);
      for (const permissions of [[], ["--allow-read=model.safetensors", "--allow-write=model.safetensors"], ["-W"]]) {
        const { code, err } = await worker(["model.safetensors", "0"], { cwd, permissions });
        assertEquals(code, 1);
        const flags = "all that it needs is --allow-read=model.safetensors,model.safetensors.part " +
          "--allow-write=model.safetensors,model.safetensors.part";
        assertStringIncludes(err, flags);
        assertEquals(await valueIn(`${cwd}/model.safetensors`), 1);
        assertEquals(namesIn(cwd), ["model.safetensors"]);
      }
      const paths = "model.safetensors,model.safetensors.part";
      const permissions = [`--allow-read=${paths}`, `--allow-write=${paths}`];
      const { code, err } = await worker(["model.safetensors", "0"], { cwd, permissions });
      assertEquals([code, err], [0, ""]);
      assertEquals(await valueIn(`${cwd}/model.safetensors`), 2);
    }),
});

Deno.test({
  name: "save() through a symbolic link needs what it leads to as well, and says so",
  ignore: ignore || Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const cwd = Deno.realPathSync(folder);
      Deno.mkdirSync(`${cwd}/disk`);
      await save(valued(1), `${cwd}/disk/model.safetensors`);
      Deno.symlinkSync("disk/model.safetensors", `${cwd}/model.safetensors`);
      const real = `${cwd}/disk/model.safetensors`;
      const flags = ["read", "write"].map((kind) => `--allow-${kind}=model.safetensors,${real},${real}.part`);
      const permissions = ["--allow-read=model.safetensors," + real, "--allow-write=model.safetensors"];
      const { err } = await worker(["model.safetensors", "0"], { cwd, permissions });
      assertStringIncludes(err, `all that it needs is ${flags.join(" ")}`);
      const enough = await worker(["model.safetensors", "0"], { cwd, permissions: flags });
      assertEquals([enough.code, enough.err], [0, ""]);
      assertEquals([await valueIn(real), Deno.lstatSync(`${cwd}/model.safetensors`).isSymlink], [2, true]);
    }),
});

Deno.test({
  name: "save() of shards needs their folder, and says so where it has less",
  ignore,
  fn: () =>
    inFolder(async (cwd) => {
      Deno.mkdirSync(`${cwd}/out`);
      const args = ["out/model.safetensors", "0", "40B"];
      const less = ["--allow-read=out", "--allow-write=out/model.safetensors"];
      const { code, err } = await worker(args, { cwd, permissions: less });
      assertEquals(code, 1);
      assertStringIncludes(err, "all that it needs is --allow-read=out --allow-write=out");
      assertEquals(namesIn(`${cwd}/out`), []);
      const enough = await worker(args, { cwd, permissions: ["--allow-read=out", "--allow-write=out"] });
      assertEquals([enough.code, enough.err], [0, ""]);
      assertEquals(await valueIn(`${cwd}/out/${INDEX}`), 2);
    }),
});
