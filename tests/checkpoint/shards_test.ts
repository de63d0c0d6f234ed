import { assertEquals } from "@std/assert";
import { indexText, intoShards, isPartOf, shardNames } from "../../src/checkpoint/shards.ts";

/** The sizes of tensors, and how `split_torch_state_dict_into_shards` of huggingface_hub divides them, by their numbers. */
const DIVIDED: readonly (readonly [number, readonly number[], readonly (readonly number[])[]])[] = [
  [10, [6, 6, 2, 6, 2, 2], [[0], [1, 2], [3, 4, 5]]],
  [10, [10, 10], [[0], [1]]],
  [10, [3, 11, 3, 12, 5], [[1], [3], [0, 2], [4]]],
  [10, [0, 10, 0, 1], [[0, 1, 2], [3]]],
  [5, [9], [[0]]],
  [5, [1, 2], [[0, 1]]],
  [5, [], [[]]],
];

for (const [most, sizes, shards] of DIVIDED) {
  Deno.test(`intoShards() divides ${sizes} at ${most} as huggingface_hub does`, () => {
    const portions = sizes.map((byteLength, i) => ({ keys: [String(i)], byteLength }));
    const divided = intoShards(portions, most).map((own) => own.flatMap(({ keys }) => keys.map(Number)));
    assertEquals(divided, shards);
  });
}

Deno.test("shardNames() counts from one with five digits, and leaves one file its name", () => {
  assertEquals(shardNames("model.safetensors", 1), ["model.safetensors"]);
  assertEquals(shardNames("pytorch_model.bin", 2), [
    "pytorch_model-00001-of-00002.bin",
    "pytorch_model-00002-of-00002.bin",
  ]);
  assertEquals(shardNames("model.fp16.safetensors", 2)[0], "model.fp16-00001-of-00002.safetensors");
  assertEquals(shardNames("model", 2)[1], "model-00002-of-00002");
  assertEquals(shardNames(".hidden", 100_000)[99_999], ".hidden-100000-of-100000");
});

Deno.test("isPartOf() knows the file, its shards in any number and its index, and no other", () => {
  const parts = ["model.bin", "model.bin.index.json", "model-00001-of-00002.bin", "model-00007-of-12345.bin"];
  const others = [
    "model.bin.part",
    "model.index.json",
    "model-00001-of-00002.safetensors",
    "model-1-of-2.bin",
    "model-00001-of-00002-x.bin",
    "my_model-00001-of-00002.bin",
    "model-.bin",
    "model-ema-00001-of-00002.bin",
  ];
  assertEquals(parts.filter((name) => isPartOf("model.bin", name)), parts);
  assertEquals(others.filter((name) => isPartOf("model.bin", name)), []);
});

Deno.test("indexText() is what json.dumps(index, indent=2) writes, names that are numbers in their place", () => {
  const text = indexText({
    weightMap: new Map([["b", "two"], ["1", "one"], ['q"\\', "one"], ["__proto__", "two"]]),
    totalSize: 12,
    metadata: new Map([["format", "pt"], ["total_size", "999"]]),
  });
  assertEquals(
    text,
    `{
  "metadata": {
    "total_size": 12,
    "format": "pt"
  },
  "weight_map": {
    "b": "two",
    "1": "one",
    "q\\"\\\\": "one",
    "__proto__": "two"
  }
}
`,
  );
});
