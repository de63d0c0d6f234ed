/// <reference lib="deno.unstable" />

/**
 * A plugin for `deno lint`: who may import whom. The folders are the architecture, and this table is what keeps it.
 *
 * @module
 */

/** A part of the repository that has rules about its imports. */
type Layer =
  | "vocabulary"
  | "bytes"
  | "checkpoint"
  | "core"
  | "wasm"
  | "tensor"
  | "plan"
  | "nn"
  | "optim"
  | "load"
  | "mod"
  | "cli"
  | "examples"
  | "bench";

/** What each layer may import besides itself. */
const MAY_IMPORT: Readonly<Record<Layer, readonly Layer[]>> = {
  vocabulary: [],
  bytes: ["vocabulary"],
  checkpoint: ["vocabulary", "bytes"],
  core: ["vocabulary", "wasm"],
  wasm: [],
  tensor: ["vocabulary", "core"],
  plan: ["vocabulary"],
  nn: ["vocabulary", "tensor", "plan"],
  optim: ["vocabulary", "tensor", "nn"],
  load: ["vocabulary", "bytes", "checkpoint", "core", "tensor", "plan", "nn", "optim"],
  mod: ["vocabulary", "bytes", "checkpoint", "core", "tensor", "plan", "nn", "optim", "load"],
  cli: ["mod"],
  examples: ["mod"],
  bench: ["mod"],
};

/** The entry points by file. */
const ENTRY_POINTS: ReadonlyMap<string, Layer> = new Map([["mod.ts", "mod"], ["src/cli.ts", "cli"]]);

/** The other entry point, which the command line may take because it starts no wasm. */
const CHECKPOINT_ENTRY = "src/checkpoint/mod.ts";

/** What the command line may take beside `mod.ts`: words for people are no matter of the library's surface. */
const ALSO_FOR_CLI: readonly string[] = [CHECKPOINT_ENTRY, "src/plan/nearest.ts", "src/plan/amount.ts"];

/** The entry points by the name that users import. */
const PUBLISHED: ReadonlyMap<string, string> = new Map([
  ["@graft/graft", "mod.ts"],
  ["@graft/graft/checkpoint", CHECKPOINT_ENTRY],
  ["@graft/graft/cli", "src/cli.ts"],
]);

/** Names that say nothing about what is in the file. */
const EMPTY_NAMES: readonly string[] = ["util", "utils", "helper", "helpers", "common", "misc", "types"];

/** The repository, with a slash at the end. */
const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: {
    "imports": {
      create(context) {
        const from = repositoryPath(context.filename);
        const layer = layerOf(from);
        if (layer === null) {
          if (!from.startsWith("src/")) return {};
          return {
            Program: (node) =>
              context.report({ node, message: `"${from}" is in no layer: add its folder to the table` }),
          };
        }
        const check = (node: Deno.lint.Node, specifier: string): void => {
          const target = targetOf(specifier, from, layer);
          if (target === null) return;
          context.report({ node, message: `Layer "${layer}" must not import "${target}"` });
        };
        return {
          ImportDeclaration: (node) => check(node, node.source.value),
          ExportAllDeclaration: (node) => check(node, node.source.value),
          ExportNamedDeclaration(node) {
            if (node.source !== null) check(node, node.source.value);
          },
          ImportExpression(node) {
            if (node.source.type === "Literal" && typeof node.source.value === "string") {
              check(node, node.source.value);
            } else if (layer !== "cli") {
              context.report({ node, message: `Layer "${layer}" must not import a name that is computed` });
            }
          },
          TSImportType(node) {
            const { argument } = node;
            if (argument.type !== "TSLiteralType" || argument.literal.type !== "Literal") return;
            check(node, String(argument.literal.value));
          },
        };
      },
    },
    "file-name": {
      create(context) {
        const name = repositoryPath(context.filename).split("/").at(-1) ?? "";
        const stem = name.replace(/^_+/, "").split(".")[0];
        return {
          Program(node) {
            if (EMPTY_NAMES.includes(stem)) {
              context.report({ node, message: `No file is called "${stem}": name the thing that is in it` });
            }
          },
        };
      },
    },
  },
};
export default plugin;

/** The path of a file inside the repository, with forward slashes. */
export function repositoryPath(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

function layerOf(path: string): Layer | null {
  const entry = ENTRY_POINTS.get(path);
  if (entry !== undefined) return entry;
  const folders = path.split("/").slice(0, -1);
  const name = folders[0] === "src" ? folders[1] ?? "vocabulary" : folders[0] ?? "";
  return isLayer(name) ? name : null;
}

/** What an import leads to, if it is not allowed; `null` where it is. */
function targetOf(specifier: string, from: string, layer: Layer): string | null {
  const path = PUBLISHED.get(specifier) ?? relativeTarget(specifier, from);
  if (path === null) return isAllowedPackage(specifier, layer) ? null : specifier;
  if (layer === "cli" && ALSO_FOR_CLI.includes(path)) return null;
  const target = layerOf(path);
  if (target === null) return path;
  return target === layer || MAY_IMPORT[layer].includes(target) ? null : target;
}

/** Runtime dependencies are none; what the engine has is not one. */
function isAllowedPackage(specifier: string, layer: Layer): boolean {
  // The benchmark's peers are packages, and its examples are not shipped.
  if (layer === "bench" || layer === "examples") return true;
  return specifier.startsWith("node:") || (layer === "cli" && specifier === "@std/cli");
}

function relativeTarget(specifier: string, from: string): string | null {
  if (!/^\.{0,2}\//.test(specifier)) return null;
  return decodeURIComponent(new URL(specifier, `file:///${from}`).pathname.slice(1));
}

function isLayer(name: string): name is Layer {
  return Object.hasOwn(MAY_IMPORT, name);
}
