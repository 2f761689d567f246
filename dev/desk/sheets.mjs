// Style sheets: Sass as Frappe writes it, where `~x` is a file of the package x and `frappe/…` one of the app; and,
// for languages written from right to left, the same mirrored.

import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import rtlcss from "rtlcss";
import * as sass from "sass";

export function sheets({ app, modules, mirrored = false }) {
	const options = {
		importers: [{ findFileUrl: (url) => packageFile(url, modules) }],
		loadPaths: [modules, app],
		logger: sass.Logger.silent, // deprecations of 2023 are nobody's concern here
	};
	const read = async (file) =>
		file.endsWith(".scss") ? (await sass.compileAsync(file, options)).css : readFile(file, "utf8");
	return {
		name: "sheets",
		setup(build) {
			build.onLoad({ filter: /\.(scss|css)$/ }, async ({ path: file }) => {
				const text = await read(file);
				return {
					contents: mirrored ? rtlcss.process(text) : text,
					loader: "css",
					resolveDir: path.dirname(file),
				};
			});
		},
	};
}

function packageFile(url, modules) {
	return url.startsWith("~") ? pathToFileURL(path.join(modules, url.slice(1))) : null;
}
