"""The record of a message on paper says what the page says, and no whole address."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path

from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Engine, text

from gis.database import Database
from webmap.paper_font import face, is_embedded

_REPLY = "550 5.7.1 <hanako.secret@docomo.example> refused"


def test_the_record_has_the_course_the_words_and_the_failures_on_numbered_pages(
    warned_town: Database, log_in: Callable[[str], FlaskClient], owner: Engine
) -> None:
    with owner.begin() as connection:
        alert_id = int(connection.execute(text("SELECT max(alert_id) FROM alerts.delivery")).scalar_one())
        delivery_id = connection.execute(
            text(
                "UPDATE alerts.delivery SET state = 'failed', finished_at = now(), is_held = false WHERE id ="
                " (SELECT min(id) FROM alerts.delivery WHERE alert_id = :id) RETURNING id"
            ),
            {"id": alert_id},
        ).scalar_one()
        # So many that the table goes over pages, and one answer longer than a page.
        connection.execute(
            text(
                "INSERT INTO alerts.attempt (delivery_id, outcome, reply)"
                " SELECT :id, 'failed', :reply || n FROM generate_series(1, 60) n"
                " UNION ALL SELECT :id, 'failed', repeat('遅い𠮷', 4000)"
            ),
            {"id": delivery_id, "reply": f"{_REPLY} <b>&"},
        )
        addresses = list(connection.execute(text("SELECT email FROM alerts.subscriber")).scalars())
        headline = connection.execute(
            text("SELECT headline FROM alerts.alert_text WHERE alert_id = :id AND language = 'ja'"), {"id": alert_id}
        ).scalar_one()
        identifier = connection.execute(
            text("SELECT identifier FROM alerts.alert WHERE id = :id"), {"id": alert_id}
        ).scalar_one()
    path = f"/staff/alerts/{alert_id}/report.pdf"
    hanako = log_in("hanako")
    assert path in hanako.get(f"/staff/alerts/{alert_id}").text
    answer = hanako.get(f"{path}?lang=ja")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    paper = PdfReader(BytesIO(answer.data))
    pages = [page.extract_text() for page in paper.pages]
    # Where a line ends is the paper's business.
    whole = "".join("".join(pages).split())
    for words in (headline, identifier, "手続きの記録", "承認済み", "失敗", "h…@docomo.example", "<b>&60", "〓"):
        assert "".join(words.split()) in whole, words
    assert not [address for address in [*addresses, "hanako.secret"] if address in whole]
    assert len(pages) > 1
    assert all(f"{number}/{len(pages)}" in "".join(page.split()) for number, page in enumerate(pages, 1))
    assert paper.metadata is not None
    assert paper.metadata.title == f"お知らせ {alert_id} の記録"
    assert paper.trailer["/Root"]["/Lang"] == "ja"
    if is_embedded():
        fonts = [font.get_object() for page in paper.pages for font in page["/Resources"]["/Font"].values()]
        # A drawing begins in Helvetica; no letter of it is ever written.
        written = [font for font in fonts if font["/BaseFont"] != "/Helvetica"]
        assert written and all("/FontFile2" in font["/FontDescriptor"].get_object() for font in written)
    english = PdfReader(BytesIO(hanako.get(f"{path}?lang=en").data))
    assert english.metadata is not None
    assert english.metadata.title == f"Record of message {alert_id}"


def test_what_was_not_as_usual_stands_on_the_paper(
    warned_town: Database, log_in: Callable[[str], FlaskClient], owner: Engine
) -> None:
    with owner.begin() as connection:
        alert_id = int(connection.execute(text("SELECT max(alert_id) FROM alerts.delivery")).scalar_one())
    hanako = log_in("hanako")
    path = f"/staff/alerts/{alert_id}/report.pdf?lang=en"
    title, before = _read(hanako.get(path).data)
    assert "Standingapproval" in before
    assert "alone" not in before and "confirmed" not in before and "DRILL" not in title
    with owner.begin() as connection:
        # What the desk cannot do to a sent message; the paper has to tell it of one where it was done beforehand.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for change in (
            "UPDATE alerts.alert SET cap_status = 'Exercise', standing_id = NULL, approved_by = 'hanako',"
            " submitted_by = 'hanako', override_reason = 'Nobody answers, not taro.secret@city.example',"
            " area_doubts = '{outside}', area_confirmed_by = 'jiro' WHERE id = :id",
            "INSERT INTO alerts.resend (alert_id, account, note, messages)"
            " VALUES (:id, 'jiro', 'the relay is back', 7)",
            "INSERT INTO alerts.attempt (delivery_id, outcome, reply, in_doubt) SELECT min(id), 'deferred', '', true"
            " FROM alerts.delivery WHERE alert_id = :id",
        ):
            connection.execute(text(change), {"id": alert_id})
    title, after = _read(hanako.get(path).data)
    assert title == f"DRILL: Record of message {alert_id}"
    for words in (
        "Sent by one person alone: hanako",
        "Nobody answers, not t…@city.example",
        "The area lies partly outside the town.",
        "jiro has confirmed that this area is meant.",
        "sent once more",
        "the relay is back 7 messages",
        "May have arrived twice: 1.",
    ):
        assert "".join(words.split()) in after, words
    table = hanako.get(f"/staff/alerts/{alert_id}/report.csv").data.decode("utf-8-sig")
    rows = {(row[2], row[3], row[5]) for row in csv.reader(StringIO(table)) if row[0] == "fact"}
    assert rows >= {
        ("area_doubt", "jiro", "outside"),
        ("area_confirmed_by", "", "jiro"),
        ("override_reason", "", "Nobody answers, not t…@city.example"),
        ("urgency", "", "Immediate"),
    }, "paper and table say the same"
    assert "taro.secret" not in after and "Standingapproval" not in after and "Approvedby" not in after


def test_without_the_font_the_paper_names_one_and_a_letter_it_lacks_is_marked(tmp_path: Path) -> None:
    named = face(tmp_path)
    assert named.regular == named.bold == "HeiseiKakuGo-W5"
    assert named.printable("東松島市\x07 𠮷野\U000e0100 🚨") == "東松島市 〓野 〓"


def _read(data: bytes) -> tuple[str | None, str]:
    """Return the title and all words without white space."""
    paper = PdfReader(BytesIO(data))
    words = "".join(page.extract_text() for page in paper.pages)
    return paper.metadata.title if paper.metadata else None, "".join(words.split())


def test_only_who_may_read_messages_gets_the_record(
    warned_town: Database, client: FlaskClient, log_in: Callable[[str], FlaskClient], owner: Engine
) -> None:
    with owner.begin() as connection:
        alert_id = connection.execute(text("SELECT max(id) FROM alerts.alert")).scalar_one()
    path = f"/staff/alerts/{alert_id}/report.pdf"
    assert client.get(path).status_code == 302, "to the login"
    assert log_in("saburo").get(path).status_code == 403
    assert log_in("hanako").get("/staff/alerts/999999/report.pdf").status_code == 404
