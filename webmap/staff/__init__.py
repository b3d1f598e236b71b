"""The staff's windows under `/staff`: everything behind a login, every query under the department's role."""

from webmap.staff import (
    account,
    accounts,
    alerts,
    editor,
    history,
    import_layer,
    ingest,
    layers,
    login,
    mailbox,
    new_layer,
    overview,
)
from webmap.staff.access import blueprint

__all__ = [
    "account",
    "accounts",
    "alerts",
    "blueprint",
    "editor",
    "history",
    "import_layer",
    "ingest",
    "layers",
    "login",
    "mailbox",
    "new_layer",
    "overview",
]
