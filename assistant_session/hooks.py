app_name = "assistant_session"
app_title = "Assistant Session"
app_publisher = "Assistant Session contributors"
app_description = "The conversation session of a CRM chatbot, kept"
app_email = "assistant-session@example.com"
app_license = "mit"

after_install = "assistant_session.install.after_install"
after_migrate = "assistant_session.install.after_migrate"

_ours = ("Conversation Session", "Conversation Turn", "Session Event")

has_permission = dict.fromkeys(_ours, "assistant_session.permissions.has_permission")
permission_query_conditions = dict.fromkeys(_ours, "assistant_session.permissions.query_conditions")

override_whitelisted_methods = {
	"frappe.client.get_count": "assistant_session.permissions.get_count",
}

scheduler_events = {
	"cron": {
		"*/5 * * * *": [
			"assistant_session.maintenance.expire_sessions",
			"assistant_session.maintenance.expire_agent_locks",
		],
	},
}
