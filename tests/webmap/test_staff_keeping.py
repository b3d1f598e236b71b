"""The pages on which whoever keeps a layer changes its attributes, style and settings."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from gis.database import Database
from layers.catalogue import change_layer, create_layer, find_layer, sync
from layers.changes import Insert
from layers.definition import Definition, parse_definition
from layers.editing import apply_changes
from layers.reshaping import change_settings
from tests.layers.keepers import PASSWORD, add_person
from tests.layers.test_reshaping import PLACE, SEAT

INTERNAL = {**SEAT, "visibility": "internal"}
PAGES = ("attributes", "style", "settings")
ALL = "/staff/layers/bench_seat"


@pytest.fixture
def seat(database: Database, owner: Engine) -> Definition:
    definition = parse_definition(INTERNAL, "bench_seat")
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        create_layer(connection, definition)
    with database.begin("dept_planning", "mori", "新設") as connection:
        seats = [
            Insert({"number": str(n), "material": "木石鉄"[n % 3], "width_cm": 100 + n, "donor": "山田花子"}, PLACE)
            for n in range(12)
        ]
        apply_changes(connection, definition, seats, "新設")
    return definition


def enter(client: FlaskClient, name: str) -> FlaskClient:
    page = client.get("/staff/login?lang=en").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    client.post("/staff/login", data={"name": name, "password": PASSWORD, "csrf_token": token[1]})
    return client


@pytest.fixture
def keeper(client: FlaskClient, owner: Engine, seat: Definition) -> FlaskClient:
    return enter(client, add_person(owner))


def send(client: FlaskClient, page: str, **fields: str) -> tuple[int, str]:
    """Send a form of a page, with the hidden fields of the page as it is; return status and what is read then."""
    shown = client.get(f"{ALL}/{page}?lang=en").text
    hidden = {name: re.search(rf'name="{name}" value="([^"]+)"', shown) for name in ("csrf_token", "seen")}
    values = {name: found[1] for name, found in hidden.items() if found}
    answer = client.post(f"{ALL}/{page}", data={**values, "reason": "見直し", **fields}, follow_redirects=True)
    return answer.status_code, unescape(re.sub(r"\s+", " ", answer.text))


def stored(database: Database) -> Definition:
    with database.begin("dept_planning") as connection:
        return find_layer(connection, "bench_seat")


NEW = {"action": "add", "name": "colour", "type": "text", "ja": "色", "en": "Colour"}
RULES = {"action": "change", "attribute": "material", "ja": "材質", "en": "Material", "drawn": "on"}


@pytest.mark.parametrize(
    ("department", "roles"),
    [("planning", ("viewer",)), ("planning", ("editor",)), ("sewer", ("editor", "layer_manager"))],
)
def test_who_does_not_keep_the_layer_sees_no_form_and_sends_none(
    client: FlaskClient, owner: Engine, database: Database, seat: Definition, department: str, roles: tuple[str, ...]
) -> None:
    enter(client, add_person(owner, "tanaka", department, roles))
    layer_page = client.get(ALL)
    assert layer_page.status_code == 200 and "/settings" not in layer_page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', layer_page.text)
    assert token
    for page in PAGES:
        assert client.get(f"{ALL}/{page}").status_code == 403
        data = {"csrf_token": token[1], "action": "retire", "attribute": "width_cm", "reason": "x"}
        assert client.post(f"{ALL}/{page}", data=data).status_code == 403
    assert stored(database) == seat


def test_attributes_are_added_changed_renamed_retired_and_taken_up_again(
    keeper: FlaskClient, database: Database
) -> None:
    assert send(keeper, "attributes", **NEW)[0] == 200
    assert not stored(database).attribute("colour").public, "nothing new is public unless somebody says so"
    codes = {**RULES, "attribute": "colour", "ja": "色彩", "codes": "own", "own": "赤 | 赤 | Red\n青 | 青 | Blue"}
    assert send(keeper, "attributes", **codes)[0] == 200
    colour = stored(database).attribute("colour")
    assert colour.codes is not None and colour.codes.values == ("赤", "青") and colour.drawn
    assert send(keeper, "attributes", action="rename", attribute="colour", new_name="paint")[0] == 200
    assert send(keeper, "attributes", action="retire", attribute="paint")[0] == 200
    assert [one.name for one in stored(database).retired] == ["paint"]
    for path in (f"{ALL}/edit", ALL, f"{ALL}/download.geojson"):
        assert "paint" not in keeper.get(path).text, path
    assert send(keeper, "attributes", action="restore", attribute="paint")[0] == 200
    assert stored(database).attribute("paint").codes is not None


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({**NEW, "name": "material"}, "The name material is taken"),
        ({**NEW, "name": "Not A Name"}, "is no name"),
        ({**NEW, "ja": ""}, "no label"),
        ({**NEW, "default": "$$"}, "sign $"),
        ({**RULES, "codes": "own", "own": "竹"}, "12 features have a value of material that is not in the code list."),
        ({**RULES, "pattern": "["}, "pattern"),
        ({**RULES, "attribute": "width_cm", "minimum": "abc"}, "is no number"),
        ({**RULES, "attribute": "width_cm", "minimum": "105", "ja": "幅"}, "5 features have a value of width_cm below"),
        ({"action": "retire", "attribute": "number"}, "number is the key"),
        ({"action": "retire", "attribute": "material"}, "Change the style first"),
        ({"action": "rename", "attribute": "material", "new_name": "fid"}, "taken by the system"),
        ({"action": "nothing", "attribute": "nothing"}, "There is no attribute nothing"),
        ({"action": "retire", "attribute": "width_cm", "reason": ""}, "reason is missing"),
        ({"action": "retire", "attribute": "width_cm", "seen": "0"}, "somebody changed its definition meanwhile"),
    ],
)
def test_what_cannot_be_is_refused_in_words_and_changes_nothing(
    keeper: FlaskClient, database: Database, seat: Definition, fields: dict[str, str], words: str
) -> None:
    status, page = send(keeper, "attributes", **fields)
    assert (status, words in page) == (400, True), re.findall(r'role="alert">(.*?)</div>', page)
    assert stored(database) == seat


def test_a_layer_becomes_public_only_when_somebody_has_seen_what_citizens_will_read(
    keeper: FlaskClient, database: Database, client: FlaskClient
) -> None:
    fields = {
        "title_ja": "ベンチ",
        "title_en": "Benches",
        "key": "number",
        "visibility": "public",
        "licence": "CC BY 4.0",
    }
    status, page = send(keeper, "settings", **fields)
    alert = re.findall(r'role="alert">(.*?)</div>', page)[0]
    assert (status, "Material" in alert, not stored(database).is_public) == (200, True, True)
    assert "Never shown, because personal: Donor" in alert
    assert send(keeper, "settings", **fields, confirmed="on")[0] == 200
    assert (stored(database).is_public, stored(database).licence) == (True, "CC BY 4.0")
    with database.begin("citizen") as connection:
        found = connection.execute(text("SELECT * FROM open.bench_seat LIMIT 1")).mappings().one()
        assert "donor" not in found
    assert send(keeper, "settings", action="retire")[0] == 200
    with database.begin("citizen") as connection:
        assert connection.execute(text("SELECT to_regclass('open.bench_seat')")).scalar_one() is None
    assert keeper.get("/tiles/bench_seat/0/0/0.mvt").status_code == 404
    assert "Out of use (1)" in keeper.get("/staff/layers?lang=en").text
    assert send(keeper, "settings", action="restore")[0] == 200
    assert send(keeper, "settings", action="delete")[0] == 400, "it has held features"


def test_a_style_by_values_or_ranges_is_proposed_previewed_saved_and_taken_back(
    keeper: FlaskClient, database: Database
) -> None:
    base = {"color": "#0072b2", "fill": "#0072b2", "width": "2", "symbol": "square", "label": "material"}
    status, page = send(
        keeper, "style", action="classes", class_by="width_cm", how="quantile", count="3", palette="blues", **base
    )
    assert (status, page.count("<legend>")) == (200, 4)
    assert stored(database).style.by == "", "a proposal saves nothing"
    rows = {
        "by": "material",
        "classes": "2",
        "c0_value": "木", "c0_color": "#d55e00", "c0_fill": "#d55e00", "c0_width": "2", "c0_symbol": "star",
        "c1_value": "石", "c1_color": "#009e73", "c1_fill": "#009e73", "c1_width": "2", "c1_symbol": "circle",
    }  # fmt: skip
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    answer = keeper.post(f"{ALL}/style/preview?lang=en", data={**base, **rows, "csrf_token": token[1]})
    assert answer.json is not None and [rule["value"] for rule in answer.json["spec"]["rules"]] == ["木", "石"]
    assert "木" in answer.json["legend"]
    bad = keeper.post(f"{ALL}/style/preview", data={**base, **rows, "c0_color": "red", "csrf_token": token[1]})
    assert bad.status_code == 400
    assert send(keeper, "style", action="save", **base, **rows)[0] == 200
    style = stored(database).style
    assert (style.by, style.symbol, [one.color for one in style.classes]) == (
        "material",
        "square",
        ["#d55e00", "#009e73"],
    )
    assert send(keeper, "style", action="save", **base, min_zoom="14", max_zoom="10")[0] == 400
    assert send(keeper, "style", action="classes", class_by="donor", **base)[0] == 400, "nothing personal on the map"
    assert send(keeper, "style", action="reset")[0] == 200
    assert stored(database).style.by == ""


def test_a_shipped_style_comes_back_and_the_departments_own_outlives_a_migration(
    keeper: FlaskClient, database: Database, owner: Engine, seat: Definition
) -> None:
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        sync(connection, {"bench_seat": seat})
    save = {"action": "save", "color": "#d55e00", "fill": "#d55e00", "width": "3", "symbol": "star", "label": "number"}
    assert send(keeper, "style", **save)[0] == 200
    with owner.begin() as connection:
        connection.execute(text("SET LOCAL ROLE machimori_owner"))
        assert sync(connection, {"bench_seat": seat}) == []
    assert stored(database).style.symbol == "star"
    assert send(keeper, "style", action="reset")[0] == 200
    assert stored(database).style == seat.style


def test_a_preview_tile_has_no_personal_attribute_however_it_is_asked(keeper: FlaskClient, seat: Definition) -> None:
    tile = keeper.get("/staff/tiles/bench_seat/0/0/0.mvt?draw=width_cm,donor,nonsense")
    assert tile.status_code == 200 and b"width_cm" in tile.data
    assert b"donor" not in tile.data and "山田花子".encode() not in tile.data


def test_the_catalogue_counts_large_layers_by_the_statistics(
    keeper: FlaskClient, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layers.catalogue.MOST_COUNTED", 10)
    assert "about 12" in unescape(re.sub(r"\s+", " ", keeper.get(f"{ALL}?lang=en").text))
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE layers.bench_seat"))
    page = keeper.get("/staff/layers?lang=en").text
    assert "about 12" in unescape(re.sub(r"\s+", " ", page))
    assert "141.2000" in page


def test_a_retired_layer_takes_no_changes_out_of_the_history(
    database: Database, owner: Engine, seat: Definition
) -> None:
    person = add_person(owner)
    with database.begin("dept_planning", person, "廃止") as connection:
        change_layer(connection, seat, change_settings(seat, {"is_retired": True}))
    with database.begin("dept_planning") as connection:
        assert connection.execute(text("SELECT count(*) FROM history.bench_seat")).scalar_one() == 12
