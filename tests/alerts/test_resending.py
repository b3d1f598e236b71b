"""To those whom it did not reach, once more; to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from alerts.report import list_steps
from alerts.resending import count_resendable, resend_failed
from gis.accounts import add_account
from gis.errors import UsageError
from tests.alerts.alert_town import MAJOR, SquareTown
from tests.alerts.scripted_smtp import ScriptedServer

Considered = Callable[..., int | None]
Sender = Callable[[int | None], dict[str, int]]
AS_AUTHOR = "dept_disaster"


@pytest.fixture
def sent(town: SquareTown, considered: Considered, send: Sender, smtp: ScriptedServer) -> int:
    """Accepted, gone, full, and failed here: of these five, full and failed may be tried again, but not who left."""
    for name in ("have", "gone", "full", "failed", "left"):
        town.subscribe(f"{name}@machimori.example")
    smtp.at_rcpt = lambda address, times: {"gone": "550 5.1.1 no such user"}.get(address.split("@")[0])
    alert_id = considered(MAJOR)
    assert alert_id
    send(alert_id)
    smtp.at_rcpt = lambda address, times: None
    for name, state in (("full", "bounced"), ("failed", "failed"), ("left", "failed")):
        town.execute(
            "WITH d AS (UPDATE alerts.delivery SET state = :state WHERE address LIKE :like RETURNING id)"
            " UPDATE alerts.attempt SET outcome = :state FROM d WHERE delivery_id = d.id",
            state=state,
            like=f"{name}@%",
        )
    town.execute(
        "INSERT INTO alerts.bounce (delivery_id, subscriber_id, kind, source, status)"
        " SELECT id, subscriber_id, 'soft', 'report', '5.2.2' FROM alerts.delivery WHERE address LIKE 'full@%'"
    )
    town.execute("UPDATE alerts.subscriber SET state = 'unsubscribed' WHERE email LIKE 'left@%'")
    return alert_id


def test_what_failed_goes_out_once_more_and_nothing_else(town: SquareTown, sent: int, send: Sender) -> None:
    with town.database.begin(AS_AUTHOR, "ito") as connection:
        assert count_resendable(connection, sent) == 2
        assert resend_failed(connection, sent, "the relay was mended") == 2
    assert send(sent) == {"accepted": 2}
    states = dict(tuple(row) for row in town.execute("SELECT split_part(address, '@', 1), state FROM alerts.delivery"))
    assert states == {"have": "accepted", "gone": "bounced", "full": "accepted", "failed": "accepted", "left": "failed"}
    with town.database.begin(AS_AUTHOR, "ito") as connection:
        step = next(step for step in list_steps(connection, sent) if step.state == "resent")
        assert (step.account, step.note, step.messages) == ("ito", "the relay was mended", 2)
        with pytest.raises(UsageError, match="left to send again"):
            resend_failed(connection, sent)


def test_two_who_press_at_once_send_once(town: SquareTown, sent: int) -> None:
    def press(account: str) -> int:
        try:
            with town.database.begin(AS_AUTHOR, account) as connection:
                return resend_failed(connection, sent)
        except UsageError:
            return 0

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, ("ito", "sato"))) == [0, 2]
    assert town.scalar("SELECT count(*) FROM alerts.resend") == 1


def test_nobody_opens_a_delivery_by_sql_nor_resends_what_is_over(town: SquareTown, owner: Engine, sent: int) -> None:
    with owner.begin() as connection:
        add_account(connection, "goto", "goto", "disaster", "a long password", roles=("alert_author",))
    with (
        pytest.raises(DBAPIError, match="accepted stays accepted"),
        town.database.begin(AS_AUTHOR, "ito") as connection,
    ):
        connection.execute(text("UPDATE alerts.delivery SET state = 'pending' WHERE state = 'accepted'"))
    with (
        pytest.raises(DBAPIError, match="goto may not send an alert again"),
        town.database.begin(AS_AUTHOR, "goto") as connection,
    ):
        connection.execute(text("SELECT alerts.resend_failed(:id, '')"), {"id": sent})
    town.execute("UPDATE alerts.alert SET state = 'cancelled' WHERE id = :id", id=sent)
    with (
        pytest.raises(DBAPIError, match="is not in force"),
        town.database.begin(AS_AUTHOR, "ito") as connection,
    ):
        connection.execute(text("SELECT alerts.resend_failed(:id, '')"), {"id": sent})
    with town.database.begin(AS_AUTHOR, "ito") as connection:
        with pytest.raises(UsageError, match="not in force"):
            resend_failed(connection, sent)
        assert count_resendable(connection, sent) == 0
