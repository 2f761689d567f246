"""The app's roles, by name. Who may do what: docs/security.md."""

ADMINISTRATOR = "Assistant Session Administrator"
AGENT = "Assistant Session Agent"
AUDITOR = "Assistant Session Auditor"
SERVICE = "Assistant Session Service"  # for routers and webhooks
MONITORING = "Assistant Session Monitoring"  # for Prometheus; reads the endpoint `metrics` and nothing else

IN_DESK = frozenset({ADMINISTRATOR, AGENT, AUDITOR})
OVERSEERS = frozenset({ADMINISTRATOR, AUDITOR})
ALL = (ADMINISTRATOR, AGENT, AUDITOR, SERVICE, MONITORING)

SYSTEM_MANAGER = "System Manager"  # Frappe's own
