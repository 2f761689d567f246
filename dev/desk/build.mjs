// Frappe's Desk, bundled from the sources below frappe/public, as Frappe's templates expect to find it.
//
//   node build.mjs APP OUTPUT
//
// APP is the folder that contains frappe/; the bundles go to OUTPUT, beside two maps (assets.json and
// assets-rtl.json) from a bundle's name to the address it is served at. Built for one recent Chromium: no
// prefixes and nothing for old browsers; not minified, so that a stack trace can be read.

import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import esbuild from "esbuild";
import { components } from "./components.mjs";
import { sheets } from "./sheets.mjs";
import { templates } from "./templates.mjs";

const [app, output] = process.argv.slice(2).map((folder) => path.resolve(folder));
const NODE_MODULES = path.resolve("node_modules");
const SERVED_AT = "/assets/frappe/dist";
// Editors of DocTypes and workflows: nobody tests them here, and they want packages of their own.
const LEFT_OUT = new Set(["form_builder.bundle.js", "workflow_builder.bundle.js"]);

async function entries(extension) {
	const folder = path.join(app, "frappe", "public");
	const files = await readdir(folder, { recursive: true });
	return files
		.filter((file) => file.endsWith(`.bundle${extension}`) && !/^(dist|node_modules)\//.test(file))
		.filter((file) => !LEFT_OUT.has(path.basename(file)))
		.map((file) => path.join(folder, file));
}

async function build(extension, folder, plugins) {
	const files = await entries(extension);
	const result = await esbuild.build({
		entryPoints: files.map((file) => ({ in: file, out: path.basename(file, extension) })),
		outdir: path.join(output, folder),
		entryNames: "[name].[hash]",
		bundle: true,
		metafile: true,
		nodePaths: [NODE_MODULES, app],
		external: ["/assets/*"],
		define: {
			"process.env.NODE_ENV": '"production"',
			__VUE_OPTIONS_API__: "true",
			__VUE_PROD_DEVTOOLS__: "false",
		},
		logLevel: "error",
		plugins,
	});
	return Object.entries(result.metafile.outputs).filter(([, about]) => about.entryPoint);
}

// {"desk.bundle.js": "/assets/frappe/dist/js/desk.bundle.ABC.js", …}; of a sheet, the name of what it becomes.
function addresses(built, prefix = "") {
	return Object.fromEntries(
		built.map(([file, about]) => {
			const name = path.basename(about.entryPoint).replace(/\.scss$/, ".css");
			return [prefix + name, path.posix.join(SERVED_AT, path.relative(output, path.resolve(file)))];
		})
	);
}

await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
const [scripts, styles, rtl] = await Promise.all([
	build(".js", "js", [templates, components]),
	build(".scss", "css", [sheets({ app, modules: NODE_MODULES })]),
	build(".scss", "css-rtl", [sheets({ app, modules: NODE_MODULES, mirrored: true })]),
]);
const assets = { ...addresses(scripts), ...addresses(styles) };
await writeFile(path.join(output, "assets.json"), JSON.stringify(assets, null, 1));
await writeFile(path.join(output, "assets-rtl.json"), JSON.stringify(addresses(rtl, "rtl_"), null, 1));
console.log(`${scripts.length + styles.length} bundles`);
