// What the bot keeps with a conversation, context and flows, as fields somebody can read.
frappe.provide("assistant_session");

assistant_session.show_kept = function (place, doc) {
	const parts = [];
	for (const [name, flow] of Object.entries(assistant_session.parsed(doc.flows, parts))) {
		parts.push(assistant_session.element("h5", "", __("Flow {0}, at step {1}", [name, flow?.step ?? "?"])));
		parts.push(assistant_session.fields(flow?.data ?? {}));
	}
	const context = assistant_session.parsed(doc.context, parts);
	if (Object.keys(context).length) {
		parts.push(assistant_session.element("h5", "", __("Context")));
		parts.push(assistant_session.fields(context));
	}
	const nothing = __("The bot keeps nothing with this conversation.");
	place.replaceChildren(...(parts.length ? parts : [assistant_session.element("p", "text-muted", nothing)]));
};

assistant_session.parsed = function (text, parts) {
	try {
		const value = JSON.parse(text || "{}");
		if (value && typeof value === "object" && !Array.isArray(value)) return value;
	} catch {
		// said below
	}
	parts.push(assistant_session.element("p", "text-danger", __("It cannot be read: repair the JSON under Technical.")));
	return {};
};

assistant_session.fields = function (values) {
	const list = assistant_session.element("dl", "as-kept");
	for (const [name, value] of Object.entries(values)) {
		const shown = assistant_session.element("dd", "", typeof value === "object" ? JSON.stringify(value, null, 1) : String(value));
		shown.dir = "auto";
		list.append(assistant_session.element("dt", "", name), shown);
	}
	return list;
};
