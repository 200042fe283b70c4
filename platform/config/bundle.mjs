// Bundles the scripts that stand on a library; everything else is served as it is written.
import { existsSync } from "node:fs";
import { build } from "esbuild";

const source = "platform/config/static/js";
const entries = ["zoom.js", "tus.js"].map((name) => `${source}/${name}`).filter((path) => existsSync(path));

await build({
  entryPoints: entries,
  outdir: "platform/config/static/dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline", // the licences travel with the code
  logLevel: "warning",
});
