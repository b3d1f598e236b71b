"""The table that says what happens by itself: telegram kind × level → automatic, draft or ignore."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from sqlalchemy import Connection, text

from gis.errors import UsageError
from gis.settings import DATA_DIR

Action = Literal["automatic", "draft", "ignore"]
_ACTIONS = ("automatic", "draft", "ignore")
LEVELS = range(6)
# Below it nothing is sent first without two people, whatever the table says.
LEAST_STANDING_LEVEL = 4


@dataclass(frozen=True)
class Policy:
    """What happens when a telegram of one kind arrives at one level.

    Attributes
    ----------
    level : 警戒レベル 0–5 of the situation in the town.
    action : before anything of the incident was sent.
    follow_up : once an alert of the incident was sent.
    """

    telegram: str
    level: int
    action: Action
    follow_up: Action
    note: str = ""


def load_policies() -> Iterator[Policy]:
    """Read `data/alert_policy.toml`; `"*"` stands for the levels not named.

    Raises
    ------
    UsageError : an entry names an unknown action or a level outside 0–5.
    """
    path = DATA_DIR / "alert_policy.toml"
    for telegram, rows in tomllib.loads(path.read_text(encoding="utf-8")).items():
        for key, row in rows.items():
            wrong = [row[name] for name in ("action", "follow_up") if row[name] not in _ACTIONS]
            if wrong or (key != "*" and key not in map(str, LEVELS)):
                raise UsageError(
                    f"{path.name}, [{telegram}] {key}: {wrong or 'no such level'}",
                    f'Levels are 0 to 5 or "*"; actions are {", ".join(_ACTIONS)}.',
                )
        for level in LEVELS:
            row = rows.get(str(level), rows.get("*"))
            if row is not None:
                yield Policy(telegram, level, row["action"], row["follow_up"], row.get("note", ""))


def seed(connection: Connection) -> int:
    """Write the policies that `alerts.policy` does not have yet; return how many. Role: owner.

    An installation's own changes stay: only missing rows are written. What a new row does by itself gets its standing
    approval once (origin `shipped policy`); one that was revoked does not come back.
    """
    written = [policy for policy in load_policies() if _insert(connection, policy)]
    for telegram in dict.fromkeys(policy.telegram for policy in written):
        cells = [policy for policy in written if policy.telegram == telegram]
        first = [cell for cell in cells if cell.action == "automatic" and cell.level >= LEAST_STANDING_LEVEL]
        _approve_shipped(connection, telegram, "first", first)
        _approve_shipped(connection, telegram, "follow_up", [cell for cell in cells if cell.follow_up == "automatic"])
    return len(written)


def _insert(connection: Connection, policy: Policy) -> bool:
    done = connection.execute(
        text(
            "INSERT INTO alerts.policy (telegram, level, action, follow_up, note)"
            " VALUES (:telegram, :level, :action, :follow_up, :note) ON CONFLICT DO NOTHING"
        ),
        vars(policy),
    )
    return done.rowcount == 1


def _approve_shipped(connection: Connection, telegram: str, occasion: str, cells: list[Policy]) -> None:
    if cells:
        connection.execute(
            text(
                "INSERT INTO alerts.standing_approval (telegram, occasion, levels, reason, origin, proposed_by,"
                " approved_by, approved_at) VALUES (:telegram, :occasion, :levels, :reason, 'shipped policy',"
                " 'shipped policy', 'installation', now())"
            ),
            {
                "telegram": telegram,
                "occasion": occasion,
                "levels": sorted(cell.level for cell in cells),
                "reason": "; ".join(dict.fromkeys(cell.note for cell in cells if cell.note)) or "alert_policy.toml",
            },
        )


def find_policy(connection: Connection, telegram: str, level: int) -> Policy:
    """Return the policy for a telegram at a level; what no row names is ignored."""
    row = connection.execute(
        text("SELECT telegram, level, action, follow_up, note FROM alerts.policy WHERE telegram = :t AND level = :l"),
        {"t": telegram, "l": level},
    ).first()
    if row is None:
        return Policy(telegram, level, "ignore", "ignore", "no policy names this telegram")
    return Policy(row.telegram, row.level, cast(Action, row.action), cast(Action, row.follow_up), row.note)
