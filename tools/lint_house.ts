/// <reference lib="deno.unstable" />

/**
 * A plugin for `deno lint`: the house style, as far as a program can see it.
 *
 * @module
 */

import { repositoryPath } from "./lint_layers.ts";

/** Where the type system cannot follow: the table of dtypes, and numbers that are addresses. */
const MAY_ASSERT = /^src\/(dtype\.ts$|core\/)/;

/** Where an error may be PyTorch's own, byte for byte, and so need not follow our grammar. */
const SPEAKS_PYTORCH = /^src\/(tensor|nn|optim)\//;

const plugin: Deno.lint.Plugin = {
  name: "house",
  rules: {
    "no-console": {
      create(context) {
        if (!isShipped(context.filename) || isCommandLine(context.filename)) return {};
        return {
          MemberExpression(node) {
            if (node.object.type === "Identifier" && node.object.name === "console") {
              context.report({ node, message: "A library does not print: return the text, or throw" });
            }
          },
        };
      },
    },
    "no-assertion": {
      create(context) {
        if (MAY_ASSERT.test(repositoryPath(context.filename))) return {};
        const message = "A type assertion is a claim without a check: use a type guard";
        return {
          TSAsExpression(node) {
            if (!isConst(node.typeAnnotation)) context.report({ node, message });
          },
          TSTypeAssertion(node) {
            context.report({ node, message });
          },
        };
      },
    },
    "no-proxy": {
      create(context) {
        return {
          Identifier(node) {
            if (node.name === "Proxy" && isUse(node)) {
              context.report({ node, message: "No Proxy: what an object does must be in its class" });
            }
          },
        };
      },
    },
    "no-decorator": {
      create(context) {
        return {
          Decorator(node) {
            context.report({ node, message: "No decorators: fields are the registration" });
          },
        };
      },
    },
    "no-using": {
      create(context) {
        if (!isShipped(context.filename)) return {};
        return {
          VariableDeclaration(node) {
            if (node.kind === "using" || node.kind === "await using") {
              context.report({ node, message: "No `using` in what is shipped: not every engine we run on has it" });
            }
          },
        };
      },
    },
    "no-enum": {
      create(context) {
        return {
          TSEnumDeclaration(node) {
            context.report({ node, message: "No enum: use a union of string literals" });
          },
        };
      },
    },
    "error-message": {
      create(context) {
        if (!isShipped(context.filename) || SPEAKS_PYTORCH.test(repositoryPath(context.filename))) return {};
        return {
          NewExpression(node) {
            if (node.callee.type !== "Identifier" || !node.callee.name.endsWith("Error")) return;
            const argument = node.arguments[0];
            const { start, end } = textOf(argument);
            if (/^[a-z]/.test(start) || (end.endsWith(".") && !end.endsWith(".."))) {
              const message = "An error message begins with a capital letter and has no period at the end";
              context.report({ node: argument, message });
            }
          },
        };
      },
    },
  },
};
export default plugin;

function isShipped(filename: string): boolean {
  const path = repositoryPath(filename);
  return path === "mod.ts" || path.startsWith("src/");
}

function isCommandLine(filename: string): boolean {
  return /^src\/cli(\.ts$|\/)/.test(repositoryPath(filename));
}

function isConst(type: Deno.lint.TypeNode): boolean {
  return type.type === "TSTypeReference" && type.typeName.type === "Identifier" && type.typeName.name === "const";
}

/** Whether an identifier stands for the global rather than for a property or a key. */
function isUse(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "NewExpression") return parent.callee === node;
  return parent.type === "MemberExpression" && parent.object === node;
}

/** How a message begins and how it ends, as far as they are literal. */
function textOf(node: Deno.lint.Node | undefined): { start: string; end: string } {
  if (node?.type === "Literal" && typeof node.value === "string") return { start: node.value, end: node.value };
  if (node?.type !== "TemplateLiteral") return { start: "", end: "" };
  return { start: node.quasis[0].cooked, end: node.quasis[node.quasis.length - 1].cooked };
}
