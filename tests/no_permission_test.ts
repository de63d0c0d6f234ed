import { assertEquals } from "@std/assert";

Deno.test("mod.ts is imported, a model constructed and run with no permission, and wasm starts with the first value", async () => {
  const worker = new Worker(new URL("no_permission_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  worker.addEventListener("message", ({ data }) => resolve(data));
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  });
  try {
    assertEquals(await promise, {
      afterImport: false,
      afterConstruction: false,
      afterForward: true,
      shape: [3, 2],
      text: [
        "Model(",
        "  (linear1): Linear(in_features=10, out_features=5, bias=True)",
        "  (linear2): Sequential(",
        "    (0): Linear(in_features=5, out_features=2, bias=True)",
        "  )",
        ")",
      ].join("\n"),
    });
  } finally {
    worker.terminate();
  }
});
