"""Every door through which a drill might become live, or the reverse, is shut for everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alerts.resending import resend_failed
from tests.alerts.alert_town import MAJOR, SquareTown

Considered = Callable[..., int | None]
ROLES = ("machimori_service", "machimori_admin", "dept_disaster", "citizen")


@pytest.mark.parametrize(("first", "second"), [("Exercise", "Actual"), ("Actual", "Exercise")])
def test_no_role_and_no_resending_carries_a_message_over(
    town: SquareTown, considered: Considered, first: str, second: str
) -> None:
    town.subscribe("drill@machimori.example")
    town.execute("UPDATE alerts.subscriber SET is_drill = true")
    town.subscribe("real@machimori.example")
    alert_id = considered(MAJOR, status=first)
    assert alert_id
    recipient = "drill" if first == "Exercise" else "real"
    reached = {row.address.partition("@")[0] for row in town.execute("SELECT address FROM alerts.delivery")}
    assert reached == {recipient} if first == "Exercise" else recipient in reached
    for role in ROLES:
        with (
            pytest.raises(DBAPIError, match=r"drill cannot become live|permission denied"),
            town.database.begin(role, account="sato") as connection,
        ):
            connection.execute(
                text("UPDATE alerts.alert SET cap_status = :status WHERE id = :id"),
                {"status": second, "id": alert_id},
            )
    town.execute("UPDATE alerts.delivery SET state = 'failed'")
    town.execute("UPDATE alerts.alert SET state = 'sent' WHERE id = :id", id=alert_id)
    with town.database.begin("dept_disaster", account="sato") as connection:
        resend_failed(connection, alert_id, "sato")
    after = {row.address.partition("@")[0] for row in town.execute("SELECT address FROM alerts.delivery")}
    assert after == reached, "a resending adds nobody"
    assert town.execute("SELECT DISTINCT cap_status FROM alerts.alert") == [(first,)]
