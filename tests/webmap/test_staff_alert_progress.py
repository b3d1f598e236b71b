"""After approval, the desk reads numbers, never whole addresses, and sends once more what failed."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from io import StringIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from tests.webmap.conftest import csrf_token


@pytest.fixture
def sent_id(warned_town: Database, owner: Engine) -> int:
    """A message in force: all accepted but one that failed here, and words that would run in a spreadsheet."""
    with owner.begin() as connection:
        alert_id = int(connection.execute(text("SELECT max(alert_id) FROM alerts.delivery")).scalar_one())
        values = {"id": alert_id}
        connection.execute(
            text(
                "UPDATE alerts.delivery SET state = 'accepted', finished_at = clock_timestamp(), is_held = false"
                " WHERE alert_id = :id"
            ),
            values,
        )
        failed = connection.execute(
            text(
                "UPDATE alerts.delivery SET state = 'failed' WHERE id ="
                " (SELECT min(id) FROM alerts.delivery WHERE alert_id = :id) RETURNING id, address"
            ),
            values,
        ).one()
        connection.execute(
            text("INSERT INTO alerts.attempt (delivery_id, outcome, reply) VALUES (:id, 'failed', :reply)"),
            {"id": failed.id, "reply": f"=550 5.7.1 <{failed.address}> refused"},
        )
        connection.execute(
            text("UPDATE alerts.alert SET expires_at = clock_timestamp() + interval '1 hour' WHERE id = :id"), values
        )
    return alert_id


def test_the_desk_sees_numbers_and_reasons_and_sends_once_more(
    log_in: Callable[[str], FlaskClient], sent_id: int, owner: Engine
) -> None:
    staff_client = log_in("hanako")
    page, path = f"/staff/alerts/{sent_id}?lang=en", f"/staff/alerts/{sent_id}"
    with owner.begin() as connection:
        addresses = list(connection.execute(text("SELECT email FROM alerts.subscriber")).scalars())
    shown, progress = staff_client.get(page).text, staff_client.get(f"{path}/progress.json")
    table = staff_client.get(f"{path}/report.csv").data.decode("utf-8")
    part = staff_client.get(f"{path}/progress?lang=en").text
    for words in (shown, progress.text, table, part):
        assert not [address for address in addresses if address in words]
    assert "the mail server refuses us <strong>1</strong>" in part and "<html" not in part
    assert re.search(r"failed, [^:<]+: <strong>1</strong>", part), "by language, too"
    assert staff_client.get("/staff/alerts/999999/progress").status_code == 404
    assert "the mail server refuses us <strong>1</strong>" in shown
    assert progress.get_json()["reasons"] == {"policy": 1}
    assert (progress.get_json()["resendable"], progress.get_json()["states"]["failed"]) == (1, 1)
    assert table.startswith("\ufeff")
    rows = list(csv.reader(StringIO(table[1:])))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert [row[5][:6] for row in rows if row[0] == "failure"] == ["'=550 "]
    token = {"csrf_token": csrf_token(shown), "note": f"mended for {addresses[0]}"}
    assert (
        "1 messages are being sent once more"
        in staff_client.post(f"{path}/resend?lang=en", data=token, follow_redirects=True).text
    )
    assert staff_client.get(f"{path}/progress.json").get_json()["states"]["pending"] == 1
    for words in (staff_client.get(page).text, staff_client.get(f"{path}/report.csv").data.decode("utf-8")):
        assert "mended for" in words and addresses[0] not in words, "a note that quotes an address"
    assert (
        "is left to send again" in staff_client.post(f"{path}/resend?lang=en", data=token, follow_redirects=True).text
    )


def test_only_what_is_in_force_is_offered_to_be_copied(
    log_in: Callable[[str], FlaskClient], sent_id: int, owner: Engine
) -> None:
    staff_client = log_in("hanako")
    page = f"/staff/alerts/{sent_id}?lang=en"
    shown = staff_client.get(page).text
    assert "Text for short-message services" in shown and "/l-alert.xml" in shown
    with owner.begin() as connection:
        connection.execute(text("UPDATE alerts.alert SET state = 'cancelled' WHERE id = :id"), {"id": sent_id})
    shown = staff_client.get(page).text
    assert "Text for short-message services" not in shown and "/l-alert.xml" in shown


def test_a_push_beside_a_mail_is_not_a_second_person(
    log_in: Callable[[str], FlaskClient], sent_id: int, owner: Engine
) -> None:
    staff_client = log_in("hanako")
    page = f"/staff/alerts/{sent_id}?lang=en"

    def told() -> tuple[list[str], list[str]]:
        counts = re.findall(r"(?:accepted|failed), [^:<]+: <strong>\d+</strong>", staff_client.get(page).text)
        overview = staff_client.get("/staff/?lang=en").text
        return counts, re.findall(r"<td[^>]*>(\d+)</td>", overview)

    before = told()
    assert before[0] and before[1]
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO alerts.delivery (alert_id, subscriber_id, channel, address, language, state)"
                " SELECT alert_id, subscriber_id, 'push', '', language, 'accepted' FROM alerts.delivery"
                " WHERE alert_id = :id"
            ),
            {"id": sent_id},
        )
    assert told() == before


def test_numbers_that_a_page_reads_by_itself_keep_no_login_alive(
    log_in: Callable[[str], FlaskClient], sent_id: int, owner: Engine
) -> None:
    staff_client, path = log_in("hanako"), f"/staff/alerts/{sent_id}"

    def idle_for_s() -> float:
        with owner.begin() as connection:
            return float(
                connection.execute(text("SELECT extract(epoch FROM now() - seen_at) FROM gis.session")).scalar_one()
            )

    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.session SET seen_at = now() - interval '50 minutes'"))
    assert staff_client.get(f"{path}/progress").status_code == 200 and idle_for_s() > 2900
    assert staff_client.get(path).status_code == 200 and idle_for_s() < 60, "a person who looks at the page does"
    with owner.begin() as connection:
        connection.execute(text("UPDATE gis.session SET seen_at = now() - interval '61 minutes'"))
    assert staff_client.get(f"{path}/progress").status_code == 302, "and the login ends while it reads"
