/**
 * Saving that stops for good before a call to the file system, or fails at it, for every call that there is. What is on
 * the disk is then what a killed process leaves; `save_process_test.ts` kills some.
 */

import { assert, assertEquals } from "@std/assert";
import { save } from "../../mod.ts";
import { watchFileCalls } from "./file_calls.ts";
import { filesIn, inFolder, namesIn, valued, valueIn } from "./saved.ts";

const FILE = "model.safetensors";
const INDEX = `${FILE}.index.json`;
const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

type Ending = "stops" | "fails";

/** What is there, what is saved over it, and what must be true of what is left. */
interface Case {
  readonly earlier: number | undefined;
  readonly now: number | undefined;
  readonly left: (folder: string, error: unknown) => Promise<void>;
}

let calls = 0;
let fatal = Infinity;
let atFatal: () => void | Promise<void> = () => {};

watchFileCalls(() => ++calls === fatal ? atFatal() : undefined);

/** Saves over what was there, interrupted before each call in turn, and has `left` look at what is there then. */
async function atEveryCall(ending: Ending, { earlier, now, left }: Case): Promise<void> {
  let isDone = false;
  for (let call = 1; !isDone; call++) {
    await inFolder(async (folder) => {
      const path = `${folder}/${FILE}`;
      await save(valued(1), path, { maxShardSize: earlier });
      const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
      atFatal = () => {
        if (ending === "fails") throw new Error("no more");
        stop();
        return new Promise(() => {});
      };
      calls = 0;
      fatal = call;
      let error: unknown;
      const saving = save(valued(2), path, { maxShardSize: now }).catch((thrown) => void (error = thrown));
      await Promise.race([saving, stopped]);
      isDone = calls < call;
      fatal = Infinity;
      await left(folder, error);
      // Whatever was left, the next one does it.
      await save(valued(3), path, { maxShardSize: now });
      assertEquals(await valueIn(now === undefined ? path : `${folder}/${INDEX}`), 3);
      if (now !== undefined) assertEquals(namesIn(folder), [...SHARDS, INDEX]);
    });
  }
}

/** A test that stops and a test that fails; what stops for good leaves its open file and its promise. */
function interrupted(name: string, make: () => Case & { readonly end: () => void }): void {
  for (const ending of ["stops", "fails"] as const) {
    Deno.test({
      name: `save() that ${ending} at any call to the file system ${name}`,
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        const { earlier, now, left, end } = make();
        await atEveryCall(ending, {
          earlier,
          now,
          async left(folder, error) {
            await left(folder, error);
            const kept = error instanceof Error && error.message.includes("yet end in .part");
            const parts = namesIn(folder).filter((name) => name.endsWith(".part"));
            if (ending === "fails" && !kept) assertEquals(parts, []);
          },
        });
        end();
      },
    });
  }
}

interrupted("leaves the old file or the new one", () => {
  const found = new Set<number>();
  return {
    earlier: undefined,
    now: undefined,
    left: async (folder) => void found.add(await valueIn(`${folder}/${FILE}`)),
    end: () => assertEquals([...found].sort(), [1, 2]),
  };
});

interrupted("leaves the old shards or the new ones, where there were others in number", () => {
  const found = new Set<number>();
  return {
    earlier: 20,
    now: 40,
    left: async (folder) => void found.add(await valueIn(`${folder}/${INDEX}`)),
    end: () => assertEquals([...found].sort(), [1, 2]),
  };
});

interrupted("leaves the one old file until the index is there", () => {
  const found = new Set<string>();
  return {
    earlier: undefined,
    now: 40,
    async left(folder) {
      const names = namesIn(folder).filter((name) => name === INDEX || name === FILE);
      found.add((await Promise.all(names.map((name) => valueIn(`${folder}/${name}`)))).join());
    },
    end: () => assertEquals([...found].sort(), ["1", "1,2", "2"]),
  };
});

interrupted("leaves the old shards until the one file is there", () => {
  const found = new Set<string>();
  return {
    earlier: 40,
    now: undefined,
    async left(folder) {
      const names = namesIn(folder).filter((name) => name === INDEX || name === FILE);
      found.add((await Promise.all(names.map((name) => valueIn(`${folder}/${name}`)))).join());
    },
    end: () => assertEquals([...found].sort(), ["1", "2,1"]),
  };
});

interrupted("leaves one model, or no index and the new one, where shards have the old names", () => {
  const found = new Set<number>();
  let withoutIndex = 0;
  return {
    earlier: 40,
    now: 40,
    async left(folder, error) {
      if (namesIn(folder).includes(INDEX)) return void found.add(await valueIn(`${folder}/${INDEX}`));
      withoutIndex++;
      if (error !== undefined) assert(error instanceof Error && error.message.includes("yet end in .part"));
      // Given their names, they are the new model.
      for (const name of namesIn(folder).filter((name) => name.endsWith(".part"))) {
        Deno.renameSync(`${folder}/${name}`, `${folder}/${name.slice(0, -".part".length)}`);
      }
      assertEquals(await valueIn(`${folder}/${INDEX}`), 2);
      assertEquals([...filesIn(folder).keys()], [...SHARDS, INDEX]);
    },
    end() {
      assertEquals([...found].sort(), [1, 2]);
      assert(withoutIndex > 0);
    },
  };
});
