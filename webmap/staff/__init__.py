"""The staff's windows under `/staff`: everything behind a login, every query under the department's role."""

from webmap.staff import alerts, editor, history, ingest, layers, login, mailbox, overview
from webmap.staff.access import blueprint

__all__ = ["alerts", "blueprint", "editor", "history", "ingest", "layers", "login", "mailbox", "overview"]
