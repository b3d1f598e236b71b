"""Who may do what: the one place that code asks.

The database enforces the same by roles, grants and triggers (docs/decisions/2026-11-22-accounts.md); code asks here
so that a page need not offer what would be refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from gis.errors import UsageError

# In the order of growing power, as they are listed for people.
ROLES = (
    "viewer",
    "editor",
    "layer_manager",
    "moderator",
    "alert_author",
    "alert_approver",
    "alert_override",
    "administrator",
)

Action = Literal[
    "edit", "manage_layers", "moderate", "write_alerts", "approve_alerts", "override_alerts", "keep_accounts"
]

_ROLES_FOR: dict[Action, frozenset[str]] = {
    "edit": frozenset({"editor", "layer_manager", "moderator"}),
    "manage_layers": frozenset({"layer_manager", "administrator"}),
    "moderate": frozenset({"moderator"}),
    "write_alerts": frozenset({"alert_author"}),
    "approve_alerts": frozenset({"alert_approver"}),
    "override_alerts": frozenset({"alert_override"}),
    "keep_accounts": frozenset({"administrator"}),
}


def may(roles: Iterable[str], action: Action) -> bool:
    """Return whether someone with these roles may do it, where their department has the right to the thing itself."""
    return not _ROLES_FOR[action].isdisjoint(roles)


def needed(action: Action) -> list[str]:
    """Return the roles of which one is needed for an action."""
    return sorted(_ROLES_FOR[action])


def database_role(department: str, roles: Iterable[str]) -> str:
    """Return the PostgreSQL role of a person at work for a department: who edits nothing gets one that cannot."""
    return f"dept_{department}" if may(roles, "edit") else f"dept_{department}_viewer"


def require_role(role: str) -> None:
    """Refuse a role that does not exist.

    Raises
    ------
    UsageError : no such role; the hint names all.
    """
    if role not in ROLES:
        raise UsageError("There is no role %(role)r.", "Roles are: %(known)s.", role=role, known=", ".join(ROLES))
