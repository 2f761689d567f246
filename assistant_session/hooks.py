app_name = "assistant_session"
app_title = "Assistant Session"
app_publisher = "Assistant Session contributors"
app_description = "The conversation session of a CRM chatbot, kept"
app_email = "assistant-session@example.com"
app_license = "mit"

export_python_type_annotations = True  # a developer who saves a DocType gets its controller's types anew

before_install = "assistant_session.install.before_install"
after_install = "assistant_session.install.after_install"
after_migrate = "assistant_session.install.after_migrate"
after_uninstall = "assistant_session.uninstall.after_uninstall"

_ours = (
	"Conversation Session",
	"Conversation Turn",
	"Session Event",
	"Verification Attempt",
	"Session Metric",
)

# Beside the form's and the list's own scripts. Frappe runs a list's script whenever it loads the DocType.
doctype_js = {
	"Conversation Session": [f"public/js/{name}.js" for name in ("calls", "person", "conversation", "kept")],
	"Identity Check": "public/js/calls.js",
}
doctype_list_js = {
	**dict.fromkeys((*_ours, "Identity Check", "Assistant Session Settings"), "public/js/plain_text.js"),
	"Conversation Session": [f"public/js/{name}.js" for name in ("plain_text", "calls", "person")],
}

has_permission = dict.fromkeys(_ours, "assistant_session.permissions.has_permission")
has_permission.update(
	dict.fromkeys(("Tag Link", "Document Follow"), "assistant_session.permissions.has_pointing_permission")
)
permission_query_conditions = {
	"Tag Link": "assistant_session.permissions.tag_link_conditions",
	"Document Follow": "assistant_session.permissions.follow_conditions",
	"Conversation Session": "assistant_session.permissions.session_conditions",
	"Conversation Turn": "assistant_session.permissions.turn_conditions",
	"Session Event": "assistant_session.permissions.event_conditions",
	"Verification Attempt": "assistant_session.permissions.attempt_conditions",
	"Session Metric": "assistant_session.permissions.metric_conditions",
}

# Frappe's own functions that ask for no permission; and what is written before the first session is touched. See there.
before_request = [
	"assistant_session.frappe_guards.methods.close",
	"assistant_session.sessions.coherence.ledger.watch",
]
before_job = before_request

scheduler_events = {
	"cron": {
		"*/5 * * * *": [
			"assistant_session.maintenance.expire_sessions",
			"assistant_session.maintenance.expire_agent_locks",
			"assistant_session.maintenance.expire_authentications",
			"assistant_session.maintenance.idle.notify_idle",
		],
		"17 * * * *": ["assistant_session.maintenance.purge_verification_attempts"],
		"41 3 * * *": ["assistant_session.maintenance.sweep.sweep"],
		"23 4 * * *": ["assistant_session.anchor.anchoring.daily"],
	},
}

# Days, of sessions after their end; changed in Log Settings.
default_log_clearing_doctypes = {
	"Conversation Session": 365, "Conversation Turn": 365, "Session Event": 730, "Session Metric": 400,
}  # fmt: skip

after_request = [
	"assistant_session.frappe_guards.request_bodies.forget_logged",
	"assistant_session.metrics.after_requests.after_request",
]
after_job = ["assistant_session.metrics.after_requests.after_job"]

doc_events = {
	"*": {"after_rename": "assistant_session.sessions.operations.desk_edits.linked_was_renamed"},
	"File": dict.fromkeys(
		("before_insert", "before_validate"), "assistant_session.frappe_guards.links.file_is_attached"
	),
	"Web Form": {"validate": "assistant_session.frappe_guards.links.web_form_is_saved"},
	"Personal Data Download Request": {
		"after_insert": "assistant_session.privacy.requests.download_requested",
	},
	"Personal Data Deletion Request": {
		"on_change": "assistant_session.privacy.requests.deletion_changed",
	},
}

# A conversation does not keep its user or party from being deleted.
ignore_links_on_delete = list(_ours)
