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
	},
});

async function post(endpoint, session_id) {
	const response = await fetch(`/api/method/assistant_session.api.${endpoint}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token },
		body: JSON.stringify({ session_id }),
	});
	return response.json();
}

async function ask(frm, endpoint) {
	const { message, error } = await post(endpoint, frm.doc.name);
	frappe.msgprint({
		title: message?.consistent ? __("Consistent") : __("What was found"),
		indicator: message?.consistent ? "green" : "orange",
		message: error ? escaped(error.message) : report(message),
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
		.map(([label, value]) => `<tr><td>${escaped(label)}</td><td>${escaped(value)}</td></tr>`);
	return `<table class="table table-bordered">${cells.join("")}</table>`;
}

async function unlock(frm) {
	const { message, error } = await post("unlock_verification", frm.doc.name);
	frappe.msgprint(escaped(error ? error.message : __("Until {0} this person may try to verify.", [message.until])));
	frm.reload_doc();
}

function yes(value) {
	return value ? __("yes") : __("no");
}

function escaped(value) {
	return frappe.utils.escape_html(String(value));
}
