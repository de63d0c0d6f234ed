/// <reference lib="deno.unstable" />

/**
 * What a module imports and exports, read by Deno's own parser.
 *
 * @module
 */

/** One import, re-export or type import. */
export interface ImportedModule {
  /** As written. */
  readonly specifier: string;
  /** Whether it is `import(…)` at run time. */
  readonly dynamic: boolean;
}

/** The names a module exports: what exists at run time, and what is a type only. */
export interface ExportedNames {
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** Every import in a module, in order. */
export function importsOf(path: string, source: string): ImportedModule[] {
  const found: ImportedModule[] = [];
  const add = (specifier: unknown, dynamic = false) => found.push({ specifier: String(specifier), dynamic });
  visit(path, source, {
    ImportDeclaration: (node) => add(node.source.value),
    ExportAllDeclaration: (node) => add(node.source.value),
    ExportNamedDeclaration(node) {
      if (node.source !== null) add(node.source.value);
    },
    ImportExpression(node) {
      if (node.source.type === "Literal") add(node.source.value, true);
    },
    TSImportType(node) {
      if (node.argument.type === "TSLiteralType" && node.argument.literal.type === "Literal") {
        add(node.argument.literal.value);
      }
    },
  });
  return found;
}

/**
 * The names that an entry point exports, sorted. It must do nothing but re-export by name.
 *
 * @throws {TypeError} It exports in another way.
 */
export function exportsOf(path: string, source: string): ExportedNames {
  const values: string[] = [];
  const types: string[] = [];
  const others: string[] = [];
  visit(path, source, {
    ExportAllDeclaration(node) {
      if (node.exported === null) others.push("export *");
      else values.push(nameOf(node.exported));
    },
    ExportNamedDeclaration(node) {
      if (node.source === null) others.push("export without from");
      for (const specifier of node.specifiers) {
        const isType = node.exportKind === "type" || specifier.exportKind === "type";
        (isType ? types : values).push(nameOf(specifier.exported));
      }
    },
    ExportDefaultDeclaration: () => others.push("export default"),
  });
  if (others.length > 0) throw new TypeError(`"${path}" has "${others[0]}": an entry point only re-exports by name`);
  return { values: values.sort(), types: types.sort() };
}

function nameOf(node: Deno.lint.Identifier | Deno.lint.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

function visit(path: string, source: string, visitor: Deno.lint.LintVisitor): void {
  Deno.lint.runPlugin({ name: "syntax", rules: { read: { create: () => visitor } } }, path, source);
}
