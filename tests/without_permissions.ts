/**
 * Gives up, in a worker of its own, every permission that the tests were started with. Modules are evaluated in the
 * order of their imports after all of them were read, so what is imported behind this one runs without any.
 *
 * @module
 */

const NAMES = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

for (const name of NAMES) {
  if (Deno.permissions.revokeSync({ name }).state === "granted") throw new Error(`Cannot give up "${name}"`);
}
