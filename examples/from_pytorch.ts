/**
 * Any checkpoint of yours: what is in it, tensor by tensor.
 *
 *     deno run -R examples/from_pytorch.ts FILE.pt
 */

import { isLazyTensor, openCheckpoint, Tensor, UnsupportedError } from "../mod.ts";

/** Lists a file's tensors, reads the first, and returns how many there are. */
export async function main(path: string | undefined): Promise<number> {
  if (path === undefined) {
    console.error("Which file? deno run -R examples/from_pytorch.ts FILE.pt");
    return 0;
  }
  const checkpoint = await openCheckpoint(path);
  const paths = checkpoint.stateDictPaths;
  console.log(`${path}: ${checkpoint.format}, ${paths.length === 1 ? "1 state dict" : `${paths.length} state dicts`}`);
  let count = 0;
  for (const where of paths) {
    console.log(`\n${where.length === 0 ? "the file itself" : `at ${where.join(".")}`}:\n`);
    for (const [key, value] of checkpoint.stateDict(where)) {
      if (!isLazyTensor(value)) continue;
      console.log(`  ${key}  ${value.dtype} [${value.shape.join(", ")}]`);
      if (count++ === 0) await show(value);
    }
  }
  await checkpoint.close();
  return count;
}

/** Reads one tensor; only its own bytes are read. */
async function show(value: Parameters<typeof isLazyTensor>[0]): Promise<void> {
  if (!isLazyTensor(value)) return;
  try {
    const bytes = await value.read();
    const dtype = value.dtype;
    console.log(`    ${bytes.byteLength} bytes read`);
    if (dtype === "float32") console.log(String(Tensor.fromBytes(bytes, { dtype, shape: value.shape })));
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    console.log(`    ${error.message}`);
  }
}

if (import.meta.main) {
  const count = await main(Deno.args[0]);
  if (Deno.args[0] === undefined) Deno.exit(2);
  console.log(`\n${count} tensors`);
}
