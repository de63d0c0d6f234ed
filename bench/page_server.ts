/**
 * Serves `page.html` with its script and the peers on 127.0.0.1, and takes the figures that the page sends back.
 *
 * The headers make the page cross-origin isolated: its clock has steps of 5 µs instead of 100, and it may share memory
 * between threads.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Figure } from "./figure.ts";
import { run } from "./process.ts";

/** This folder, and that of the peers' packages. */
const HERE = fileURLToPath(new URL(".", import.meta.url));
const PEERS = join(HERE, "peers");

/** Where onnxruntime-web and tfjs's backend have what is served; both find their wasm beside their script. */
const ONNXRUNTIME = join(PEERS, "node_modules/onnxruntime-web/dist");
const TFJS = join(PEERS, "node_modules/@tensorflow/tfjs-backend-wasm/dist");

/** tfjs as one script: its packages name each other, and import CommonJS. */
const TFJS_SCRIPT = `export * from "@tensorflow/tfjs-core";\nexport * from "@tensorflow/tfjs-backend-wasm";\n`;

/** What a file is, by its extension. */
const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies, and embedder policies after it. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

/** A running server. */
export class PageServer {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #folder: string;
  readonly #files: ReadonlyMap<string, string>;
  #sent = Promise.withResolvers<readonly Figure[]>();

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#files = filesOf(folder);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      (request) => this.#answer(request),
    );
  }

  /** Bundles the scripts and serves them; port 0 is any that is free. */
  static async start(port: number): Promise<PageServer> {
    const folder = Deno.makeTempDirSync({ prefix: "graft-page-" });
    await bundle(join(HERE, "page.ts"), join(folder, "page.js"));
    if (existsSync(TFJS)) await bundleTfjs(join(folder, "tfjs.js"));
    return new PageServer(folder, port);
  }

  /** The page's address. */
  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#server.addr.port}/`);
  }

  /** The figures that a page sends next; fails with what it says went wrong. */
  next(): Promise<readonly Figure[]> {
    this.#sent = Promise.withResolvers();
    return this.#sent.promise;
  }

  /** Stops, and removes what was bundled. */
  async stop(): Promise<void> {
    await this.#server.shutdown();
    rmSync(this.#folder, { recursive: true });
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && pathname === "/figures") {
      const { figures, failure } = await request.json();
      if (failure === undefined) this.#sent.resolve(figures);
      else this.#sent.reject(new Error(`The page failed: ${failure}`));
      return new Response(null, { status: 204 });
    }
    const path = this.#files.get(pathname);
    if (path === undefined) return new Response(`Nothing is at ${pathname}\n`, { status: 404 });
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    return new Response(readFileSync(path), { headers: { ...ISOLATION, "Content-Type": type } });
  }
}

/** Every file that is served, by its path in an address: nothing else can be had. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  const files = new Map([
    ["/", join(HERE, "page.html")],
    ["/page.js", join(folder, "page.js")],
    ["/tfjs/tfjs.js", join(folder, "tfjs.js")],
  ]);
  for (const [at, from] of [["/onnxruntime/", ONNXRUNTIME], ["/tfjs/", TFJS]]) {
    if (!existsSync(from)) continue;
    for (const name of readdirSync(from)) {
      if (/\.(mjs|wasm)$/.test(name)) files.set(at + name, join(from, name));
    }
  }
  return files;
}

async function bundle(script: string, output: string, flags: readonly string[] = []): Promise<void> {
  await run(Deno.execPath(), ["bundle", "--quiet", "--platform", "browser", ...flags, "--output", output, script]);
}

/** The script stands beside the packages while it is bundled, or their names would not be found. */
async function bundleTfjs(output: string): Promise<void> {
  const script = join(PEERS, "node_modules/tfjs.js");
  writeFileSync(script, TFJS_SCRIPT);
  try {
    await bundle(script, output, ["--config", join(PEERS, "deno.json")]);
  } finally {
    rmSync(script);
  }
}
