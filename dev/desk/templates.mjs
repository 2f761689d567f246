// An imported .html file becomes an entry of frappe.templates, named after the file. Some of Frappe's templates
// escape their quotes: they count on being the text between two backticks.

import { readFile } from "node:fs/promises";
import path from "node:path";

export const templates = {
	name: "templates",
	setup(build) {
		build.onLoad({ filter: /\.html$/ }, async ({ path: file }) => {
			const name = JSON.stringify(path.basename(file).split(".")[0]);
			const text = (await readFile(file, "utf8")).replaceAll("`", "\\`");
			return { contents: `frappe.templates[${name}] = \`${text}\`;` };
		});
	},
};
