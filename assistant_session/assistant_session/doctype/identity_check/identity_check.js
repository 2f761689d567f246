frappe.ui.form.on("Identity Check", {
	refresh(frm) {
		if (!frm.is_new() && !frm.is_dirty() && frm.perm[0]?.write) {
			frm.add_custom_button(__("Try it"), () => ask(frm));
		}
	},
});

function ask(frm) {
	const examples = frm.doc.credentials.map((row) => row.example).join(" ");
	frappe.prompt(
		{
			fieldname: "text",
			fieldtype: "Small Text",
			label: __("What a person would type"),
			description: __("For instance: {0}. It is not stored, and counts as an attempt.", [
				frappe.utils.escape_html(examples),
			]),
			reqd: 1,
		},
		(values) => answer(frm, values.text),
		__("Try {0}", [frappe.utils.escape_html(frm.doc.name)]),
		__("Ask the verifier")
	);
}

async function answer(frm, text) {
	const response = await fetch("/api/method/assistant_session.api.try_identity_check", {
		method: "POST",
		headers: { "Content-Type": "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token },
		body: JSON.stringify({ check: frm.doc.name, text }),
	});
	const said = await response.json();
	const found = said.message || {};
	frappe.msgprint({
		title: __("The verifier answered"),
		indicator: found.outcome === "verified" ? "green" : "orange",
		message: frappe.utils.escape_html(said.error?.message || sentence(found)),
	});
	frm.reload_doc();
}

function sentence({ outcome, fields, missing }) {
	const names = (fields || missing || []).join(", ");
	return {
		verified: __("Verified. A session would keep: {0}", [names || __("no field")]),
		missing: __("Not found in the text: {0}", [names]),
		not_matched: __("Nobody has these credentials."),
		ambiguous: __("More than one has these credentials. A person is told that nobody has."),
		unavailable: __("The verifier could not be asked. See assistant_session.log."),
		locked: __("There were too many attempts with these credentials, or by you. Try again later."),
	}[outcome];
}
