import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { CheckpointError, encodeSafetensors, inspectCheckpoint, openCheckpoint, zeros } from "../../mod.ts";
import { SlowSource } from "./sources.ts";

Deno.test("inspectCheckpoint() reads what opening reads, and no tensor", async () => {
  const source = new SlowSource(Deno.readFileSync(fixture("bare.pt")));
  await (await openCheckpoint(source)).close();
  const { bytes } = source;
  await inspectCheckpoint(source);
  assertEquals(source.bytes, 2 * bytes);
});

Deno.test("inspectCheckpoint() counts what two names share once, and says which are tied", async () => {
  const { tensors, parameters, byteLength, tied } = await inspectCheckpoint(
    new URL("../fixtures/writing/tied.pt", import.meta.url),
  );
  assertEquals([tensors.length, parameters, byteLength], [2, 12, 48]);
  assertEquals(tied, [{ key: "embed.weight", to: "lm_head.weight" }]);
});

Deno.test("inspectCheckpoint() folds indices, adds up their bytes, and shows what differs apart", async () => {
  const layers = Array.from({ length: 12 }, (_, i) => [`layers.${i}.weight`, zeros([i === 5 ? 8 : 4])] as const);
  const file = await new Response(encodeSafetensors(new Map(layers))).bytes();
  const lines = (await inspectCheckpoint(file)).toString().split("\n");
  assertEquals(lines[1], "12 tensors, 52 parameters, 208 bytes: all float32");
  assertEquals(lines.slice(3), [
    "Tensors (12)",
    "  layers.{0..4,6..11}.weight  [4]  float32  176 bytes",
    "  layers.5.weight             [8]  float32  32 bytes",
  ]);
});

Deno.test("inspectCheckpoint() lists what cannot be read, what is no tensor, and what lies oddly", async () => {
  const listed = await inspectCheckpoint(fixture("listed.pt"));
  assert(listed.unreadable.length > 0);
  assertStringIncludes(listed.toString(), `Cannot be read (${listed.unreadable.length})`);
  assertStringIncludes(listed.toString(), "  meta       a meta tensor is listed and not read\n");
  assertEquals(
    listed.unreadable[0].message,
    'Cannot read tensor "coo" from "data/1": a sparse tensor is listed and not read',
  );
  const extra = await inspectCheckpoint(fixture("extra_state.pt"));
  assert(extra.others.length > 0);
  assertStringIncludes(extra.toString(), `Not tensors (${extra.others.length})`);
  const views = (await inspectCheckpoint(fixture("views.pt"))).toString();
  assertStringIncludes(views, "Not in row-major order");
  assertStringIncludes(views, "Parts of a larger storage");
});

Deno.test("inspectCheckpoint() never lets a file move the cursor or colour the terminal", async () => {
  const text = (await inspectCheckpoint(fixture("keys.pt"))).toString();
  // deno-lint-ignore no-control-regex -- control characters are what must not be there
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f]/.test(text), false);
});

Deno.test("inspectCheckpoint() says where the state dict is, and what else there is", async () => {
  const training = await inspectCheckpoint(fixture("training.pt"));
  assertEquals(training.path, ["model_state_dict"]);
  assertStringIncludes(training.toString(), "the state dict is at model_state_dict");
  const generator = await inspectCheckpoint(fixture("gan.pt"), { stateDictPath: ["generator"] });
  assertStringIncludes(generator.toString(), "Also there: nets.0");
  await assertRejects(() => inspectCheckpoint(fixture("gan.pt")), CheckpointError, "there are several");
  const average = await inspectCheckpoint(fixture("timm_ema.pt"), { stateDictPath: ["state_dict_ema"] });
  assertStringIncludes(average.toString(), "Also there: state_dict\n");
  await assertRejects(
    () => inspectCheckpoint(fixture("timm_ema.pt")),
    CheckpointError,
    'there are several, and none was chosen; the state dicts in the file are at ["state_dict"] (9 tensors, 108 bytes), ' +
      '["state_dict_ema"] (9 tensors, 108 bytes)',
  );
});

Deno.test("inspectCheckpoint() names what lies beside the state dict, and counts the rest", async () => {
  const text = async (name: string) => (await inspectCheckpoint(fixture(name))).toString();
  assertStringIncludes(await text("training.pt"), "\nBeside it: epoch, optimizer_state_dict, loss, args\n");
  assertStringIncludes((await text("deepspeed.pt")).replaceAll("\n ", ""), "global_steps, … and 5 more\n");
  assertEquals((await text("dtypes.pt")).includes("Beside it"), false);
});

Deno.test("inspectCheckpoint() says where the values of DeepSpeed's placeholders are", async () => {
  const [whole, empty] = [
    await inspectCheckpoint(fixture("deepspeed.pt")),
    await inspectCheckpoint(fixture("zero3.pt")),
  ];
  assertStringIncludes(empty.toString(), "DeepSpeed's ZeRO-3 keeps them in other files");
  assertEquals(whole.toString().includes("ZeRO-3"), false);
});

Deno.test("inspectCheckpoint() refuses what it cannot read", async () => {
  await assertRejects(() => inspectCheckpoint(new TextEncoder().encode("<!DOCTYPE html>")), CheckpointError, "HTML");
  await assertRejects(() => inspectCheckpoint(fixture("torchscript.pt")), CheckpointError, "the file has none");
  await assertRejects(() => inspectCheckpoint(fixture("bare.pt"), { filter: "a{" }), TypeError, "Bad pattern");
});

Deno.test("inspectCheckpoint() leaves a checkpoint open that was open", async () => {
  const checkpoint = await openCheckpoint(fixture("bare.pt"));
  assertEquals((await inspectCheckpoint(checkpoint)).tensors.length, 4);
  const [value] = checkpoint.stateDict().values();
  assert(typeof value === "object" && value !== null && "read" in value);
  await checkpoint.close();
});

function fixture(name: string): URL {
  return new URL(`../fixtures/checkpoints/${name}`, import.meta.url);
}
