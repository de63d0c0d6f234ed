/**
 * How the Rust core becomes wasm: which compilers are on this machine, and one build of one variant.
 *
 * Two recipes, the first that applies: a Rust toolchain that has the `wasm32-unknown-unknown` target (`rustup target
 * add wasm32-unknown-unknown`), or Debian's compiler and its own copy of the standard library's sources (`apt-get
 * install rustc-web cargo-web rust-web-src lld-22`). Both need `wasm-pack` and `wasm-bindgen` on the path.
 *
 * Nothing about the place of the build reaches the bytes: the same compiler gives the same file everywhere.
 *
 * @module
 */

/** The instruction sets there is a module for. Safari rejects a whole module with one relaxed instruction in it. */
export const VARIANTS = ["simd", "relaxed"] as const;

/** Crate and command must be of one version, or the command does not understand what the crate left for it. */
export const WASM_BINDGEN = "0.2.130";

/** One of {@linkcode VARIANTS}. */
export type Variant = typeof VARIANTS[number];

/** Everything that decides the bytes besides the sources; recorded beside them. */
export interface Compiler {
  /** Which of the two recipes. */
  readonly recipe: "rustup" | "debian";
  /** `rustc --version`, with the version of its LLVM. */
  readonly rustc: string;
  /** The linker's own version line. */
  readonly linker: string;
  /** The version of the wasm-bindgen command, which must be that of the crate. */
  readonly wasmBindgen: string;
}

/** A compiler that is on this machine, and how to call it. */
export interface Recipe {
  /** What to record. */
  readonly compiler: Compiler;
  /** Variables that make wasm-pack use this compiler. */
  readonly env: Readonly<Record<string, string>>;
  /** Compiler flags of this recipe alone. */
  readonly flags: readonly string[];
  /** Arguments for cargo, after `--`. */
  readonly cargo: readonly string[];
  /** Where the sources of the standard library are. */
  readonly librarySource: string;
}

/** What wasm-pack wrote for one variant. */
export interface Built {
  /** The module. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** wasm-bindgen's JavaScript. */
  readonly glue: string;
  /** wasm-bindgen's declarations. */
  readonly types: string;
}

/** The crate's name in file names. */
const NAME = "graft_core";

/**
 * `simd128` is what every current engine has. Without `reference-types` wasm-bindgen imports nothing, because nothing
 * but numbers crosses the boundary; the module then needs no import object.
 */
const FEATURES: Readonly<Record<Variant, string>> = {
  simd: "+simd128,-reference-types",
  relaxed: "+simd128,+relaxed-simd,-reference-types",
};

/** What Debian's packages install. */
const DEBIAN = {
  rustc: "/usr/bin/rustc",
  // A wrapper; Debian keeps it off the path so that the host's cargo stays the default.
  cargo: "/usr/share/cargo/bin/cargo",
  linker: "/usr/bin/wasm-ld-22",
} as const;

/** Where to build. */
interface BuildPlaces {
  /** The folder of the crate. */
  readonly crate: string;
  /** Cargo's target folder. */
  readonly target: string;
}

/** The recipes that this machine has what it takes for, the preferred one first. */
export async function findRecipes(): Promise<Recipe[]> {
  // Looked for here, because wasm-pack would download what it does not find.
  if (await firstLine("wasm-bindgen", ["--version"]) !== `wasm-bindgen ${WASM_BINDGEN}`) return [];
  if (await firstLine("wasm-pack", ["--version"]) === undefined) return [];
  const found = [await rustupRecipe(), await debianRecipe()];
  return found.filter((recipe) => recipe !== null);
}

/** Builds both variants of the crate in `folder/crate`; cargo's target folders are beside it. */
export async function buildBoth(recipe: Recipe, folder: string): Promise<Record<Variant, Built>> {
  const crate = `${folder}/crate`;
  return {
    simd: await build(recipe, "simd", { crate, target: `${folder}/simd` }),
    relaxed: await build(recipe, "relaxed", { crate, target: `${folder}/relaxed` }),
  };
}

async function build(recipe: Recipe, variant: Variant, places: BuildPlaces): Promise<Built> {
  const { crate } = places;
  const out = await Deno.makeTempDir();
  try {
    await run("wasm-pack", {
      // "force" skips the look for rustup's target, which Debian's recipe builds instead.
      args: ["build", crate, "--target", "web", "--release", "--mode", "force", "--no-pack", "--out-dir", out]
        .concat(["--out-name", NAME, "--", "--locked", ...recipe.cargo]),
      env: {
        ...recipe.env,
        CARGO_TARGET_DIR: places.target,
        CARGO_ENCODED_RUSTFLAGS: [...recipe.flags, ...commonFlags(variant), ...await remaps(recipe, crate, places)]
          .join("\x1f"),
      },
    });
    const built = {
      wasm: await Deno.readFile(`${out}/${NAME}_bg.wasm`),
      glue: await Deno.readTextFile(`${out}/${NAME}.js`),
      types: await Deno.readTextFile(`${out}/${NAME}.d.ts`),
    };
    assertSelfContained(built.wasm, [crate, places.target, cargoHome()]);
    return built;
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

async function rustupRecipe(): Promise<Recipe | null> {
  const sysroot = await firstLine("rustc", ["--print", "sysroot"]);
  const rustc = await rustcVersion("rustc");
  if (sysroot === undefined || rustc === undefined) return null;
  if (!await exists(`${sysroot}/lib/rustlib/wasm32-unknown-unknown/lib`)) return null;
  return {
    compiler: { recipe: "rustup", rustc, linker: "rust-lld", wasmBindgen: WASM_BINDGEN },
    env: {},
    flags: [],
    cargo: [],
    librarySource: `${sysroot}/lib/rustlib/src/rust`,
  };
}

async function debianRecipe(): Promise<Recipe | null> {
  const linker = await firstLine(DEBIAN.linker, ["--version"]);
  const rustc = await rustcVersion(DEBIAN.rustc);
  const sysroot = await firstLine(DEBIAN.rustc, ["--print", "sysroot"]);
  if (linker === undefined || rustc === undefined || sysroot === undefined) return null;
  const librarySource = `${sysroot}/lib/rustlib/src/rust`;
  if (!await exists(DEBIAN.cargo) || !await exists(`${librarySource}/library`)) return null;
  return {
    compiler: { recipe: "debian", rustc, linker, wasmBindgen: WASM_BINDGEN },
    env: {
      PATH: `/usr/share/cargo/bin:/usr/bin:${Deno.env.get("PATH") ?? ""}`,
      RUSTC: DEBIAN.rustc,
      CARGO: DEBIAN.cargo,
      // The flags below are unstable ones; this compiler is a stable release.
      RUSTC_BOOTSTRAP: "1",
      // The text of panics and where they happened is most of a small module, and nobody would see it.
      CARGO_PROFILE_RELEASE_PANIC: "immediate-abort",
    },
    flags: ["-C", `linker=${DEBIAN.linker}`, "-Zunstable-options", "-Zlocation-detail=none"],
    cargo: ["-Zbuild-std=std,panic_abort", "-Zpanic-immediate-abort"],
    librarySource,
  };
}

function commonFlags(variant: Variant): string[] {
  return ["-C", `target-feature=${FEATURES[variant]}`, "-C", "strip=symbols"];
}

/** Replaces every folder that a path in the module could begin with. */
async function remaps(recipe: Recipe, crate: string, places: BuildPlaces): Promise<string[]> {
  const folders: [string, string][] = [[crate, "/graft"], [places.target, "/target"], [recipe.librarySource, "/rust"]];
  const registry = `${cargoHome()}/registry/src`;
  if (await exists(registry)) {
    for await (const entry of Deno.readDir(registry)) folders.push([`${registry}/${entry.name}`, "/crates"]);
  }
  return folders.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

/** Refuses a module that knows where it was built, or that needs anything from outside. */
function assertSelfContained(wasm: Uint8Array<ArrayBuffer>, places: readonly string[]): void {
  const text = new TextDecoder("latin1").decode(wasm);
  for (const place of places) {
    if (text.includes(place)) throw new Error(`Cannot use the module that was built: it names the folder "${place}"`);
  }
  // Compiled rather than only parsed: a module that this engine rejects must not be written.
  const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm));
  if (imports.length > 0) {
    const names = imports.map(({ module, name }) => `"${module}" "${name}"`).join(", ");
    throw new Error(`Cannot use the module that was built: it imports ${names}, expected nothing`);
  }
}

function cargoHome(): string {
  return Deno.env.get("CARGO_HOME") ?? `${Deno.env.get("HOME") ?? ""}/.cargo`;
}

async function rustcVersion(rustc: string): Promise<string | undefined> {
  const lines = (await output(rustc, ["-vV"]))?.split("\n");
  const llvm = lines?.find((line) => line.startsWith("LLVM version"));
  return lines === undefined ? undefined : `${lines[0]}, ${llvm}`;
}

async function firstLine(command: string, args: readonly string[]): Promise<string | undefined> {
  return (await output(command, args))?.split("\n")[0].trim();
}

/** What a command prints, or `undefined` where there is no such command or it fails. */
async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function run(command: string, options: { args: string[]; env: Record<string, string> }): Promise<void> {
  const { code } = await new Deno.Command(command, { ...options, stdout: "inherit", stderr: "inherit" }).output();
  if (code !== 0) throw new Error(`Cannot build the core: "${command}" exited with ${code}`);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
