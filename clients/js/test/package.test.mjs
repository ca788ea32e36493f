// What the README says and the package has.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { serve, until } from "./server.mjs";

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const readme = readFileSync(join(folder, "README.md"), "utf8");
const blocks = (language) => [...readme.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter(([, is]) => is === language).map(([, , text]) => text);

test("the first example of the README shows what moves", async (t) => {
  const server = await serve(t, { command: "demo", arguments: ["--vehicles", "50"] });
  const [example] = blocks("js");
  assert.ok(example.includes("ws://127.0.0.1:8765/rpc"));
  const program = example.replace("ws://127.0.0.1:8765/rpc", server.url);
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (data) => (said += data));
  const first = await until(() => /^(\d+) here: (\d+) new, 0 moved, 0 gone\n/.exec(said), () => said);
  assert.equal(first[1], first[2]);
  await until(() => /^\d+ here: \d+ new, [1-9]\d* moved, \d+ gone$/m.test(said), () => said);
});

test("the other examples are what the compiler takes", (t) => {
  const made = mkdtempSync(join(folder, ".readme-"));
  t.after(() => rmSync(made, { recursive: true }));
  const examples = blocks("ts");
  assert.equal(examples.length, 2);
  examples.forEach((example, i) => writeFileSync(join(made, `example-${i}.ts`), example));
  writeFileSync(join(made, "tsconfig.json"), JSON.stringify({ extends: "../tsconfig.json", include: ["*.ts"] }));
  run(process.execPath, [join(folder, "node_modules/typescript/bin/tsc"), "--noEmit", "-p", made]);
});

test("adapters stay short", () => {
  for (const name of ["openlayers", "maplibre"]) {
    const lines = readFileSync(join(folder, `src/${name}.ts`), "utf8").split("\n").length - 1;
    assert.ok(lines < 60, `${name}.ts has ${lines} lines`);
  }
});

test("only what belongs is packed", () => {
  const [{ files }] = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
  const sources = readdirSync(join(folder, "src")).map((name) => name.replace(/\.ts$/, ""));
  const built = sources.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]);
  const expected = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "package.json", ...built];
  assert.deepEqual(files.map(({ path }) => path).sort(), expected.sort());
});

test("sizes are those of the README", () => {
  const all = readdirSync(join(folder, "dist")).filter((name) => name.endsWith(".js"));
  const adapters = ["openlayers.js", "maplibre.js", "follow.js"];
  for (const [what, names] of [
    ["The client has", all.filter((name) => !adapters.includes(name))],
    ["the adapter of OpenLayers adds", ["openlayers.js", "follow.js"]],
    ["that of MapLibre", ["maplibre.js", "follow.js"]],
  ]) {
    const text = Buffer.concat(names.map((name) => readFileSync(join(folder, "dist", name))));
    const sizes = [text.length / 1000, gzipSync(text, { level: 9 }).length / 1000];
    const said = new RegExp(`${what} ([\\d.]+) KB, ([\\d.]+) KB gzipped`).exec(readme.replaceAll("\n", " "));
    // Versions of zlib differ a little.
    const holds = said && sizes.every((size, i) => Math.abs(size - Number(said[i + 1])) < 0.05 * size + 0.1);
    assert.ok(holds, `${what} ${sizes.join(" KB, ")} KB gzipped; the README says: ${said?.[0]}`);
  }
});

function run(program, words) {
  try {
    return execFileSync(program, words, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch ({ stdout, stderr }) {
    return assert.fail(`${stdout}${stderr}`);
  }
}
