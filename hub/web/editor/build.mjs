// Writes everything a browser gets that is not written by hand: the vendored files, the sprite of icons, the editor.
// `make assets` runs it; what it writes is committed, so running and testing the product need no Node.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../../..");
const out = join(here, "../static");
const modules = join(here, "node_modules");
const icons = join(modules, "@tabler/icons/icons/outline");

const vendored = [
  ["htmx.org", "dist/htmx.min.js", "vendor/htmx.min.js"],
  ["@tabler/core", "dist/css/tabler.min.css", "vendor/tabler.min.css"],
];
const bundled = ["@dagrejs/dagre", "@xyflow/react", "core-js", "react", "react-dom"];

function filesUnder(folder, ending) {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((name) => ending.test(name) && !name.includes("node_modules"));
}

// An icon is used by its name in quotes, in a template, a page's module or the editor. A word that happens to be the
// name of one costs a few hundred bytes, a list to keep by hand would cost every author a thought.
function usedIcons() {
  const names = new Set();
  const sources = [
    ...filesUnder(join(root, "templates"), /\.html$/),
    ...filesUnder(join(root, "hub/web/pages"), /\.py$/),
    ...filesUnder(join(root, "hub/scenarios/blocks"), /\.py$/),
    ...filesUnder(join(out, "js"), /\.js$/),
    ...filesUnder(join(here, "src"), /\.tsx?$/),
  ];
  for (const source of sources) {
    for (const [, name] of readFileSync(source, "utf8").matchAll(/["']([a-z][a-z0-9-]{0,40})["']/g)) {
      if (existsSync(join(icons, `${name}.svg`))) names.add(name);
    }
  }
  return [...names].sort();
}

function sprite() {
  const symbols = usedIcons().map((name) => {
    const drawing = readFileSync(join(icons, `${name}.svg`), "utf8").replace(/<!--[\s\S]*?-->/g, "");
    const inner = drawing.slice(drawing.indexOf(">", drawing.indexOf("<svg")) + 1, drawing.lastIndexOf("</svg>"));
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("\n")}</svg>\n`;
}

// Scripts of the page that the editor shares stay files of their own: `page/words` is `../js/words.js` beside it.
const shared = {
  name: "shared",
  setup(made) {
    made.onResolve({ filter: /^page\// }, ({ path }) => ({ path: `../js/${path.slice(5)}.js`, external: true }));
  },
};

function packageOf(name) {
  return JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
}

mkdirSync(join(out, "vendor"), { recursive: true });
rmSync(join(out, "built"), { recursive: true, force: true });
mkdirSync(join(out, "built"), { recursive: true });
for (const [name, from, to] of vendored) {
  const text = readFileSync(join(modules, name, from), "utf8").replace(/\n?\/[/*]# sourceMappingURL=[^\n]*\n?/g, "\n");
  writeFileSync(join(out, to), text);
}
cpSync(join(modules, "axe-core/axe.min.js"), join(root, "tests/browser/axe.min.js"));
writeFileSync(join(out, "built/icons.svg"), sprite());
if (existsSync(join(here, "src/main.tsx"))) {
  await build({
    entryPoints: [join(here, "src/main.tsx")],
    outfile: join(out, "built/editor.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    legalComments: "none",
    plugins: [shared],
    define: { "process.env.NODE_ENV": '"production"' },
    logLevel: "warning",
  });
}

const files = [...vendored.map(([, , to]) => to), ...readdirSync(join(out, "built")).map((name) => `built/${name}`)].sort();
const manifest = {
  packages: [...new Set([...vendored.map(([name]) => name), ...bundled, "@tabler/icons"])].sort().map((name) => {
    const { version, license } = packageOf(name);
    return { name, version, licence: license };
  }),
  files: files.map((file) => ({
    file,
    sha384: createHash("sha384").update(readFileSync(join(out, file))).digest("base64"),
  })),
};
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest, null, 2) + "\n");
console.log(files.map((file) => relative(root, join(out, file))).join("\n"));
