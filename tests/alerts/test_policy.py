"""The table of what happens by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

import gis
from alerts.policy import find_policy, seed
from tests.alerts.alert_town import SquareTown


@pytest.mark.parametrize(
    ("telegram", "level", "action", "follow_up"),
    [
        ("VTSE41", 5, "automatic", "automatic"),
        ("VTSE41", 4, "draft", "automatic"),
        ("VTSE41", 2, "draft", "automatic"),
        ("VTSE41", 1, "ignore", "automatic"),
        ("VTSE41", 0, "ignore", "automatic"),
        ("VTSE51", 5, "ignore", "ignore"),
        ("VTSE52", 5, "ignore", "ignore"),
        ("VXSE51", 4, "draft", "draft"),
        ("VXSE53", 5, "draft", "draft"),
        ("VXSE53", 3, "ignore", "ignore"),
        ("VXSE61", 5, "ignore", "ignore"),
        ("XXXX99", 5, "ignore", "ignore"),
    ],
)
def test_a_telegram_at_a_level_does(town: SquareTown, telegram: str, level: int, action: str, follow_up: str) -> None:
    with town.database.begin("machimori_service") as connection:
        policy = find_policy(connection, telegram, level)
    assert (policy.action, policy.follow_up) == (action, follow_up)


def test_the_installations_own_policy_survives_the_next_start(town: SquareTown) -> None:
    town.execute("UPDATE alerts.policy SET action = 'draft' WHERE telegram = 'VTSE41' AND level = 5")
    town.execute("DELETE FROM alerts.policy WHERE telegram = 'VTSE52' AND level = 0")
    with town.owner.begin() as connection:
        assert seed(connection) == 1
    assert town.scalar("SELECT action FROM alerts.policy WHERE telegram = 'VTSE41' AND level = 5") == "draft"


def _standing(town: SquareTown) -> list[tuple[object, ...]]:
    columns = "telegram, occasion, levels, origin, proposed_by, approved_by, valid_until, revoked_at IS NULL"
    return [tuple(row) for row in town.execute(f"SELECT {columns} FROM alerts.standing_approval ORDER BY 1, 2, 3")]


def test_what_is_shipped_as_automatic_is_approved_once_and_stays_revoked(town: SquareTown) -> None:
    shipped = _standing(town)
    assert ("VTSE41", "first", [5], "shipped policy", "shipped policy", "installation", None, True) in shipped
    assert ("VTSE41", "follow_up", [0, 1, 2, 3, 4, 5]) in [row[:3] for row in shipped]
    town.execute("UPDATE alerts.standing_approval SET revoked_by = 'ito', revoked_at = now(), revoke_reason = 'no'")
    town.execute("DELETE FROM alerts.policy WHERE telegram = 'VPWW55' AND level = 0")
    with town.owner.begin() as connection:
        assert seed(connection) == 1
    in_force = [row[:3] for row in _standing(town) if row[-1]]
    assert in_force == [("VPWW55", "follow_up", [0])], "only the new row of the policy brings one"


def test_an_installation_of_before_keeps_what_its_policy_sent_by_itself(town: SquareTown) -> None:
    """The migration's own statement, on a policy that an installation has changed."""
    shipped = _standing(town)
    sql = (Path(gis.__file__).parent / "migrations/versions/0021_authority.sql").read_text(encoding="utf-8")
    convert = sql[sql.index("INSERT INTO alerts.standing_approval (telegram, occasion, levels") :]
    convert = convert[: convert.index(";")]
    town.execute("DELETE FROM alerts.standing_approval")
    town.execute(convert)
    assert _standing(town) == shipped
    town.execute("DELETE FROM alerts.standing_approval")
    town.execute("UPDATE alerts.policy SET action = 'automatic' WHERE telegram = 'VPWW55'")
    town.execute(convert)
    assert ("VPWW55", "first", [4, 5]) in [row[:3] for row in _standing(town)], "below level 4 people decide"
