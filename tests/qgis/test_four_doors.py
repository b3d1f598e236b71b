"""Four doors, one guard: the same forbidden edits through the browser, its JSON, the import command, psql and QGIS.

Each is refused by the database (SQLSTATE 42501, `insufficient_privilege`: a missing grant or a row policy), whatever
the door's own manners; nothing is changed, and the history stays empty.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.accounts import add_account
from gis.db_login import connection_words, make_db_login, revoke_db_login
from gis.settings import Settings
from tests.layers.personal_layer import make_household_layer
from tests.qgis.conftest import SYSTEM_PYTHON
from tests.webmap.conftest import PASSWORD, app, csrf_token  # noqa: F401 (fixture)
from tests.webmap.test_browser import Visit, address, browser, visit  # noqa: F401 (fixtures)
from webmap.cli import main

INSIDE, OUTSIDE = (141.2, 38.4), (141.5, 38.4)
AREA = {"type": "Polygon", "coordinates": [[[141, 38], [141.3, 38], [141.3, 39], [141, 39], [141, 38]]]}
REFUSALS = ("permission denied", "row-level security")


@dataclass(frozen=True)
class Forbidden:
    """One forbidden edit: who tries to add what, where; `table` is what the database keeps from them."""

    person: str
    layer: str
    values: dict[str, str]
    place: tuple[float, float] = INSIDE
    table: str = ""

    @property
    def point(self) -> dict[str, Any]:
        return {"type": "Point", "coordinates": self.place}


CASES = {
    "another department's layer": Forbidden("ume", "evacuation_site", {"site_id": "X-1", "name": "x"}),
    "outside the area": Forbidden("ume", "shelter", {"shelter_id": "X-1", "name": "x"}, OUTSIDE),
    "a viewer": Forbidden("momo", "sewer_manhole", {"manhole_id": "X-1"}),
    "the personal table": Forbidden(
        "ume", "household", {"number": "1", "resident": "x"}, table="household_personal"
    ),
}  # fmt: skip
# The command acts with a department's rights, never with a viewer's.
IMPORTED = {name: case for name, case in CASES.items() if case.person != "momo"}


@pytest.fixture
def town(owner: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An editor and a viewer of the sewer office, a grant inside an area, one without the personal attributes."""
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())
    make_household_layer(owner)
    with owner.begin() as connection:
        for name, roles in (("ume", ("viewer", "editor")), ("momo", ("viewer",))):
            add_account(connection, name, name, "sewer", PASSWORD, is_demo=True, roles=roles)
    (tmp_path / "area.geojson").write_text(json.dumps(AREA))
    to_sewer = ["--department", "sewer", "--right", "edit"]
    assert main(["layers", "grant", "shelter", *to_sewer, "--area", str(tmp_path / "area.geojson")]) == 0
    assert main(["layers", "grant", "household", *to_sewer]) == 0
    before = _story(owner)
    yield
    assert _story(owner) == before, "something was changed"


def _story(owner: Engine) -> list[int]:
    tables = ["household_personal", *(case.layer for case in CASES.values())]
    with owner.begin() as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {schema}.{table}")).scalar_one()
            for schema in ("layers", "history")
            for table in tables
        ] + [connection.execute(text("SELECT count(*) FROM gis.changeset")).scalar_one()]


@pytest.fixture
def logins(owner: Engine) -> Iterator[Callable[[str], dict[str, str]]]:
    """Make a person's own login to the database."""
    made = []

    def run(name: str) -> dict[str, str]:
        with owner.begin() as connection:
            password = make_db_login(connection, name, "sewer")
            made.append(name)
            return {"words": connection_words(connection, name), "password": password}

    yield run
    with owner.begin() as connection:
        for name in made:
            revoke_db_login(connection, name)


def _batch(case: Forbidden) -> dict[str, Any]:
    return {
        "reason": "試み",
        "changes": [{"operation": "insert", "attributes": case.values, "geometry": case.point}],
    }


def _log_in(client: FlaskClient, name: str) -> None:
    form = {"name": name, "password": PASSWORD, "csrf_token": csrf_token(client.get("/staff/login").text)}
    assert client.post("/staff/login", data=form).status_code == 302


@pytest.mark.parametrize("name", CASES)
def test_the_json_behind_the_page_is_refused(name: str, town: None, client: FlaskClient) -> None:
    case = CASES[name]
    _log_in(client, case.person)
    token = csrf_token(client.get("/staff/").text)
    headers = {"X-CSRFToken": token, "Idempotency-Key": "0123456789abcdef"}
    answer = client.post(f"/staff/layers/{case.layer}/edit/changes", json=_batch(case), headers=headers)
    assert answer.status_code == 403, answer.text
    assert any(words in answer.get_json()["detail"] for words in REFUSALS), answer.text


@pytest.fixture
def client(app: Any) -> FlaskClient:  # noqa: F811
    """A browser's place, without a browser."""
    made: FlaskClient = app.test_client()
    return made


@pytest.mark.browser
def test_the_page_in_a_browser_is_refused(visit: Callable[..., Visit], town: None) -> None:  # noqa: F811
    for person in ("ume", "momo"):
        window = visit("desktop")
        page = window.go("/staff/login")
        page.locator("#name").fill(person)
        page.locator("#password").fill(PASSWORD)
        page.locator("form.login button").click()
        page.wait_for_url(lambda url: "login" not in url)
        for name, case in CASES.items():
            if case.person != person:
                continue
            page = window.go(f"/staff/layers/{case.layer}/edit")
            page.wait_for_selector("#map_town[data-ready=features]")
            status, body = page.evaluate(
                """async (batch) => {
                    const { config } = await import("/static/js/editor/words.js");
                    const { post, randomName } = await import("/static/js/editor/batch.js");
                    const answer = await post(config.urls.changes, batch, { "Idempotency-Key": randomName() });
                    return [answer.status, JSON.stringify(answer.body)];
                }""",
                _batch(case),
            )
            assert status == 403, (name, body)
            assert any(words in body for words in REFUSALS), (name, body)


@pytest.mark.parametrize("name", IMPORTED)
def test_the_import_command_is_refused(
    name: str, town: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    path = tmp_path / "features.geojson"
    feature = {"type": "Feature", "properties": case.values, "geometry": case.point}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    load = ["layers", "import", str(path), "--layer", case.layer, "--department", "sewer", "--anywhere"]
    assert main(load) == 2
    assert "your department may not" in capsys.readouterr().err


@pytest.mark.parametrize("name", CASES)
def test_a_direct_login_is_refused(name: str, town: None, logins: Callable[[str], dict[str, str]]) -> None:
    case = CASES[name]
    login = logins(case.person)
    if case.table:
        statement, values = f"INSERT INTO layers.{case.table} (fid, resident) VALUES (1, 'x')", ()
    else:
        columns = ", ".join(case.values)
        marks = ", ".join(["%s"] * len(case.values))
        statement = f"INSERT INTO layers.{case.layer} (geom, {columns}) VALUES (ST_Point(%s, %s, 6668), {marks})"
        values = (*case.place, *case.values.values())
    with (
        psycopg.connect(login["words"], password=login["password"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege) as refused,
    ):
        connection.execute(statement, values)
    assert refused.value.sqlstate == "42501"


def test_qgis_is_refused(
    qgis: None, town: None, logins: Callable[[str], dict[str, str]], tmp_path: Path, owner: Engine
) -> None:
    for person in ("ume", "momo"):
        login = logins(person)
        cases = {name: case for name, case in CASES.items() if case.person == person}
        asked = tmp_path / f"{person}.json"
        asked.write_text(
            json.dumps(
                [
                    {"uri": f"{login['words']} {_table(case)}", "values": _columns(case), "place": case.place}
                    for case in cases.values()
                ]
            )
        )
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(tmp_path), "LC_ALL": "C.UTF-8", "PGPASSWORD": login["password"],
        }  # fmt: skip
        script = Path(__file__).with_name("drive_qgis.py")
        done = subprocess.run(
            [SYSTEM_PYTHON, str(script), "intrude", str(asked)], capture_output=True, text=True, env=environment
        )
        answers = json.loads(done.stdout.strip().splitlines()[-1])["answers"]
        for name, answer in zip(cases, answers, strict=True):
            assert not answer["is_added"], (name, answer)
            assert not answer["is_valid"] or any(words in answer["error"] for words in REFUSALS), (name, answer)


def _table(case: Forbidden) -> str:
    if case.table:
        return f'key=\'fid\' table="layers"."{case.table}"'
    return f'key=\'fid\' srid=6668 type=Point table="layers"."{case.layer}" (geom)'


def _columns(case: Forbidden) -> dict[str, str]:
    return {"resident": "x"} if case.table else case.values
