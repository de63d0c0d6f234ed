/**
 * Any checkpoint of yours: what is in it, and its first tensor.
 *
 *     deno run -R examples/from_pytorch.ts FILE.pt
 */

import { isLazyTensor, load, openCheckpoint, pythonTypeName, UnsupportedError } from "../mod.ts";

/** Lists what a file holds, reads the first tensor and no other, and returns how many there are. */
export async function main(path: string): Promise<number> {
  const checkpoint = await openCheckpoint(path);
  const paths = checkpoint.stateDictPaths;
  console.log(`${path}: ${checkpoint.format}, ${amount(paths.length, "state dict")}`);
  if (paths.length === 0) console.log(checkpoint.root);

  const tensors = [];
  for (const stateDictPath of paths) {
    console.log(`\n${stateDictPath.length === 0 ? "the file itself" : `at ${stateDictPath.join(".")}`}:\n`);
    for (const [key, value] of checkpoint.stateDict(stateDictPath)) {
      if (isLazyTensor(value)) tensors.push({ stateDictPath, key, value });
      const what = isLazyTensor(value) ? `${value.dtype} [${value.shape.join(", ")}]` : pythonTypeName(value);
      console.log(`  ${key}  ${what}`);
    }
  }
  await checkpoint.close();

  console.log(`\n${amount(tensors.length, "tensor")}`);
  for (const { stateDictPath, key, value } of tensors.slice(0, 1)) {
    console.log(`\nThe first, ${key}, read from the file alone (${amount(value.byteLength, "byte")}):\n`);
    await show(path, { stateDictPath, filter: key });
  }
  return tensors.length;
}

/** What PyTorch would print for the tensors that the filter matches, of any dtype. */
async function show(path: string, options: Parameters<typeof load>[1]): Promise<void> {
  try {
    for (const tensor of (await load(path, options)).values()) console.log(tensor);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    console.log(error.message);
  }
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

if (import.meta.main) {
  const [path] = Deno.args;
  if (path === undefined) {
    console.error("Which file? deno run -R examples/from_pytorch.ts FILE.pt");
    Deno.exit(2);
  }
  try {
    await main(path);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(1);
  }
}
