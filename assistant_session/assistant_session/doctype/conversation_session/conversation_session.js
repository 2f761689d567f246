const ADMINISTRATOR = "Assistant Session Administrator";

frappe.ui.form.on("Conversation Session", {
	refresh(frm) {
		if (frm.is_new()) return;
		const group = __("Consistency");
		frm.add_custom_button(__("Report"), () => ask(frm, "session_report"), group);
		if (!frappe.user.has_role(ADMINISTRATOR)) return;
		frm.add_custom_button(__("Recover from database"), () => ask(frm, "recover_session_from_database"), group);
		frm.add_custom_button(__("Check and mend"), () => ask(frm, "ensure_session_consistency"), group);
		if (frm.doc.status === "Active") {
			frm.add_custom_button(__("Unlock verification"), () => unlock(frm));
		}
		const person = __("Person");
		if (frm.doc.legal_hold) {
			frm.set_intro(__("Under legal hold: {0}", [assistant_session.escaped(frm.doc.legal_hold_reason)]), "orange");
			frm.add_custom_button(__("Lift legal hold"), () => hold(frm, "lift_legal_hold"), person);
		} else {
			frm.add_custom_button(__("Set legal hold"), () => hold(frm, "set_legal_hold"), person);
		}
		frm.add_custom_button(__("Export this session"), () => assistant_session.export_person({ session: frm.doc.name }), person);
		frm.add_custom_button(
			__("Erase this session"),
			() => assistant_session.erase_person({ session: frm.doc.name }, () => frm.reload_doc()),
			person
		);
	},
});

function hold(frm, endpoint) {
	const reason = { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1, max_length: 500 };
	frappe.prompt(reason, async (values) => {
		const { error } = await assistant_session.post(endpoint, { session_id: frm.doc.name, reason: values.reason });
		if (error) frappe.msgprint(assistant_session.escaped(error.message));
		frm.reload_doc();
	});
}

async function ask(frm, endpoint) {
	const { message, error } = await assistant_session.post(endpoint, { session_id: frm.doc.name });
	frappe.msgprint({
		title: message?.consistent ? __("Consistent") : __("What was found"),
		indicator: message?.consistent ? "green" : "orange",
		message: error ? assistant_session.escaped(error.message) : report(message),
		wide: true,
	});
	if (endpoint === "ensure_session_consistency") frm.reload_doc();
}

function report(found) {
	const rows = [
		[__("In memory of the worker that answered"), yes(found.memory_exists)],
		[__("In the database"), yes(found.database_exists)],
		[__("Authenticated in memory, in the database"), `${yes(found.memory_authenticated)}, ${yes(found.database_authenticated)}`],
		[__("Register"), found.register],
		[__("On reconnect"), found.reconnect],
		[__("Done"), found.action_taken],
		...found.differences.map((one) => [one.field, `${one.memory} ≠ ${one.database}`]),
		...found.findings.map((one) => [one.kind, `${one.detail} → ${one.remedy || __("left alone")}`]),
	];
	const cells = rows
		.filter(([, value]) => value !== undefined)
		.map(([label, value]) => `<tr><td>${assistant_session.escaped(label)}</td><td>${assistant_session.escaped(value)}</td></tr>`);
	return `<table class="table table-bordered">${cells.join("")}</table>`;
}

async function unlock(frm) {
	const { message, error } = await assistant_session.post("unlock_verification", { session_id: frm.doc.name });
	frappe.msgprint(assistant_session.escaped(error ? error.message : __("Until {0} this person may try to verify.", [message.until])));
	frm.reload_doc();
}

function yes(value) {
	return value ? __("yes") : __("no");
}
