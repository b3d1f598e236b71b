"""保存期間: what is over is forgotten, in small steps that may be repeated, each noted in `ingest.erasure`.

Public first: after `public_days` nobody outside sees a person's incident any more, nor the alerts about it. Then
precise: after `precise_days` the place, the original words, contacts and the private documents are blanked, and of
persons the public words, too, in the history as well. Rows, times, hashes and counts stay (data/incident_policy.toml).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam
from sqlalchemy.dialects.postgresql import JSONB

from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.queries import load_queries
from ingest.policy import find_policy, policies
from ingest.source import load_sources

_QUERIES = load_queries(__file__)
_BATCH = 500
# Of what a person's incident said, only what counts it may stay.
_KEPT_FACTS = [
    "level", "event", "category", "stage", "occurred_at", "time_precision", "is_over", "place_name", "place_status",
    "valid_until",
]  # fmt: skip


@dataclass(frozen=True)
class Forgotten:
    """One act: `what` (`incident_expired`, `report`, `document`, `incident`) and the ids it was done to."""

    what: str
    rule: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class _Step:
    what: str
    rule: str
    due: str
    act: Callable[[Connection, Sequence[int]], None]


def forget(database: Database) -> list[Forgotten]:
    """Forget all that is due, batch by batch; each batch is one transaction, so a stop in between loses nothing."""
    done = []
    for step in _STEPS:
        while True:
            with database.begin(SERVICE, account="clock", reason=f"retention: {step.rule}") as connection:
                ids = due(connection, step.due, _BATCH)
                if not ids:
                    break
                step.act(connection, ids)
                _note(connection, step.what, step.rule, ids)
            done.append(Forgotten(step.what, step.rule, tuple(ids)))
    return done


def plan(connection: Connection) -> list[Forgotten]:
    """Return what `forget` would do now; documents that only become free by it are not among them. Role: service."""
    return [Forgotten(step.what, step.rule, tuple(due(connection, step.due, 1_000_000))) for step in _STEPS]


def due(connection: Connection, query: str, most: int) -> list[int]:
    """Return the ids that a step of the retention is due for, locked against others who would do the same."""
    statement = _QUERIES[query].bindparams(bindparam("policies", type_=JSONB))
    return list(connection.execute(statement, {"policies": _policies(), "most": most}).scalars())


def erase_report(connection: Connection, report_id: int, reason: str) -> list[Forgotten]:
    """Erase one report because a person asked for it (個人情報保護法): its words, place and document, at once.

    Its incident is public no longer. What other reports said of it stays with the moderators; one that it is part of
    is theirs to look at again. Role: service.

    Raises
    ------
    UsageError : there is no such report, no reason, or its incident is held.
    """
    if not reason.strip():
        raise UsageError("An erasure needs a reason.", "Say who asked for it and when: --reason '…'.")
    row = connection.execute(_QUERIES["report"], {"id": report_id}).first()
    if row is None:
        raise UsageError(
            "There is no report %(report_id)s.", "Its number stands beside it in /staff/incidents.", report_id=report_id
        )
    if row.held_reason:
        raise UsageError(
            "Incident %(incident)s is held: %(reason)s.",
            "End it first: ./machimori ingest hold %(incident)s --end --reason '…'.",
            incident=row.incident_fid,
            reason=row.held_reason,
        )
    done = [Forgotten("report", "request", (report_id,))]
    _erase_reports(connection, [report_id])
    connection.execute(_QUERIES["blank_public_words"], {"ids": [report_id], "kept": _KEPT_FACTS})
    if row.source == "citizen":
        connection.execute(_QUERIES["erase_citizen"], {"source_id": row.source_id})
    if row.is_private_document:
        _blank_documents(connection, [row.document_id])
        done.append(Forgotten("document", "request", (row.document_id,)))
    if row.incident_fid is not None:
        _expire(connection, [row.incident_fid])
        _blank_incidents(connection, [row.incident_fid])
        done.append(Forgotten("incident", "request", (row.incident_fid,)))
    if row.into_fid is not None:
        connection.execute(_QUERIES["look_again"], {"fid": row.into_fid})
    for act in done:
        _note(connection, act.what, act.rule, act.ids, reason)
    return done


def hold(connection: Connection, incident_fid: int, reason: str, is_end: bool = False) -> None:
    """Keep an incident from being erased (法的保全), or end that; the public may stop seeing it all the same.

    Raises
    ------
    UsageError : there is no such incident, or no reason.
    """
    if not reason.strip():
        raise UsageError("A hold needs a reason, and so does its end.", "Say who asked for it: --reason '…'.")
    values = {"fid": incident_fid, "reason": None if is_end else reason}
    if connection.execute(_QUERIES["hold"], values).first() is None:
        raise UsageError(
            "There is no incident %(incident_fid)s.",
            "Its number stands in its address: /incidents/NUMBER.",
            incident_fid=incident_fid,
        )
    _note(connection, "hold_ended" if is_end else "hold", "request", [incident_fid], reason)


def _expire(connection: Connection, fids: Sequence[int]) -> None:
    connection.execute(_QUERIES["expire"], {"fids": list(fids)})
    connection.execute(_QUERIES["note_expired"], {"fids": list(fids)})


def _erase_reports(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(_QUERIES["erase_private"], {"ids": list(ids)})
    connection.execute(_QUERIES["erase_shown_position"], {"ids": list(ids)})
    connection.execute(_QUERIES["blank_answers"], {"ids": list(ids)})


def _erase_due_reports(connection: Connection, ids: Sequence[int]) -> None:
    _erase_reports(connection, ids)
    statement = _QUERIES["of_persons"].bindparams(bindparam("policies", type_=JSONB))
    found = list(connection.execute(statement, {"ids": list(ids), "policies": _policies()}).scalars())
    connection.execute(_QUERIES["blank_public_words"], {"ids": found, "kept": _KEPT_FACTS})


def _blank_incidents(connection: Connection, fids: Sequence[int]) -> None:
    for query in ("blank_incidents", "blank_history", "blank_moderation", "note_erased"):
        connection.execute(_QUERIES[query], {"fids": list(fids)})


def _blank_documents(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(_QUERIES["blank_documents"], {"ids": list(ids)})
    connection.execute(_QUERIES["blank_dead_letters"], {"ids": list(ids)})


def _note(connection: Connection, what: str, rule: str, ids: Sequence[int], reason: str = "") -> None:
    connection.execute(_QUERIES["note"], {"what": what, "rule": rule, "ids": list(ids), "reason": reason})


def _policies() -> list[dict[str, Any]]:
    """Return the rule of every kind for every source, as `find_policy` says; kind `*` is what nobody thought of."""
    kinds = {kind for kind, _ in policies()} | {"*"}
    sources = {source for _, source in policies()} | set(load_sources()) | {""}
    rules = {(kind, source): find_policy(kind, source) for kind in sorted(kinds) for source in sorted(sources)}
    return [
        {
            "kind": kind,
            "source": source,
            "is_personal": policy.is_personal,
            "public_days": policy.public_days,
            "precise_days": policy.precise_days,
        }
        for (kind, source), policy in rules.items()
    ]


# The order counts: documents are free when their reports are, incidents when all their reports are.
_STEPS = (
    _Step("incident_expired", "public_days", "expired_incidents", _expire),
    _Step("report", "precise_days", "due_reports", _erase_due_reports),
    _Step("incident", "precise_days", "due_incidents", _blank_incidents),
    _Step("document", "precise_days", "due_documents", _blank_documents),
)
