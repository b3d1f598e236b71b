"""The staff's windows under `/staff`: everything behind a login, every query under the department's role."""

from webmap.staff import (
    account,
    accounts,
    alerts,
    attachments,
    checkin,
    checkout,
    editor,
    history,
    import_layer,
    ingest,
    layers,
    login,
    mailbox,
    new_layer,
    overview,
    second_factor,
)
from webmap.staff.access import blueprint

__all__ = [
    "account",
    "accounts",
    "alerts",
    "attachments",
    "blueprint",
    "checkin",
    "checkout",
    "editor",
    "history",
    "import_layer",
    "ingest",
    "layers",
    "login",
    "mailbox",
    "new_layer",
    "overview",
    "second_factor",
]
