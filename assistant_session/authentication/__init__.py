"""Who is on the other side: `from assistant_session import authentication`.

`require` opens or asks, `submit` reads and judges what the person typed, `gate` does both around a chatbot,
`logout` ends it, `revoke` ends it in all sessions of one person. Credentials and who judges them are Identity Checks
in Desk; which intents need one stands in Assistant Session Settings. See docs/verification.md.
"""

from ..sessions.verification import Caller, Outcome
from .dialogue import Gate, logout, require, submit
from .gate import answer, gate
from .staff import revoke, unlock

__all__ = ["Caller", "Gate", "Outcome", "answer", "gate", "logout", "require", "revoke", "submit", "unlock"]
