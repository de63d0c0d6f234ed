/**
 * Something that happens before every call that a program makes to the file system.
 *
 * @module
 */

import { promises } from "node:fs";

/** What saving asks of the file system, and of an open file. */
const OF_FILES = ["open", "rename", "rm", "lstat", "stat", "realpath", "readdir"];
const OF_A_FILE = ["write", "chmod", "sync", "close", "stat"];

/** From now on `before` is waited for before every call of this process through `node:fs/promises`. */
export function watchFileCalls(before: () => void | Promise<void>): void {
  watch(promises, OF_FILES, before);
}

function watch(object: object, names: readonly string[], before: () => void | Promise<void>): void {
  for (const name of names) {
    const own: unknown = Reflect.get(object, name);
    if (typeof own !== "function") throw new Error(`There is no function ${name}`);
    Reflect.set(object, name, async (...args: readonly unknown[]) => {
      await before();
      const result: unknown = await Reflect.apply(own, object, args);
      if (name === "open" && typeof result === "object" && result !== null) watch(result, OF_A_FILE, before);
      return result;
    });
  }
}
