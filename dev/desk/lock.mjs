// The last part of `npm run lock`: the lock file without the addresses its packages ask for money at, so that it names
// no host at all. What a package must be is said by its digest; where it comes from is the registry npm is set up with.

import { readFile, writeFile } from "node:fs/promises";

const FILE = "package-lock.json";
const lock = JSON.parse(await readFile(FILE, "utf8"));
for (const about of Object.values(lock.packages)) delete about.funding;
await writeFile(FILE, JSON.stringify(lock, null, 2) + "\n");
