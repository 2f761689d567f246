// Calls of our endpoints from Desk, and what their answers need to be shown.
frappe.provide("assistant_session");

Object.assign(assistant_session, {
	escaped(value) {
		return frappe.utils.escape_html(String(value));
	},

	// What an endpoint of api.py answers: { message } or { error: { type, message } }.
	async post(endpoint, body) {
		const response = await fetch(`/api/method/assistant_session.api.${endpoint}`, {
			method: "POST",
			headers: { "Content-Type": "application/json", "X-Frappe-CSRF-Token": frappe.csrf_token },
			body: JSON.stringify(body),
		});
		return response.json();
	},

	// The same; an error is shown, and null is given back.
	async done(endpoint, body) {
		const { message, error } = await assistant_session.post(endpoint, body);
		if (error) frappe.msgprint({ message: assistant_session.escaped(error.message), indicator: "red" });
		return error ? null : message;
	},

	// "12:05" today, "3 Nov 12:05" before; the exact time is the element's title.
	time(iso) {
		const made = document.createElement("time");
		const moment_ = moment(iso);
		made.dateTime = iso;
		made.title = moment_.format("YYYY-MM-DD HH:mm:ss");
		made.textContent = moment_.format(moment_.isSame(moment(), "day") ? "HH:mm" : "D MMM HH:mm");
		return made;
	},

	// An element with text in it; what people typed is never HTML.
	element(tag, className, text) {
		const made = document.createElement(tag);
		if (className) made.className = className;
		if (text !== undefined) made.textContent = text;
		return made;
	},

	download(name, content) {
		const link = document.createElement("a");
		link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
		link.download = name;
		link.click();
		URL.revokeObjectURL(link.href);
	},
});
