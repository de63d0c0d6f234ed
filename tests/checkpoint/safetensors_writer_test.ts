import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UnsupportedError } from "../../mod.ts";
import { layOutSafetensors, writeSafetensors } from "../../src/checkpoint/safetensors_writer.ts";
import type { WritableTensor } from "../../src/checkpoint/safetensors_writer.ts";

/** A tensor of uint8 whose pieces are these, and which notes when they are asked for. */
function bytes(pieces: readonly number[][], log: string[] = []): WritableTensor {
  return {
    dtype: "uint8",
    shape: [pieces.flat().length],
    async *pieces() {
      for (const piece of pieces) {
        log.push(`piece of ${piece.length}`);
        yield await Promise.resolve(Uint8Array.from(piece));
      }
      log.push("end");
    },
  };
}

function textOf(file: Uint8Array): string {
  return new TextDecoder().decode(file);
}

Deno.test("layOutSafetensors() knows the length of the file before anything is read", async () => {
  const layout = layOutSafetensors(new Map([["a", bytes([[1, 2], [3]])]]), null);
  const file = await new Response(writeSafetensors(layout)).bytes();
  assertEquals(file.length, layout.byteLength);
  assertEquals([...file.slice(-3)], [1, 2, 3]);
  assertEquals(textOf(file.slice(8, -3)), '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}   ');
});

Deno.test("layOutSafetensors() keeps the order of the metadata, and writes an empty one", () => {
  const head = (metadata: ReadonlyMap<string, string> | null) =>
    textOf(layOutSafetensors(new Map(), metadata).head.slice(8)).trim();
  assertEquals(head(new Map([["z", "1"], ["a", "2"]])), '{"__metadata__":{"z":"1","a":"2"}}');
  assertEquals(head(new Map()), '{"__metadata__":{}}');
  assertEquals(head(null), "{}");
});

Deno.test("layOutSafetensors() refuses a dtype that the format lacks, and names that no reader takes", () => {
  for (const dtype of ["complex128", "complex32", "bcomplex32", "qint8", "float4_e2m1fn_x2"] as const) {
    const tensor: WritableTensor = { ...bytes([]), dtype };
    const error = assertThrows(() => layOutSafetensors(new Map([["w", tensor]]), null), UnsupportedError);
    assertEquals(error.message, `Cannot write tensor "w": safetensors has no dtype ${dtype}`);
  }
  assertThrows(() => layOutSafetensors(new Map([["__metadata__", bytes([])]]), null), TypeError, "__metadata__");
  assertThrows(() => layOutSafetensors(new Map([["a\ud800", bytes([])]]), null), TypeError, "not valid Unicode");
  assertThrows(() => layOutSafetensors(new Map(), new Map([["a", "\udc00"]])), TypeError, "not valid Unicode");
});

Deno.test("writeSafetensors() asks for a piece when the reader wants it, and not before", async () => {
  const log: string[] = [];
  const layout = layOutSafetensors(new Map([["a", bytes([[1], [2, 2]], log)], ["b", bytes([[3]], log)]]), null);
  const reader = writeSafetensors(layout).getReader();
  await Promise.resolve();
  assertEquals(log, []);
  await reader.read();
  assertEquals(log, []);
  assertEquals([...(await reader.read()).value ?? []], [1]);
  assertEquals(log, ["piece of 1"]);
  await reader.read();
  assertEquals(log, ["piece of 1", "piece of 2"]);
  await reader.cancel();
  assertEquals(log, ["piece of 1", "piece of 2"]);
});

Deno.test("writeSafetensors() fails where the pieces are not as long as the tensor, and writes none too many", async () => {
  for (const [pieces, got] of [[[[1], [2]], 2], [[[1, 2, 3, 4], [5]], 4]] as const) {
    const tensor: WritableTensor = { ...bytes(pieces.map((piece) => [...piece])), shape: [3] };
    const layout = layOutSafetensors(new Map([["w", tensor]]), null);
    const written: number[] = [];
    const error = await assertRejects(async () => {
      for await (const chunk of writeSafetensors(layout)) written.push(chunk.length);
    }, RangeError);
    assertEquals(error.message, `Cannot write tensor "w": it has 3 bytes, its pieces ${got}`);
    assert(written.slice(1).reduce((sum, n) => sum + n, 0) <= 3);
  }
});
