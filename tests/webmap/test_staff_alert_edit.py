"""Writing a message at the desk, as a browser without JavaScript does it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import Engine, text
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from alerts.templates import load_templates
from gis.database import Database
from gis.errors import UsageError
from tests.webmap.conftest import csrf_token, tokens
from webmap.staff.alert_form import read_time

LogIn = Callable[[str], FlaskClient]
QUARTER = "ST_MakeEnvelope(141.20, 38.40, 141.21, 38.41, 6668)"
BOW_TIE = '{"type":"Polygon","coordinates":[[[141.2,38.4],[141.21,38.41],[141.21,38.4],[141.2,38.41],[141.2,38.4]]]}'

OUTSIDE = '{"type":"Polygon","coordinates":[[[140.1,37.4],[140.11,37.4],[140.11,37.41],[140.1,37.41],[140.1,37.4]]]}'


@pytest.fixture
def quarter(town_database: Database, owner: Engine) -> None:
    """A quarter of our own, with a subscriber on the drill list inside and one real one outside."""
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO layers.town_block (name, name_kana, name_en, geom)"
                f" VALUES ('試験町', 'シケンチョウ', 'Shikencho', {QUARTER})"
            )
        )


def begin(client: FlaskClient, **values: str) -> TestResponse:
    form = {"template": "order", "kind": "flood", "source": "quarter", "ref": "試験町", "status": "Actual"} | values
    page = client.get("/staff/alerts/new").text
    return client.post("/staff/alerts/new", data=form | {"csrf_token": csrf_token(page)})


def fields(page: str) -> dict[str, str]:
    """Return what a browser would send of the words' form, unchanged."""
    form = page[page.index('class="beside-form"') :]
    found = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', form))
    found |= dict(re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', options)
        assert chosen, name
        found[name] = chosen[1] or chosen[2]
    return {name: unescape(value) for name, value in found.items()}


def test_a_quarter_is_warned_with_two_forms_and_nothing_retyped(
    log_in: LogIn, quarter: None, owner: Engine, client: FlaskClient
) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    begun = begin(hanako)
    assert begun.status_code == 302, begun.text
    page = hanako.get(f"{begun.location}?lang=en").text
    assert "Nothing was found." in page and "試験町（しけんちょう）" in page and "Shikencho" in page
    answer = hanako.post(begun.location, data=fields(page) | {"act": "submit"})
    assert answer.status_code == 302, answer.text
    alert_id = re.search(r"/alerts/(\d+)", answer.location)[1]  # type: ignore[index]
    assert client.get(f"/alerts/{alert_id}").status_code == 404, "nobody outside reads what only waits"
    seen = tokens(jiro.get(f"/staff/alerts/{alert_id}").text)
    assert jiro.post(f"/staff/alerts/{alert_id}/approve", data=seen).status_code == 302
    with owner.begin() as connection:
        row = connection.execute(text("SELECT state, submitted_by, approved_by FROM alerts.alert")).one()
    assert tuple(row) == ("sending", "hanako", "jiro")
    public = client.get(f"/alerts/{alert_id}?lang=ja").text
    assert "試験町 避難指示" in public and "hanako" not in public
    assert client.get(f"/alerts/{alert_id}.cap").status_code in (200, 404)
    after = jiro.get(f"/staff/alerts/{alert_id}?lang=en").text
    assert "Write the all-clear" in after and "Submit for approval" not in after


def test_a_blank_keeps_the_message_at_its_author(log_in: LogIn, quarter: None, owner: Engine) -> None:
    hanako = log_in("hanako")
    begun = begin(hanako, template="message")
    page = hanako.get(f"{begun.location}?lang=en").text
    assert "A blank is not filled" in page
    answer = hanako.post(begun.location, data=fields(page) | {"act": "submit", "headline-ja": "打った見出し"})
    assert answer.status_code == 400 and "打った見出し" in answer.text
    past = fields(page) | {"act": "submit", "expires_at": "2020-01-01T00:00"}
    answer = hanako.post(f"{begun.location}?lang=en", data=past)
    assert 'id="about-expires_at"' in answer.text and "Its end is past" in answer.text, "said at its field"
    assert 'value="2020-01-01T00:00" aria-describedby="about-expires_at" aria-invalid="true"' in answer.text
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state FROM alerts.alert")).scalar_one() == "draft"


def test_who_saves_second_keeps_what_was_typed_and_undoes_nothing(log_in: LogIn, quarter: None) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    edit = begin(hanako).location
    typed, other = (fields(client.get(edit).text) for client in (hanako, jiro))
    other |= {"headline-ja": "次郎の見出し", "headline-en": "Headline of Jiro", "act": "save"}
    assert jiro.post(edit, data=other).status_code == 302
    typed |= {"headline-ja": "花子の見出し", "instruction-ja": "花子の行動", "act": "save"}
    answer = hanako.post(f"{edit}?lang=en", data=typed)
    assert answer.status_code == 409 and "yours is not saved yet" in answer.text
    shown = fields(answer.text)
    assert (shown["headline-ja"], shown["instruction-ja"]) == ("花子の見出し", "花子の行動"), "what I typed is here"
    assert shown["headline-en"] == "Headline of Jiro", "what only the other changed is taken in"
    assert '<span class="theirs">次郎の見出し</span>' in answer.text, "what both changed is seen"
    assert fields(hanako.get(edit).text)["headline-ja"] == "次郎の見出し", "nothing was saved over the other's"
    assert hanako.post(edit, data=shown | {"act": "save"}).status_code == 302, "having read it, one saves again"
    stored = fields(jiro.get(edit).text)
    assert (stored["headline-ja"], stored["headline-en"]) == ("花子の見出し", "Headline of Jiro")
    bare = {name: value for name, value in other.items() if name != "marks"} | {"headline-ja": "三つ目"}
    assert "三つ目" in jiro.post(edit, data=bare).text, "without marks every difference is mine and shown"


def test_nobody_approves_words_that_were_not_on_the_page(log_in: LogIn, quarter: None, owner: Engine) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    edit = begin(hanako).location
    page = edit.removesuffix("/edit")
    assert hanako.post(edit, data=fields(hanako.get(edit).text) | {"act": "submit"}).status_code == 302
    read = tokens(jiro.get(page).text)
    assert hanako.post(f"{page}/take-back", data=tokens(hanako.get(page).text)).status_code == 302
    changed = fields(hanako.get(edit).text) | {"headline-ja": "別の見出し", "act": "submit"}
    assert hanako.post(edit, data=changed).status_code == 302
    refused = jiro.post(f"{page}/approve", data=read, follow_redirects=True)
    assert "変更されました" in refused.text and "別の見出し" in refused.text
    nothing_seen = {"csrf_token": read["csrf_token"]}
    assert "変更されました" in jiro.post(f"{page}/approve", data=nothing_seen, follow_redirects=True).text
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state FROM alerts.alert")).scalar_one() == "submitted"
    assert jiro.post(f"{page}/approve", data=tokens(jiro.get(page).text)).status_code == 302
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state FROM alerts.alert")).scalar_one() == "sending"


def test_pieces_are_added_confirmed_and_taken_away(log_in: LogIn, quarter: None, owner: Engine) -> None:
    hanako = log_in("hanako")
    begun = begin(hanako)
    area = begun.location.replace("/edit", "/area")

    def change(**values: str) -> TestResponse:
        page = hanako.get(begun.location).text
        return hanako.post(area, data=fields(page) | values)

    assert change(act="add", source="drawn", drawn=BOW_TIE, operation="add").status_code == 302
    assert "crosses itself" in hanako.get(f"{begun.location}?lang=en").text
    assert change(act="confirm").status_code == 302
    assert "hanako has confirmed" in hanako.get(f"{begun.location}?lang=en").text
    assert change(act="undo").status_code == 302
    assert "crosses itself" not in hanako.get(f"{begun.location}?lang=en").text
    assert change(act="undo", **{"headline-ja": "まだ保存していない見出し"}).status_code == 302
    assert "まだ保存していない見出し" in hanako.get(begun.location).text, "words typed before an area button are kept"
    assert change(act="add", source="quarter", ref="試験町", operation="add").status_code == 302
    with owner.begin() as connection:
        shape = "ST_MakeEnvelope(141.21, 38.40, 141.22, 38.41, 6668)"
        query = f"INSERT INTO layers.town_block (name, geom) VALUES ('隣町', {shape})"
        connection.execute(text(query))
    assert change(act="add", source="quarter", ref="隣町", operation="add").status_code == 302
    page = hanako.get(f"{begun.location}?lang=en").text
    assert 'href="#area_name">The area has a part that the words do not name</a>' in page, "隣町 must know it is meant"
    assert 'id="about-area_name"' in page
    assert change(act="add", source="quarter", ref="無い町", operation="add").status_code == 400
    assert change(act="add", source="feature", ref="town_block:1; DROP", operation="add").status_code == 400


def test_an_area_that_is_empty_or_outside_the_city_asks_before_going_on(
    log_in: LogIn, quarter: None, owner: Engine
) -> None:
    hanako = log_in("hanako")
    edit = begin(hanako).location

    def area(**values: str) -> str:
        page = hanako.get(edit).text
        assert hanako.post(edit.replace("/edit", "/area"), data=fields(page) | values).status_code == 302
        return hanako.get(f"{edit}?lang=en").text

    def submit() -> TestResponse:
        return hanako.post(f"{edit}?lang=en", data=fields(hanako.get(edit).text) | {"act": "submit"})

    assert "The area is empty." in area(act="add", source="quarter", ref="試験町", operation="cut")
    assert submit().status_code == 400
    assert "I confirm it with my name" not in area(act="confirm"), "nobody can mean an empty area"
    assert submit().status_code == 400
    area(act="undo")
    area(act="undo")
    page = area(act="add", source="drawn", drawn=OUTSIDE, operation="add")
    assert "lies partly outside the town" in page and "I confirm it with my name" in page
    refused = submit()
    assert refused.status_code == 400 and "in doubt" in refused.text
    page = area(act="confirm")
    assert "hanako has confirmed" in page and submit().status_code == 302
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state, area_confirmed_by FROM alerts.alert")).one() == (
            "submitted",
            "hanako",
        )


def test_an_end_that_passes_while_it_waits_for_approval_is_not_approved(
    log_in: LogIn, quarter: None, owner: Engine
) -> None:
    hanako, jiro = log_in("hanako"), log_in("jiro")
    edit = begin(hanako).location
    page = edit.removesuffix("/edit")
    assert hanako.post(edit, data=fields(hanako.get(edit).text) | {"act": "submit"}).status_code == 302
    with owner.begin() as connection:  # the clock goes on
        connection.execute(text("ALTER TABLE alerts.alert DISABLE TRIGGER USER"))
        connection.execute(text("UPDATE alerts.alert SET expires_at = now() - interval '1 s'"))
        connection.execute(text("ALTER TABLE alerts.alert ENABLE TRIGGER USER"))
    answer = jiro.post(f"{page}/approve?lang=en", data=tokens(jiro.get(page).text), follow_redirects=True)
    assert "is past" in unescape(answer.text)
    with owner.begin() as connection:
        assert connection.execute(text("SELECT state FROM alerts.alert")).scalar_one() == "submitted"
        assert connection.execute(text("SELECT count(*) FROM alerts.delivery")).scalar_one() == 0


def test_a_quarter_goes_by_its_other_name_and_a_depth_of_water_is_no_name(
    log_in: LogIn, quarter: None, owner: Engine
) -> None:
    with owner.begin() as connection:
        for name, block, other, west in (("別町", "字一", "旧町、古町", 141.20), ("別町", "字二", "旧町", 141.21)):
            values = {"n": name, "b": block, "o": other, "w": west, "e": west + 0.01}
            shape = "ST_MakeEnvelope(:w, 38.42, :e, 38.43, 6668)"
            query = f"INSERT INTO layers.town_block (name, sub_name, other_names, geom) VALUES (:n, :b, :o, {shape})"
            connection.execute(text(query), values)
    hanako = log_in("hanako")
    page = hanako.get(begin(hanako, ref="旧町").location).text
    assert "別町 避難指示" in page and "旧町" not in page, "the name that is on the map goes out"
    assert page.count("加える: <span") == 1, "a quarter of two blocks is one piece, taken away at one go"
    refused = begin(hanako, ref="験町")
    assert refused.status_code == 400 and "試験町" in refused.text, "what may be meant is proposed, never taken"
    rank = hanako.get(begin(hanako, source="hazard_flood", ref="0.5m未満").location).text
    assert "{{ place }} 避難指示" in rank, "nobody lives in a place called 0.5 m"


def test_the_preview_shows_mail_push_short_text_and_cap(log_in: LogIn, quarter: None) -> None:
    hanako = log_in("hanako")
    preview = begin(hanako, status="Exercise").location.replace("/edit", "/preview")
    page = hanako.get(f"{preview}?lang=en").text
    assert "[DRILL] [Level 4] Shikencho: Evacuation Order" in page and "&lt;status&gt;Exercise" in page
    public = hanako.get(f"{preview}/page?lang=en").text
    assert "nothing has been sent" in public and "[DRILL] [Level 4] Shikencho: Evacuation Order" in public
    assert "/feeds/" not in public.partition("<main")[2].partition("<footer")[0], "a draft's area comes from the desk"
    frame = hanako.get(f"{preview}/ja.html")
    assert "sandbox" in frame.headers["Content-Security-Policy"] and "訓練" in frame.text
    assert hanako.get(f"{preview}/xx.html").status_code == 404


def test_every_shipped_template_has_a_record_on_paper_that_names_its_event(log_in: LogIn, quarter: None) -> None:
    hanako = log_in("hanako")
    for template in load_templates():
        paper = hanako.get(begin(hanako, template=template).location.replace("/edit", "/report.pdf"))
        assert (paper.status_code, paper.mimetype) == (200, "application/pdf"), template
        if template == "order":
            words = "".join(page.extract_text() for page in PdfReader(BytesIO(paper.data)).pages)
            assert "避難指示" in "".join(words.split())


def test_who_was_logged_out_while_writing_comes_back_to_the_draft(log_in: LogIn, quarter: None, app: Flask) -> None:
    hanako = log_in("hanako")
    edit = begin(hanako).location
    typed = fields(hanako.get(edit).text) | {"act": "save"}
    headers = {"Referer": f"http://localhost{edit}", "Sec-Fetch-Mode": "navigate"}
    anew = log_in("hanako")
    refused = anew.post(edit, data=typed, headers=headers)
    assert refused.location == edit, "a form of an earlier login: back to its page, whose browser has the words"
    assert "保存されていません" in anew.get(edit).text and 'data-keep="' in anew.get(edit).text
    assert anew.post(edit, data=typed).status_code == 400, "a script learns it by the status"
    out = app.test_client().post(edit.replace("/edit", "/area"), data=typed, headers=headers)
    assert out.status_code == 302 and out.location.endswith(f"/staff/login?next={edit}")
    elsewhere = headers | {"Referer": "https://phisher.example/staff/x"}
    stranger = app.test_client().post(edit, data=typed, headers=elsewhere)
    assert "phisher" not in stranger.headers.get("Location", "") and stranger.status_code == 400


def test_the_list_filters_and_other_departments_read_nothing(log_in: LogIn, quarter: None) -> None:
    hanako, saburo = log_in("hanako"), log_in("saburo")
    begin(hanako, status="Exercise")
    assert "試験町" in hanako.get("/staff/alerts?status=Exercise&words=試験").text
    assert "試験町" not in hanako.get("/staff/alerts?status=Actual").text
    assert saburo.get("/staff/alerts").status_code == 403
    assert saburo.get("/staff/alerts/new").status_code in (400, 403)


@pytest.mark.parametrize("typed", ["2031-05-03", "2031-05-03T16:05Z", "2031-05-03T16:05+00:00", "tomorrow"])
def test_a_time_that_would_be_hours_off_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="no time"):
        read_time(MultiDict({"at": typed}), "at")


def test_a_time_of_the_browsers_field_is_japans() -> None:
    moment = read_time(MultiDict({"at": "2031-05-03T16:05"}), "at")
    assert moment and moment.isoformat() == "2031-05-03T16:05:00+09:00" and read_time(MultiDict(), "at") is None
