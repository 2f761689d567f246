const ADMINISTRATOR = "Assistant Session Administrator";

frappe.ui.form.on("Conversation Session", {
	refresh(frm) {
		if (frm.is_new()) return;
		show_conversation(frm);
		assistant_session.show_kept(frm.get_field("kept").$wrapper.get(0), frm.doc);
		show_trail(frm);
		add_reports(frm);
		if (!frappe.user.has_role(ADMINISTRATOR)) return;
		add_actions(frm);
		add_personal(frm);
	},
});

function show_conversation(frm) {
	frm.conversation?.stop();
	const place = frm.get_field("conversation").$wrapper.get(0);
	frm.conversation = new assistant_session.Conversation(place, frm.doc.name, () => tell_state(frm));
	frm.conversation.loaded.then(() => tell_state(frm));
}

// Verified, legal hold, locked: a sentence each. The last one gives the box its colour, so what warns comes last.
function tell_state(frm) {
	const { head } = frm.conversation;
	if (!head) return;
	frm.set_intro("");
	const { escaped, in_words } = assistant_session;
	if (head.verified) {
		const { method, at, until } = head.verified;
		frm.set_intro(__("Verified by {0} at {1}, until {2} at the latest.", [method, in_words(at), in_words(until)].map(escaped)), "green");
	}
	if (frm.doc.legal_hold) frm.set_intro(__("Under legal hold: {0}", [escaped(frm.doc.legal_hold_reason)]), "orange");
	if (head.locked_until) {
		frm.set_intro(__("Verification is locked until {0}.", [escaped(in_words(head.locked_until))]), "orange");
		if (frappe.user.has_role(ADMINISTRATOR)) frm.add_custom_button(__("Unlock verification"), () => unlock(frm));
	}
}

function show_trail(frm) {
	const place = frm.get_field("trail").$wrapper.get(0);
	const link = assistant_session.element("a", "btn btn-default btn-sm", __("All events of this conversation"));
	link.href = frappe.utils.get_form_link("Session Event", "").replace(/\/$/, "") + `?session=${encodeURIComponent(frm.doc.name)}`;
	const may = frappe.model.can_read("Session Event");
	const text = __("The audit trail is for auditors and administrators.");
	place.replaceChildren(may ? link : assistant_session.element("p", "text-muted", text));
}

function add_reports(frm) {
	const group = __("Consistency");
	frm.add_custom_button(__("Report"), () => ask(frm, "session_report"), group);
	if (!frappe.user.has_role(ADMINISTRATOR)) return;
	frm.add_custom_button(__("Recover from database"), () => ask(frm, "recover_session_from_database"), group);
	frm.add_custom_button(__("Check and mend"), () => ask(frm, "ensure_session_consistency"), group);
}

function add_actions(frm) {
	const group = __("Actions");
	if (frm.doc.status === "Active") frm.add_custom_button(__("Close conversation"), () => close(frm), group);
	if (frm.doc.authenticated) frm.add_custom_button(__("End verification"), () => act(frm, "end_authentication"), group);
	if (frm.doc.active_agent) frm.add_custom_button(__("Release agent lock"), () => act(frm, "release_agent_lock"), group);
	frm.add_custom_button(__("Link a record"), () => link_party(frm), group);
	const held = Boolean(frm.doc.legal_hold);
	frm.add_custom_button(held ? __("Lift legal hold") : __("Set legal hold"), () => hold(frm, held ? "lift_legal_hold" : "set_legal_hold"), group);
}

function add_personal(frm) {
	const group = __("Person");
	const person = { session: frm.doc.name };
	frm.add_custom_button(__("Export this conversation"), () => assistant_session.export_person(person), group);
	frm.add_custom_button(__("Erase this conversation"), () => assistant_session.erase_person(person, () => frm.reload_doc()), group);
}

async function act(frm, endpoint, body = {}) {
	await assistant_session.done(endpoint, { session_id: frm.doc.name, ...body });
	frm.reload_doc();
}

function reason(length) {
	return { fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1, max_length: length };
}

function close(frm) {
	frappe.prompt(reason(140), (values) => act(frm, "close_conversation", values), __("Close conversation"));
}

function hold(frm, endpoint) {
	frappe.prompt(reason(500), (values) => act(frm, endpoint, values));
}

function link_party(frm) {
	const fields = [
		{ fieldname: "party_type", fieldtype: "Link", options: "DocType", label: __("Record type"), default: frm.doc.party_type || "Contact" },
		{ fieldname: "party", fieldtype: "Dynamic Link", options: "party_type", label: __("Record"), default: frm.doc.party },
	];
	frappe.prompt(fields, ({ party_type, party }) => act(frm, "link_party", party ? { party_type, party } : {}), __("Link a record"));
}

async function unlock(frm) {
	const message = await assistant_session.done("unlock_verification", { session_id: frm.doc.name });
	if (message) frappe.msgprint(__("Until {0} this person may try to verify.", [assistant_session.escaped(assistant_session.in_words(message.until))]));
	frm.reload_doc();
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

function yes(value) {
	return value ? __("yes") : __("no");
}
