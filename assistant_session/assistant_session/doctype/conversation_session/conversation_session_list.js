frappe.listview_settings["Conversation Session"] = {
	get_indicator(doc) {
		const colours = { Active: "green", Closed: "gray", Expired: "orange" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},

	onload(list) {
		if (!frappe.user.has_role("Assistant Session Administrator")) return;
		const { choose_person, export_person, erase_person } = assistant_session;
		list.page.add_menu_item(__("Export a person"), () => choose_person(__("Export a person"), export_person));
		list.page.add_menu_item(__("Erase a person"), () =>
			choose_person(__("Erase a person"), (person) => erase_person(person, () => list.refresh()))
		);
	},
};
