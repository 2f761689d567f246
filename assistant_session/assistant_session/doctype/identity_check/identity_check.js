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
	const said = await assistant_session.post("try_identity_check", { check: frm.doc.name, text });
	const found = said.message || {};
	const release = { label: __("Release my tries"), action: () => try_again(frm) };
	frappe.msgprint({
		title: __("The verifier answered"),
		indicator: found.outcome === "verified" ? "green" : "orange",
		message: frappe.utils.escape_html(said.error?.message || sentence(found)),
		primary_action: found.locked_until ? release : undefined,
	});
	frm.reload_doc();
}

async function try_again(frm) {
	frappe.hide_msgprint();
	const said = await assistant_session.post("release_tries", { check: frm.doc.name });
	await frm.reload_doc();
	if (said.error) {
		frappe.msgprint(frappe.utils.escape_html(said.error.message));
	} else {
		ask(frm);
	}
}

function sentence(found) {
	return found.locked_until ? `${outcome(found)} ${wait(found)}` : outcome(found);
}

function outcome({ outcome, fields, missing }) {
	const names = (fields || missing || []).join(", ");
	const nothing = __("no field");
	return {
		verified: __("Verified. A session would keep: {0}", [names || nothing]),
		missing: __("Not found in the text: {0}", [names]),
		not_matched: __("Nobody has these credentials."),
		ambiguous: __("More than one has these credentials. A person is told that nobody has."),
		unavailable: __("The verifier could not be asked. See assistant_session.log."),
		locked: __("There were too many attempts with these credentials, or by you."),
	}[outcome];
}

function wait({ locked_until, minutes }) {
	return __("No more tries for {0} minutes, until {1}; or release your own, which is noted here.", [
		minutes,
		locked_until.slice(11, 16),
	]);
}
