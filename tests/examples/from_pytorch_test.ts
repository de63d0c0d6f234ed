import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import facts from "../../examples/data/add_layer.json" with { type: "json" };
import { main } from "../../examples/from_pytorch.ts";
import { CheckpointError, tensor } from "../../mod.ts";
import { printed } from "./printed.ts";

Deno.test("examples/from_pytorch.ts lists a file's tensors and reads the first", async () => {
  const { result: count, text } = await printed(() => main("examples/data/pretrained.pt"));
  assertEquals(count, 4);
  assertStringIncludes(text, "examples/data/pretrained.pt: torch-zip, 1 state dict");
  assertStringIncludes(text, "  linear1.weight  float32 [5, 10]\n  linear1.bias  float32 [5]\n");
  assertStringIncludes(text, "\n4 tensors\n\nThe first, linear1.weight, read from the file alone (200 bytes):\n");
  // The facts have the first and the last row; the first line of both texts is the first row's.
  const [first] = String(tensor(facts.parameters["linear1.weight"])).split("\n");
  assertStringIncludes(text, first);
  assertStringIncludes(text, "  linear2.bias  float32 [2]");
});

Deno.test("examples/from_pytorch.ts lists every state dict of a wrapper", async () => {
  const { result: count, text } = await printed(() => main("tests/fixtures/scenarios/two_candidates.pt"));
  assertStringIncludes(text, "2 state dicts");
  assertStringIncludes(text, "\nat model:\n");
  assertStringIncludes(text, "\nat model_ema:\n");
  assertEquals(text.split("tensor([").length, 2, "only the first tensor is read");
  assertEquals(text.match(/ float\d+ \[/g)?.length, count);
});

Deno.test("examples/from_pytorch.ts reads the first tensor whatever its dtype, and names what is no tensor", async () => {
  const { text } = await printed(() => main("tests/fixtures/checkpoints/keys.pt"));
  assertStringIncludes(text, "(1 byte):\n\ntensor([0], dtype=torch.uint8)");
  const { result: count, text: values } = await printed(() => main("tests/fixtures/checkpoints/no_tensors.pt"));
  assertEquals(count, 0);
  assertStringIncludes(values, "  epoch  int\n  name  str\n  lr  float\n\n0 tensors");
  const { text: root } = await printed(() => main("tests/fixtures/checkpoints/tensor.pt"));
  assertStringIncludes(root, "0 state dicts\nLazyTensor(int64, [2])");
});

Deno.test("examples/from_pytorch.ts says what cannot be read, and refuses what is no checkpoint", async () => {
  const { text } = await printed(() => main("tests/fixtures/checkpoints/listed.pt"));
  assertStringIncludes(text, 'Cannot read tensor "coo" from "data/1": a sparse tensor is listed and not read');
  assertStringIncludes(text, "  quantised  quint8 [2, 2]");
  await assertRejects(() => main("deno.json"), CheckpointError);
});
