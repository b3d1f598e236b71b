"""Photos and documents in the pages: as plain forms, as the panel of the editor, and as citizens get them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from gis.accounts import add_account
from gis.database import Database
from gis.settings import Settings
from layers.changes import Insert
from layers.definition import load_definitions
from layers.editing import apply_changes
from tests.layers.personal_layer import make_household_layer
from tests.layers.picture_files import SECRET, make_pdf, make_picture
from tests.webmap.conftest import PASSWORD, csrf_token
from webmap.backup import backup, restore

LogIn = Callable[[str], FlaskClient]
PLACE = {"type": "Point", "coordinates": [141.2, 38.4]}


@pytest.fixture
def fid(database: Database) -> int:
    with database.begin("dept_disaster", "hanako") as connection:
        new = Insert({"shelter_id": "A", "name": "A"}, PLACE)
        return apply_changes(connection, load_definitions()["shelter"], [new]).inserted[0]


def page(client: FlaskClient, fid: int) -> str:
    return client.get(f"/staff/layers/shelter/features/{fid}?lang=en").text


def send(client: FlaskClient, fid: int, *files: tuple[bytes, str], layer: str = "shelter", **more: str) -> TestResponse:
    token = csrf_token(client.get("/staff/account").text)
    fields = {"csrf_token": token, "files": [(io.BytesIO(body), name) for body, name in files], **more}
    accept = {"Accept": "application/json"} if more.pop("is_json", "") else {}
    return client.post(f"/staff/layers/{layer}/features/{fid}/attachments", data=fields, headers=accept)


def act(client: FlaskClient, attachment: int, name: str, **more: str) -> TestResponse:
    token = csrf_token(client.get("/staff/account").text)
    return client.post(f"/staff/attachments/{attachment}/{name}", data={"csrf_token": token, **more})


def numbers(written: str) -> list[int]:
    return [int(number) for number in re.findall(r'attachments/(\d+)/remove"', written)]


def test_several_files_go_in_by_a_plain_form_and_the_page_shows_them(log_in: LogIn, fid: int) -> None:
    client = log_in("hanako")
    answer = send(
        client,
        fid,
        (make_picture(), "入口.jpg"),
        (make_pdf(), "図面.pdf"),
        (b"MZ\x90\x00", "virus.jpg"),
        caption="東側",
    )
    assert answer.status_code == 302
    written = page(client, fid)
    assert "入口.jpg" in written and "図面.pdf" in written and "A program cannot be attached" in written
    assert "virus" not in page(client, fid), "what was refused is told once and kept nowhere"
    photo, paper = numbers(written)
    kept = client.get(f"/staff/attachments/{photo}")
    assert SECRET not in kept.data and Image.open(io.BytesIO(kept.data)).size == (640, 480)
    assert kept.headers["Content-Type"] == "image/jpeg"
    assert (
        "sandbox" in kept.headers["Content-Security-Policy"] and "script" not in kept.headers["Content-Security-Policy"]
    )
    assert kept.headers["X-Content-Type-Options"] == "nosniff"
    assert kept.headers["Cache-Control"] == "private, no-cache"
    again = client.get(f"/staff/attachments/{photo}", headers={"If-None-Match": kept.headers["ETag"]})
    assert again.status_code == 304
    assert max(Image.open(io.BytesIO(client.get(f"/staff/attachments/{photo}/thumbnail").data)).size) == 320
    document = client.get(f"/staff/attachments/{paper}")
    assert document.headers["Content-Type"] == "application/pdf"
    assert document.headers["Content-Disposition"].startswith("attachment;")
    assert client.get(f"/staff/attachments/{paper}/thumbnail").status_code == 404


def test_describing_ordering_removing_and_bringing_back(log_in: LogIn, database: Database, fid: int) -> None:
    client = log_in("hanako")
    send(client, fid, (make_picture(), "a.jpg"), (make_picture(), "b.jpg"))
    first, second = numbers(page(client, fid))
    act(client, second, "earlier")
    assert numbers(page(client, fid)) == [second, first]
    act(client, first, "change", version="2", caption="<b>東</b>", is_public="on")
    written = page(client, fid)
    assert "&lt;b&gt;東&lt;/b&gt;" in written and "<b>東</b>" not in written
    act(client, first, "remove")
    written = page(client, fid)
    assert numbers(written) == [second] and "Removed files (1)" in written
    changeset = max(map(int, re.findall(r"/staff/changesets/(\d+)", written)))
    told = client.get(f"/staff/changesets/{changeset}?lang=en").text
    assert "removed" in told and f"/staff/attachments/{first}/thumbnail" in told and "Take back changeset" in told
    token = csrf_token(told)
    undone = client.post(f"/staff/changesets/{changeset}/undo", data={"csrf_token": token, "reason": "誤り"})
    assert undone.status_code == 302
    assert sorted(numbers(page(client, fid))) == sorted([first, second])
    assert str(changeset) in client.get("/staff/layers/shelter/history?lang=en").text


def test_a_caption_that_somebody_else_changed_is_not_overwritten(log_in: LogIn, fid: int) -> None:
    client = log_in("hanako")
    send(client, fid, (make_picture(), "a.jpg"))
    (photo,) = numbers(page(client, fid))
    act(client, photo, "change", version="1", caption="東")
    act(client, photo, "change", version="1", caption="西")
    written = page(client, fid)
    assert "Somebody else changed it meanwhile" in written and 'value="東"' in written


def test_the_place_of_a_photo_becomes_the_features_only_when_asked(log_in: LogIn, database: Database, fid: int) -> None:
    client = log_in("hanako")
    send(client, fid, (make_picture(place=(141.2, 38.401)), "a.jpg"), (make_picture(place=(141.3, 38.5)), "b.jpg"))
    first, second = numbers(page(client, fid))
    assert "111 m from the feature" in page(client, fid)
    assert "flash offer" not in page(log_in("jiro"), fid), "whoever attached it is asked, nobody else is told"
    act(client, second, "decline-place")
    act(client, first, "use-place")
    assert "flash offer" not in page(client, fid)
    with database.begin("dept_disaster") as connection:
        place = connection.execute(text("SELECT ST_X(geom), ST_Y(geom), version FROM layers.shelter")).one()
    assert tuple(place) == (pytest.approx(141.2), pytest.approx(38.401), 2)


def test_who_may_not_edit_sees_and_changes_nothing(log_in: LogIn, owner: Engine, fid: int) -> None:
    send(log_in("hanako"), fid, (make_picture(), "a.jpg"))
    (photo,) = numbers(page(log_in("hanako"), fid))
    other = log_in("saburo")
    written = page(other, fid)
    assert f"/staff/attachments/{photo}" in written and "upload" not in written and "/remove" not in written
    assert send(other, fid, (make_picture(), "b.jpg")).status_code == 403
    for name, more in (("remove", {}), ("change", {"version": "1", "is_public": "on"}), ("erase", {"reason": "x"})):
        assert act(other, photo, name, **more).status_code == 403
    assert client_get_anonymous(other, photo) == 302
    household = make_household_layer(owner)
    with owner.begin() as connection:
        add_account(connection, "kumiko", "kumiko", "citizens", PASSWORD, roles=("viewer", "editor"))
    keeper = log_in("kumiko")
    inside = keeper.application.extensions["machimori"].database
    with inside.begin("dept_citizens", "kumiko") as connection:
        home = apply_changes(connection, household, [Insert({"number": "1"}, PLACE)]).inserted[0]
    assert send(keeper, home, (make_picture(), "家.jpg"), layer="household").status_code == 302
    hidden = photo + 1
    assert keeper.get(f"/staff/attachments/{hidden}").status_code == 200
    assert other.get(f"/staff/attachments/{hidden}").status_code == 404
    assert other.get(f"/staff/attachments/{hidden}/thumbnail").status_code == 404
    assert "家.jpg" not in other.get(f"/staff/layers/household/features/{home}").text
    assert act(other, hidden, "restore").status_code == 404


def client_get_anonymous(client: FlaskClient, photo: int) -> int:
    return client.application.test_client().get(f"/staff/attachments/{photo}").status_code


def test_citizens_get_public_files_without_their_names(log_in: LogIn, client: FlaskClient, fid: int) -> None:
    editor = log_in("hanako")
    send(editor, fid, (make_picture(), "田中太郎宅.jpg"), (make_picture(), "秘密.jpg"))
    shown, hidden = numbers(page(editor, fid))
    assert client.get(f"/attachments/{shown}").status_code == 404
    act(editor, shown, "change", version="1", caption="入口", is_public="on")
    answer = client.get(f"/attachments/{shown}")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "public, no-cache"
    assert (
        "%E7%94%B0" not in answer.headers["Content-Disposition"]
        and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    assert client.get(f"/attachments/{shown}/thumbnail").status_code == 200
    assert client.get(f"/attachments/{hidden}").status_code == client.get("/attachments/4711").status_code == 404
    board = client.get("/shelters?lang=en").text
    assert f'href="/attachments/{shown}"' in board and "入口" in board and "田中太郎" not in board
    assert f"/attachments/{hidden}" not in board
    act(editor, shown, "remove")
    assert client.get(f"/attachments/{shown}", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 404


def test_the_editors_panel_answers_json_and_a_fragment(log_in: LogIn, fid: int) -> None:
    client = log_in("hanako")
    assert send(client, fid, (make_picture(), "a.jpg"), is_json="1").json == {"problems": []}
    refused = send(client, fid, (b"<svg/>", "a.jpg"), is_json="1")
    assert refused.status_code == 422 and "SVG" in refused.json["problems"][0]
    panel = client.get(f"/staff/layers/shelter/features/{fid}/attachments").text
    assert "data-attachments" in panel and "<html" not in panel


def test_a_request_is_larger_than_others_only_for_who_is_logged_in(
    log_in: LogIn, client: FlaskClient, fid: int
) -> None:
    large = (b"a" * 3_000_000, "a.txt")
    assert send(log_in("hanako"), fid, large).status_code == 302
    fields = {"files": [(io.BytesIO(large[0]), "a.txt")]}
    assert client.post(f"/staff/layers/shelter/features/{fid}/attachments", data=fields).status_code == 413


def test_erasure_takes_a_layer_manager_and_a_reason(log_in: LogIn, owner: Engine, fid: int) -> None:
    with owner.begin() as connection:
        roles = ("viewer", "editor", "layer_manager")
        add_account(connection, "manabu", "manabu", "disaster", PASSWORD, roles=roles)
    editor, manager = log_in("hanako"), log_in("manabu")
    send(editor, fid, (make_picture(), "秘密.jpg"))
    (photo,) = numbers(page(editor, fid))
    act(editor, photo, "remove")
    assert "/erase" not in page(editor, fid) and act(editor, photo, "erase", reason="x").status_code == 403
    assert act(manager, photo, "erase").status_code == 400
    assert act(manager, photo, "erase", reason="本人の求め").status_code == 302
    written = page(manager, fid)
    assert "秘密" not in written and "本人の求め" in written
    assert manager.get(f"/staff/attachments/{photo}").status_code == 404


def test_a_backup_holds_the_files(
    log_in: LogIn, database: Database, settings: Settings, tmp_path: Path, fid: int
) -> None:
    client = log_in("hanako")
    send(client, fid, (make_picture(), "a.jpg"), (make_pdf(), "b.pdf"))
    kept = [client.get(f"/staff/attachments/{number}").data for number in numbers(page(client, fid))]
    backup(settings, tmp_path / "town.dump")
    act(client, numbers(page(client, fid))[0], "remove")
    restore(settings, tmp_path / "town.dump", may_overwrite=True)
    database.engine.dispose()
    client.application.extensions["machimori"].database.engine.dispose()
    assert [client.get(f"/staff/attachments/{number}").data for number in numbers(page(client, fid))] == kept
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin("dept_sewer") as connection:
        connection.execute(text("UPDATE gis.attachment SET caption = 'x'"))
