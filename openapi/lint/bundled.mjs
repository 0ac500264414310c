// Checks that a bundle without unused components has lost none: `node bundled.mjs BUNDLE.json`, the contract on
// standard input as JSON.
import { readFileSync } from "node:fs";

const components = (text) =>
  Object.entries(JSON.parse(text).components).flatMap(([kind, named]) => Object.keys(named).map((name) => `${kind}/${name}`));
const kept = new Set(components(readFileSync(process.argv[2], "utf8")));
const lost = components(readFileSync(0, "utf8")).filter((name) => !kept.has(name));
for (const name of lost) console.error(`contract-lint: ${name} is used by nothing`);
process.exit(lost.length ? 1 : 0);
