// A Vue component becomes one module: script and template compiled together, its style sheets added to the page
// by Frappe when the module is first run (the bundles with components all come after Desk itself).

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { compileScript, compileStyle, parse } from "vue/compiler-sfc";

const require = createRequire(import.meta.url);

export const components = {
	name: "components",
	setup(build) {
		build.onLoad({ filter: /\.vue$/ }, async ({ path: file }) => {
			const { descriptor, errors } = parse(await readFile(file, "utf8"), { filename: file });
			const id = createHash("sha256").update(file).digest("hex").slice(0, 8);
			const text = errors.length ? "" : compile(descriptor, id);
			return { contents: text, errors: errors.map((error) => ({ text: error.message })) };
		});
	},
};

function compile(descriptor, id) {
	const script = compileScript(descriptor, { id, inlineTemplate: true, genDefaultAs: "component" });
	const scoped = descriptor.styles.some((style) => style.scoped);
	const sheets = descriptor.styles.map((style) => compileSheet(style, descriptor.filename, id));
	return [
		script.content,
		scoped ? `component.__scopeId = "data-v-${id}";` : "",
		...sheets.map((sheet) => `frappe.dom.set_style(${JSON.stringify(sheet)});`),
		"export default component;",
	].join("\n");
}

function compileSheet(style, filename, id) {
	const { code, errors } = compileStyle({
		source: style.content,
		filename,
		id: `data-v-${id}`,
		scoped: style.scoped,
		preprocessLang: style.lang,
		preprocessCustomRequire: require,
	});
	if (errors.length) throw errors[0];
	return code;
}
