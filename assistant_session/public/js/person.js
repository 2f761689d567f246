// One person's data, from the form of a session and from the list: exported and erased by administrators.
frappe.provide("assistant_session");

Object.assign(assistant_session, {
	async export_person(person) {
		const { message, error } = await assistant_session.post("export_person", { person });
		if (error) return frappe.msgprint(assistant_session.escaped(error.message));
		if (!message.sessions.length) return frappe.msgprint(__("Nothing is held about this person."));
		assistant_session.download("conversations.json", message.sessions);
	},

	// What there is comes first: nobody erases somebody who is not there, or more than they meant.
	async erase_person(person, done) {
		const found = await assistant_session.done("count_person", { person });
		if (!found) return;
		if (!found.sessions) {
			frappe.msgprint({ title: __("Nobody"), indicator: "gray", message: __("Nothing is held about this person.") });
			return;
		}
		const text = __("Of {0} conversations with {1} messages, all but the {2} under legal hold are removed for good, with profile and everything that names the person.", [found.sessions, found.turns, found.held]);
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
			message: `${__("{0} conversations were erased.", [message.sessions.length])}<ul>${kept.join("")}${left.join("")}</ul>`,
			primary_action: {
				label: __("Download the receipt"),
				action: () => assistant_session.download(`receipt-${message.receipt}.json`, message),
			},
		});
		done?.();
	},

	// Asks who is meant, then does it.
	choose_person(title, action) {
		const shown = (way) => ({ fieldtype: "Data", depends_on: `eval:doc.way=="${way}"` });
		const single = (way, field) => ({ ...shown(way), fieldname: way, ...field });
		const pair = (way, one, two) => [
			{ ...shown(way), fieldname: `${way}_one`, ...one },
			{ ...shown(way), fieldname: `${way}_two`, ...two },
		];
		const link = (label, options) => ({ label, fieldtype: "Link", options });
		const fields = [
			{ fieldname: "way", label: __("Named by"), fieldtype: "Select", options: "identity\nuser\nparty\naddress\ndevice", default: "identity", reqd: 1 },
			...pair("identity", link(__("Identity Check"), "Identity Check"), { label: __("Credential") }),
			single("user", link(__("User"), "User")),
			...pair("party", link(__("Record type"), "DocType"), { label: __("Record"), fieldtype: "Dynamic Link", options: "party_one" }),
			...pair("address", { label: __("Channel") }, { label: __("Address") }),
			single("device", { label: __("Device") }),
		];
		frappe.prompt(fields, (values) => {
			const way = values.way;
			action({ [way]: values[way] ?? [values[`${way}_one`] ?? "", values[`${way}_two`] ?? ""] });
		}, title);
	},
});
