"""A file into a layer through the browser: tried first, mapped by hand, then done as the person."""

from __future__ import annotations

import html
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from layers.definition import Definition
from tests.layers.personal_layer import make_household_layer
from tests.webmap.test_new_layer import fields_of, send_file

LogIn = Callable[[str], FlaskClient]
URL = "/staff/layers/household/import"
TABLE = "戸番,階数,氏名,電話,経度,緯度\n1,2,佐藤,0225-00-0001,141.2,38.4\n2,二,鈴木,,141.21,38.41\n"


@pytest.fixture
def household(owner: Engine) -> Definition:
    return make_household_layer(owner, "sewer")


def _rows(database: Database, query: str) -> list[tuple[object, ...]]:
    with database.begin("dept_sewer") as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_a_file_is_tried_mapped_and_brought_in_with_its_personal_values(
    household: Definition, log_in: LogIn, database: Database
) -> None:
    client = log_in("saburo")
    page = client.get(send_file(client, "h.csv", TABLE.encode("cp932"), URL).location)
    assert "に当たる列がありません" in page.text, "戸番 is not what the layer calls its key"
    fields = fields_of(page.text)
    assert (fields["from_number"], fields["from_resident"]) == ("", "氏名")
    tried = client.post(page.request.path, data={**fields, "from_number": "戸番", "action": "check"})
    assert "数値ではありません" in tried.text
    fields = fields_of(tried.text) | {"reason": "台帳", "action": "save"}
    refused = client.post(page.request.path, data=fields)
    assert refused.status_code == 400
    assert _rows(database, "SELECT 1 FROM layers.household") == []
    done = client.post(page.request.path, data={**fields, "skips_rejected": "on"})
    assert done.status_code == 303, done.text
    assert "新規 1件" in client.get(done.location).text
    assert _rows(
        database, "SELECT number, resident FROM layers.household JOIN layers.household_personal USING (fid)"
    ) == [("1", "佐藤")]
    assert _rows(database, "SELECT account, reason FROM gis.changeset ORDER BY id DESC LIMIT 1") == [("saburo", "台帳")]


def test_a_trial_changes_nothing_and_an_import_wants_a_reason(
    household: Definition, log_in: LogIn, database: Database
) -> None:
    client = log_in("saburo")
    body = TABLE.replace("戸番", "番号").replace("二", "2").encode()
    page = client.get(send_file(client, "h.csv", body, URL).location)
    assert page.status_code == 200
    assert _rows(database, "SELECT 1 FROM layers.household") == []
    refused = client.post(page.request.path, data=fields_of(page.text) | {"action": "save"})
    assert (refused.status_code, "理由が入力されていません" in refused.text) == (400, True)
    assert _rows(database, "SELECT 1 FROM history.household") == []


def test_features_that_the_file_lacks_go_when_that_is_ticked(
    household: Definition, log_in: LogIn, database: Database
) -> None:
    client = log_in("saburo")
    body = TABLE.replace("戸番", "番号").replace("二", "2")
    for content, tick in ((body, {}), (body[: body.index("2,2,鈴木")], {"removes_missing": "on"})):
        url = send_file(client, "h.csv", content.encode(), URL).location
        fields = fields_of(client.get(url).text) | {"reason": "更新", "action": "save"} | tick
        assert client.post(url, data=fields).status_code == 303
    assert _rows(database, "SELECT number FROM layers.household") == [("1",)]


def test_somebody_who_may_not_edit_the_layer_is_kept_out(household: Definition, log_in: LogIn) -> None:
    assert log_in("hanako").get(URL).status_code == 403


def test_an_older_datum_is_refused_in_the_readers_language(household: Definition, log_in: LogIn) -> None:
    client = log_in("saburo")
    url = send_file(client, "h.csv", TABLE.replace("戸番", "番号").encode(), URL).location
    fields = fields_of(client.get(url).text) | {"crs": "EPSG:4612", "action": "check"}
    answer = client.post(url, data=fields)
    assert answer.status_code == 400
    assert "古い測地系" in html.unescape(answer.text)


def test_a_layer_that_the_workers_write_takes_no_file(log_in: LogIn) -> None:
    assert log_in("hanako").get("/staff/layers/incident/import").status_code == 403
