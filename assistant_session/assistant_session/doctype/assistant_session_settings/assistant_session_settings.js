frappe.ui.form.on("Assistant Session Settings", {
	refresh(frm) {
		const text = frm.doc.__onload?.proxies;
		frm.set_intro(text ? frappe.utils.escape_html(text) : "", "orange");
	},
});
