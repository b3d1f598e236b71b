"""The table of what happens by itself."""

from __future__ import annotations

import pytest

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
