/**
 * A process that saves over what is there, and is killed before the call to the file system that has the number given to
 * it. Says how many calls there were, if it lives.
 *
 * @module
 */

import { full, save } from "../../mod.ts";
import { watchFileCalls } from "./file_calls.ts";

const [path, fatal, maxShardSize] = Deno.args;
let calls = 0;

watchFileCalls(() => {
  if (++calls === Number(fatal)) Deno.kill(Deno.pid, "SIGKILL");
});
const values = { a: full([3], 2), b: full([5], 2), c: full([7], 2) };
await save(values, path, maxShardSize === undefined ? {} : { maxShardSize });
console.log(calls);
