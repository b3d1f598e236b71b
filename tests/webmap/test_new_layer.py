"""A department makes a layer in the browser: what is guessed, what is corrected, what is refused."""

from __future__ import annotations

import html
import io
import json
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import pytest
from flask.testing import FlaskClient
from shapely import LineString, Point
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from gis.accounts import add_account
from gis.database import Database
from gis.settings import Settings
from layers.catalogue import find_layer, load_layers
from tests.webmap.conftest import PASSWORD, csrf_token
from webmap.uploads import remove_old_uploads

LogIn = Callable[[str], FlaskClient]
WELLS = "井戸の一覧,,,,,\n管理番号,名称,口径(mm),種別,所有者,経度,緯度\n" + "".join(
    f"00{n},井戸{n},{100 + n},{'浅井戸' if n % 2 else '深井戸'},佐藤 {n},141.2{n},38.4\n" for n in range(9)
)


@pytest.fixture
def keeper(owner: Engine, log_in: LogIn) -> FlaskClient:
    """A layer manager of the construction section."""
    with owner.begin() as connection:
        roles = ("viewer", "editor", "layer_manager")
        add_account(connection, "kei", "建設課 係長", "construction", PASSWORD, is_demo=True, roles=roles)
    client = log_in("kei")
    client.set_cookie("language", "en")
    return client


def send_file(client: FlaskClient, name: str, body: bytes, url: str = "/staff/layers/new") -> TestResponse:
    page = client.get(url)
    assert page.status_code == 200, page.text
    data = {"csrf_token": csrf_token(page.text), "file": (io.BytesIO(body), name)}
    return client.post(url, data=data, content_type="multipart/form-data")


def fields_of(page: str) -> dict[str, str]:
    """What a browser would send back of the page's form, ticks and selections included."""
    form = page[page.index('class="draft"') :]
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        given = {key: html.unescape(value) for key, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if "name" in given and (given.get("type") != "checkbox" or " checked" in tag):
            found[given["name"]] = given.get("value", "on")
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        every = re.findall(r'<option(?: value="([^"]*)")?( selected)?>([^<]*)', options)
        chosen = next((one for one in every if one[1]), every[0])
        has_value = re.search(r'<option value="[^"]*"( selected)?>' + re.escape(chosen[2]), options)
        found[name] = html.unescape(chosen[0] if has_value else chosen[2])
    for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', form, re.DOTALL):
        found[name] = html.unescape(value)
    return found


def _line(fields: dict[str, str], header: str) -> str:
    """Return the prefix of the column's fields."""
    return next(
        key.removesuffix("header") for key, value in fields.items() if key.endswith("_header") and value == header
    )


@pytest.fixture
def wells(keeper: FlaskClient) -> tuple[str, dict[str, str]]:
    """The correction page of the wells: its address and what it would send."""
    answer = send_file(keeper, "wells.csv", WELLS.encode("cp932"))
    assert answer.status_code == 303, answer.text
    page = keeper.get(answer.location)
    assert page.status_code == 200, page.text
    return answer.location, fields_of(page.text)


def test_a_table_is_understood_with_its_title_row_units_codes_key_and_people(
    wells: tuple[str, dict[str, str]], keeper: FlaskClient
) -> None:
    url, fields = wells
    assert "井戸0" in keeper.get(url).text
    diameter, kind, person = (_line(fields, header) for header in ("口径(mm)", "種別", "所有者"))
    assert (fields[f"{diameter}type"], fields[f"{diameter}unit"], fields[f"{diameter}ja"]) == ("integer", "mm", "口径")
    assert fields[f"{kind}codes"] == "own"
    assert "浅井戸 | 浅井戸 | 浅井戸" in fields[f"{kind}own"]
    assert f"{person}personal" in fields
    assert f"{diameter}personal" not in fields
    assert fields[f"{_line(fields, '管理番号')}name"] == fields["key"]
    assert fields["label"] == "name"


def test_saving_makes_the_layer_its_codes_and_its_features_in_one_changeset(
    wells: tuple[str, dict[str, str]], keeper: FlaskClient, database: Database, settings: Settings
) -> None:
    url, fields = wells
    kind = _line(fields, "種別")
    fields |= {
        "name": "well",
        "ja": "井戸",
        "en": "Wells",
        f"{kind}name": "kind",
        "reason": "台帳の移行",
        "action": "save",
    }
    fields[f"{kind}own"] = "shallow | 浅井戸 | Shallow\ndeep | 深井戸 | Deep"
    answer = keeper.post(url, data=fields)
    assert (answer.status_code, answer.location) == (303, "/staff/layers/well"), answer.text
    with database.begin("dept_construction") as connection:
        definition = find_layer(connection, "well")
        kinds = connection.execute(text("SELECT kind, count(*) FROM layers.well GROUP BY 1 ORDER BY 1")).all()
        people = connection.execute(text("SELECT count(*) FROM layers.well_personal")).scalar_one()
        changes = connection.execute(
            text("SELECT DISTINCT c.account, c.reason FROM history.well h JOIN gis.changeset c ON c.id = h.changeset")
        ).all()
    assert (definition.owner, definition.visibility, definition.key) == ("construction", "internal", fields["key"])
    assert [tuple(row) for row in kinds] == [("deep", 5), ("shallow", 4)]
    assert people == 9
    assert [tuple(row) for row in changes] == [("kei", "台帳の移行")]
    assert "浅井戸" in keeper.get("/staff/layers/well?lang=ja").text
    assert list((settings.var_dir / "uploads").iterdir()) == [], "what has served is forgotten"


def test_rows_that_cannot_be_right_are_shown_and_left_out_only_when_ticked(
    keeper: FlaskClient, database: Database
) -> None:
    body = WELLS + "010,遠い井戸,110,浅井戸,,135.0,34.0\n"
    answer = send_file(keeper, "wells.csv", body.encode())
    page = keeper.get(answer.location, headers={"Accept-Language": "en"})
    assert "is far from Higashi-Matsushima" in page.text
    assert "遠く離れています" in keeper.get(answer.location + "?lang=ja").text
    fields = fields_of(page.text) | {"name": "well", "reason": "test", "action": "save"}
    refused = keeper.post(answer.location, data=fields)
    assert refused.status_code == 400
    with database.begin("dept_construction") as connection:
        assert "well" not in load_layers(connection), "nothing stays of a layer that failed"
        assert connection.execute(text("SELECT to_regclass('layers.well')")).scalar_one() is None
    assert keeper.post(answer.location, data={**fields, "skips_rejected": "on"}).status_code == 303


def test_another_encoding_reads_the_file_again_and_shows_what_it_gives(
    wells: tuple[str, dict[str, str]], keeper: FlaskClient
) -> None:
    url, fields = wells
    wrong = keeper.post(url, data={**fields, "encoding": "euc_jp", "action": "check"})
    assert "\ufffd" in wrong.text
    right = keeper.post(url, data={**fields_of(wrong.text), "encoding": "cp932", "action": "check"})
    assert right.status_code == 200
    assert "井戸0" in right.text


def test_swapped_positions_are_noticed(keeper: FlaskClient) -> None:
    body = "名称,経度,緯度\n丘,38.4,141.2\n山,38.41,141.21\n"
    page = keeper.get(send_file(keeper, "hills.csv", body.encode()).location)
    assert 'name="is_swapped" checked' in page.text
    assert "141.2" in json.dumps(re.findall(r'data-shapes="([^"]*)"', page.text))


def test_somebody_without_the_role_or_of_another_account_gets_nothing(
    wells: tuple[str, dict[str, str]], log_in: LogIn
) -> None:
    editor = log_in("saburo")
    assert editor.get("/staff/layers/new").status_code == 403
    assert editor.get(wells[0]).status_code == 403


def test_an_upload_belongs_to_the_one_who_sent_it(
    wells: tuple[str, dict[str, str]], owner: Engine, log_in: LogIn
) -> None:
    with owner.begin() as connection:
        roles = ("viewer", "editor", "layer_manager")
        add_account(connection, "rival", "別の課", "sewer", PASSWORD, is_demo=True, roles=roles)
    assert log_in("rival").get(wells[0]).status_code in (400, 404)


def _zip(**entries: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return body.getvalue()


def _bad_files() -> list[tuple[str, bytes, str]]:
    return [
        ("empty.csv", b"", "is empty"),
        ("setup.csv", b"MZ\x90\x00\x03\x00\x00\x00", "is no .csv file"),
        ("setup.exe", b"MZ\x90\x00", "is of no kind that is read"),
        ("fake.gpkg", b"not a database", "is no .gpkg file"),
        ("link.gml", b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>", "is no .gml file"),
        ("roads.shp", b"\x00\x00\x27\x0a" + bytes(96), "came without its .shx and .dbf"),
        ("broken.zip", b"PK\x03\x04nothing", "cannot be unpacked"),
        ("bomb.zip", _zip(**{"a.csv": bytes(310_000_000)}), "unpacks into more than"),
        ("other.zip", _zip(**{"readme.md": b"x"}), "Nothing in it can be read"),
        ("../../evil.zip", _zip(**{"../../../etc/passwd.csv": b""}), "is empty"),
    ]


def test_a_file_that_is_not_what_it_says_is_refused_and_not_kept(keeper: FlaskClient, settings: Settings) -> None:
    for name, body, message in _bad_files():
        answer = send_file(keeper, name, body)
        assert (answer.status_code, message in html.unescape(answer.text)) == (400, True), name
        assert list(settings.var_dir.glob("uploads/*")) == [], name


def test_a_file_may_be_larger_than_other_forms(keeper: FlaskClient) -> None:
    body = "名称,経度,緯度,備考\n" + "丘,141.2,38.4," + "あ" * 600_000 + "\n"
    assert send_file(keeper, "large.csv", body.encode()).status_code == 303


def test_a_table_of_addresses_says_what_it_lacks_and_lets_the_columns_be_named(keeper: FlaskClient) -> None:
    page = keeper.get(
        send_file(keeper, "crimes.csv", "罪名,町丁目,東,北\n窃盗,矢本,141.2,38.4\n".encode("cp932")).location
    )
    assert "columns for longitude and latitude" in page.text
    assert "窃盗" in page.text
    again = keeper.post(
        page.request.path,
        data={**fields_of(page.text), "lon": "東", "lat": "北", "header_line": "1", "action": "check"},
    )
    assert 'name="c0_header" value="罪名"' in again.text


def test_five_hundred_columns_are_refused_in_a_sentence(keeper: FlaskClient) -> None:
    head = ",".join(["経度", "緯度", *(f"c{n}" for n in range(500))])
    body = head + "\n" + ",".join(["141.2", "38.4", *["1"] * 500]) + "\n"
    page = keeper.get(send_file(keeper, "wide.csv", body.encode()).location)
    assert "502 columns" in page.text


def test_of_a_geopackage_with_several_tables_one_is_chosen(keeper: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "two.gpkg"
    for layer, shape in (("spots", Point(141.2, 38.4)), ("ways", LineString([(141.2, 38.4), (141.21, 38.4)]))):
        geopandas.GeoDataFrame({"title": ["a"]}, geometry=[shape], crs=6668).to_file(path, layer=layer)
    url = send_file(keeper, "two.gpkg", path.read_bytes()).location
    first = fields_of(keeper.get(url).text)
    assert (first["choice"], first["geometry"]) == ("0", "Point")
    second = fields_of(keeper.post(url, data={**first, "choice": "1", "action": "check"}).text)
    assert (second["choice"], second["geometry"]) == ("1", "MultiLineString")


def test_a_layer_is_made_without_a_file_line_by_line(keeper: FlaskClient, database: Database) -> None:
    url = "/staff/layers/new/form"
    fields = fields_of(keeper.get(url).text)
    fields |= {"name": "bench", "ja": "ベンチ", "geometry": "Point", "c0_name": "material", "c0_ja": "材質"}
    fields |= {"c0_codes": "own", "c0_own": "wood | 木 | Wood", "action": "add"}
    fields = fields_of(keeper.post(url, data=fields).text)
    assert fields["c0_ja"] == "材質"
    fields |= {"c1_name": "label", "c1_ja": "名前", "action": "up-1"}
    moved = fields_of(keeper.post(url, data=fields).text)
    assert (moved["c0_name"], moved["c1_name"], moved["c1_codes"]) == ("label", "material", "own")
    moved |= {"key": "label", "label": "label", "reason": "公園台帳", "action": "save"}
    answer = keeper.post(url, data=moved)
    assert answer.status_code == 303, answer.text
    with database.begin("dept_construction") as connection:
        definition = find_layer(connection, "bench")
    assert [attribute.name for attribute in definition.attributes] == ["label", "material"]
    codes = definition.attribute("material").codes
    assert codes is not None
    assert codes.codes[0].name("ja") == "木"


def test_a_form_that_cannot_work_keeps_what_was_written(keeper: FlaskClient) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"reason": ""}, "There is no reason"),
        ({"name": "shelter"}, "There is a layer shelter already"),
        ({"name": "Ben ch"}, "is no name"),
        ({"ja": ""}, "has no title"),
        ({"c0_name": "fid"}, "taken by the system"),
        ({"c0_type": "real", "c0_codes": "own", "c0_own": "a"}, "Only text has a code list"),
    ]
    url = "/staff/layers/new/form"
    fields = fields_of(keeper.get(url).text) | {
        "name": "bench", "ja": "ベンチ", "c0_name": "material", "c0_ja": "材質", "reason": "r", "action": "save",
    }  # fmt: skip
    for changes, message in mistakes:
        answer = keeper.post(url, data=fields | changes)
        assert (answer.status_code, message in html.unescape(answer.text)) == (400, True), message
        assert "材質" in answer.text


def test_uploads_are_removed_after_a_day(wells: tuple[str, dict[str, str]], settings: Settings) -> None:
    assert remove_old_uploads(settings) == 0
    (folder,) = (settings.var_dir / "uploads").iterdir()
    os.utime(folder, (0, 0))
    assert remove_old_uploads(settings) == 1
    assert not folder.exists()
