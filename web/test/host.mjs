// A server of pages that is not geocast: somebody's own.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { transformWithEsbuild } from "vite";

const sources = new URL("../../clients/js/src/", import.meta.url);

/** Serves a page at `/page.html`, with its program at `/page.js` and the client beside it, once it is known what they say. */
export async function host(t) {
  const files = new Map();
  const server = createServer(async ({ url }, response) => {
    const [, script] = /^\/geocast-client\/(\w+)\.js$/.exec(url) ?? [];
    const type = url.endsWith(".js") ? "text/javascript" : "text/html";
    if (!script) return response.setHeader("content-type", type).end(files.get(url) ?? "");
    const source = new URL(`${script}.ts`, sources);
    const { code } = await transformWithEsbuild(readFileSync(source, "utf8"), source.pathname, { target: "es2022", tsconfigRaw: {} });
    return response.setHeader("content-type", type).end(code);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const shows = (page, program) => void files.set("/page.html", page).set("/page.js", program);
  return { http: `http://127.0.0.1:${server.address().port}`, shows };
}
