// What people, bots and staff typed is text wherever Desk shows a value of ours: in form, list, report view and dialogs.
// Frappe's formatters show Data, Small Text and Long Text as HTML, and the service stores messages as they were typed.
// Frappe runs this when it loads one of our DocTypes, before anything of it is shown; a formatter of a field wins.
frappe.provide("assistant_session");

assistant_session.shown_as_text = new Set([
	"Autocomplete", "Code", "Data", "HTML Editor", "JSON", "Long Text", "Markdown Editor", "Phone", "Read Only", "Select",
	"Small Text", "Text", "Text Editor",
]);

// No sign that begins or ends a tag or an attribute is left. The ampersand stays: where Frappe has escaped a value before,
// as in a form, it is not to be seen twice; by itself it makes no more than a character.
const SIGNS = { "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "`": "&#x60;" };

assistant_session.as_text = function (value) {
	return String(value ?? "").replace(/[<>"'`]/g, (sign) => SIGNS[sign]);
};

assistant_session.as_link = function (value, df, options, doc) {
	const text = assistant_session.as_text(value);
	const target = df.fieldtype === "Link" ? df.options : doc?.[df.options];
	if (!value || !target || options?.only_value) return text;
	return frappe.utils.get_form_link(target, value, true, text);
};

assistant_session.show_as_text = function (meta) {
	for (const field of meta.fields) {
		if (assistant_session.shown_as_text.has(field.fieldtype)) field.formatter = assistant_session.as_text;
		if (["Link", "Dynamic Link"].includes(field.fieldtype)) field.formatter = assistant_session.as_link;
		if (frappe.model.table_fields.includes(field.fieldtype)) {
			const child = frappe.get_meta(field.options);
			if (child) assistant_session.show_as_text(child);
		}
	}
};

// Places that show a value by another field's rules, or by none: columns that Frappe shifts while it draws a report, and charts.
assistant_session.is_shown = function (field) {
	const doctype = field?.parent || window.cur_list?.doctype;
	return locals.DocType?.[doctype]?.module === "Assistant Session";
};

if (!assistant_session.guards) {
	assistant_session.guards = true;
	const { format, Chart } = frappe;
	frappe.format = (value, field, options, doc) => {
		const typed = typeof value === "string" && !field?.fieldname?.startsWith("_");
		return format(typed && assistant_session.is_shown(field) ? assistant_session.as_text(value) : value, field, options, doc);
	};
	frappe.Chart = new Proxy(Chart, {
		construct(target, [wrapper, options = {}]) {
			const labels = options.data?.labels;
			if (Array.isArray(labels) && assistant_session.is_shown()) {
				options.data.labels = labels.map((label) => (typeof label === "string" ? assistant_session.as_text(label) : label));
			}
			return new target(wrapper, options);
		},
	});
}

for (const meta of Object.values(locals.DocType || {})) {
	if (meta.module === "Assistant Session") assistant_session.show_as_text(meta);
}
