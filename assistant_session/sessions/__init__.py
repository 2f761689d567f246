"""The public Python API: `from assistant_session import sessions`.

Everything a controller needs to keep a conversation. Calls take and return plain values; a `Session`
 belongs to whoever holds it. Inside a request or job these calls take part in the caller's database
transaction and never commit it; only what was committed is ever seen by others. Errors: `sessions.errors`.

    open get close                     a session: restored or created, read, ended         operations/{opening,finding,closing}
    turn add_turn history              its messages                                        operations/{turn_block,history}
    update transition clear_context    what the bot keeps with it                          operations/changes
    set_flow get_flow clear_flow       multi-step forms
    lock_intent release_intent         what a verified person is being served for
    lock_agent active_agent release_agent, *_session_lock    which bot agent it is for     operations/{agents,devices}
    authenticate deauthenticate revoke who the person is (checks: assistant_session.authentication)  operations/identity
    link_party                         which record of the CRM it belongs to               operations/party
    set_legal_hold lift_legal_hold     kept until somebody lifts it                        operations/legal_hold
    cleanup_expired cleanup_expired_sessions    one batch of what is past its time         operations/expiry
    recover ensure_consistency report counts    is it right, and how many are there        health/

The rest of this package is not for callers: tables (who writes which), coherence (what keeps memory right), operations,
health, secrets. `docs/architecture.md` shows the way of a message through them.
"""

from .errors import (
	FlowIsNewer,
	FlowNotMigrated,
	InvalidSessionData,
	SessionAltered,
	SessionBusy,
	SessionClosed,
	SessionConflict,
	SessionError,
	SessionExpired,
	SessionNotFound,
	SessionStoreUnavailable,
	VerificationLocked,
)
from .flows import Flow
from .health.overview import counts
from .health.repair import ConsistencyReport, RecoveryReport, ensure_consistency, recover, report
from .operations.agents import DeviceLock, Grant, active_agent, lock_agent, release_agent
from .operations.changes import (
	clear_context,
	clear_flow,
	get_flow,
	lock_intent,
	release_intent,
	set_flow,
	transition,
	update,
)
from .operations.closing import close
from .operations.devices import clear_session_lock, get_session_lock, set_session_lock
from .operations.expiry import cleanup_expired, cleanup_expired_sessions
from .operations.finding import get
from .operations.history import history
from .operations.identity import authenticate, deauthenticate, revoke
from .operations.legal_hold import LegalHold, lift_legal_hold, set_legal_hold
from .operations.opening import open
from .operations.party import link_party
from .operations.turn_block import TurnBlock as turn
from .operations.turn_block import add_turn
from .operations.turn_in_progress import TurnInProgress
from .session import Session
from .tables.turns import Turn

__all__ = [
	"ConsistencyReport",
	"DeviceLock",
	"Flow",
	"FlowIsNewer",
	"FlowNotMigrated",
	"Grant",
	"InvalidSessionData",
	"LegalHold",
	"RecoveryReport",
	"Session",
	"SessionAltered",
	"SessionBusy",
	"SessionClosed",
	"SessionConflict",
	"SessionError",
	"SessionExpired",
	"SessionNotFound",
	"SessionStoreUnavailable",
	"Turn",
	"TurnInProgress",
	"VerificationLocked",
	"active_agent",
	"add_turn",
	"authenticate",
	"cleanup_expired",
	"cleanup_expired_sessions",
	"clear_context",
	"clear_flow",
	"clear_session_lock",
	"close",
	"counts",
	"deauthenticate",
	"ensure_consistency",
	"get",
	"get_flow",
	"get_session_lock",
	"history",
	"lift_legal_hold",
	"link_party",
	"lock_agent",
	"lock_intent",
	"open",
	"recover",
	"release_agent",
	"release_intent",
	"report",
	"revoke",
	"set_flow",
	"set_legal_hold",
	"set_session_lock",
	"transition",
	"turn",
	"update",
]  # fmt: skip
