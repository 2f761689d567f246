const REFRESH_MILLISECONDS = 15000;
const NOBODY = "-"; // no session has this id

frappe.listview_settings["Conversation Session"] = {
	hide_name_column: true,
	add_fields: ["status", "authenticated", "preview", "last_role"],

	get_indicator(doc) {
		const colours = { Active: "green", Closed: "gray", Expired: "orange" };
		return [__(doc.status), colours[doc.status], `status,=,${doc.status}`];
	},

	onload(list) {
		add_search(list);
		setInterval(() => refresh_if_seen(list), REFRESH_MILLISECONDS);
		if (!frappe.user.has_role("Assistant Session Administrator")) return;
		const { choose_person, export_person, erase_person } = assistant_session;
		list.page.add_menu_item(__("Export a person"), () => choose_person(__("Export a person"), export_person));
		list.page.add_menu_item(__("Erase a person"), () =>
			choose_person(__("Erase a person"), (person) => erase_person(person, () => list.refresh()))
		);
	},
};

// Who somebody is, is not in one column: a number has many spellings, and a name is the party's or the user's. What was
// looked for is no filter of the list, which Frappe would keep for the next time.
function add_search(list) {
	const field = list.page.add_field({
		fieldname: "somebody",
		fieldtype: "Data",
		label: __("Phone, e-mail, name or ID"),
		change: () => find(list, field.get_value().trim()),
	});
	delete list.page.fields_dict.somebody; // or Frappe takes it for a filter of that name
	const chosen = list.get_filters_for_args.bind(list);
	list.get_filters_for_args = () => [...chosen(), ...(list.somebody || [])];
	field.$wrapper.css("min-width", "16rem").prependTo(list.page.page_form.find(".standard-filter-section"));
}

async function find(list, text) {
	if (text === list.looked_for) return;
	list.looked_for = text;
	const message = text && (await assistant_session.done("find_conversations", { text }));
	list.somebody = message && [["Conversation Session", "name", "in", message.found.length ? message.found : [NOBODY]]];
	list.refresh();
}

function refresh_if_seen(list) {
	const seen = document.visibilityState === "visible" && window.cur_list === list && frappe.get_route()[0] === "List";
	if (seen && !list.$checks?.length) list.refresh();
}
