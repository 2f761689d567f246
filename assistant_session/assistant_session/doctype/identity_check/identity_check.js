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
	const found = said.message || { outcome: said.error?.message || __("no answer") };
	const names = found.missing || found.fields || [];
	frappe.msgprint({
		title: __("The verifier answered"),
		indicator: found.outcome === "verified" ? "green" : "orange",
		message: [found.outcome, ...names].map((one) => frappe.utils.escape_html(String(one))).join("<br>"),
	});
	frm.reload_doc();
}
