/**
 * `@std/assert` with types: the standard library's JavaScript as npm has it comes without declarations.
 * CONTRIBUTING.md names the line of deno.json that replaces this file by the package itself.
 *
 * @module
 */

// @ts-types="./assert.d.ts"
export * from "deno-std/assert/mod.js";
