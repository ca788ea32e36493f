import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** Writes each file compressed beside itself, as the server sends it; and what keeps the folder in git. */
function compressed(folder: string): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      // The folder was emptied, and is to be there for cargo, with nothing in it for git.
      writeFileSync(join(folder, ".gitignore"), "# What `make web` builds. The folder itself is always there, so that cargo can look at it.\n*\n!.gitignore\n");
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
      for (const file of files.filter(({ name }) => /\.(html|js|css|json|svg|txt)$/.test(name))) {
        const path = join(file.parentPath ?? file.path, file.name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
      }
    },
  };
}

const client = fileURLToPath(new URL("../clients/js/src/index.ts", import.meta.url));
const server = process.env.GEOCAST_URL ?? "http://127.0.0.1:8765";

export default defineConfig({
  // A proxy may serve it below any path.
  base: "./",
  resolve: { alias: { "geocast-client": client } },
  build: {
    target: "es2022",
    // What is inlined would need another Content-Security-Policy, and nothing needs the polyfill.
    assetsInlineLimit: 0,
    rollupOptions: { input: ["index.html", "operator.html"] },
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  plugins: [compressed(fileURLToPath(new URL("dist", import.meta.url)))],
  server: {
    fs: { allow: [".."] },
    // `npm run dev` shows the map of a server that runs.
    proxy: { "/rpc": { target: server, ws: true, changeOrigin: true, rewriteWsOrigin: true }, "/api": server },
  },
});
