// One person's data, from the form of a session and from the list: exported and erased by administrators.
frappe.provide("assistant_session");

Object.assign(assistant_session, {
	escaped(value) {
		return frappe.utils.escape_html(String(value));
	},

	async post(endpoint, body) {
		const response = await fetch(`/api/method/assistant_session.api.${endpoint}`, {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token },
			body: JSON.stringify(body),
		});
		return response.json();
	},

	async export_person(person) {
		const { message, error } = await assistant_session.post("export_person", { person });
		if (error) return frappe.msgprint(assistant_session.escaped(error.message));
		if (!message.sessions.length) return frappe.msgprint(__("Nothing is held about this person."));
		assistant_session.download("conversations.json", message.sessions);
	},

	erase_person(person, done) {
		const text = __("Messages, profile and everything that names the person are removed for good. Go on?");
		frappe.warn(__("Erase"), text, () => assistant_session.erase_now(person, done), __("Erase"));
	},

	async erase_now(person, done) {
		const { message, error } = await assistant_session.post("erase_person", { person });
		if (error) return frappe.msgprint(assistant_session.escaped(error.message));
		const kept = message.kept.map((one) => `<li>${assistant_session.escaped(`${one.session}: ${one.why}`)}</li>`);
		const left = message.left.map((one) => `<li>${assistant_session.escaped(one)}</li>`);
		frappe.msgprint({
			title: kept.length || left.length ? __("Not everything was erased") : __("Erased"),
			indicator: kept.length || left.length ? "orange" : "green",
			message: `${__("{0} sessions were erased.", [message.sessions.length])}<ul>${kept.join("")}${left.join("")}</ul>`,
			primary_action: {
				label: __("Download the receipt"),
				action: () => assistant_session.download(`receipt-${message.receipt}.json`, message),
			},
		});
		done?.();
	},

	download(name, content) {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
		link.download = name;
		link.click();
		URL.revokeObjectURL(link.href);
	},

	// Asks who is meant, then does it.
	choose_person(title, action) {
		const pair = (way, one, two) => [
			{ fieldname: `${way}_one`, label: one, fieldtype: "Data", depends_on: `eval:doc.way=="${way}"` },
			{ fieldname: `${way}_two`, label: two, fieldtype: "Data", depends_on: `eval:doc.way=="${way}"` },
		];
		const single = (way, label) => ({ fieldname: way, label, fieldtype: "Data", depends_on: `eval:doc.way=="${way}"` });
		const fields = [
			{ fieldname: "way", label: __("Named by"), fieldtype: "Select", options: "identity\nuser\nparty\naddress\ndevice", default: "identity", reqd: 1 },
			...pair("identity", __("Identity Check"), __("Credential")),
			single("user", __("User")),
			...pair("party", __("DocType"), __("Name")),
			...pair("address", __("Channel"), __("External ID")),
			single("device", __("Device ID")),
		];
		frappe.prompt(fields, (values) => {
			const way = values.way;
			action({ [way]: values[way] ?? [values[`${way}_one`] ?? "", values[`${way}_two`] ?? ""] });
		}, title);
	},
});
