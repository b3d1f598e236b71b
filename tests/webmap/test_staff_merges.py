"""The history says which values came together by themselves, and tells a large changeset page by page."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.database import Database
from gis.queries import load_queries
from layers import history
from layers.changes import Insert, Update
from layers.definition import load_definitions
from layers.editing import apply_changes
from layers.parts import feature_part
from tests.layers.personal_layer import make_household_layer
from tests.webmap.test_staff_history import POINT, LogIn, words_of
from webmap.staff import history as pages


def apply(connection: Connection, layer: str, *changes: Any, reason: str = "試験") -> Any:
    return apply_changes(connection, load_definitions()[layer], list(changes), reason)


def test_what_merged_by_itself_is_told_at_the_changeset_and_at_the_feature(log_in: LogIn, database: Database) -> None:
    with database.begin("dept_disaster", "hanako") as connection:
        (fid,) = apply(connection, "evacuation_site", Insert({"site_id": "a", "name": "丘"}, POINT)).inserted
    with database.begin("dept_disaster", "jiro") as connection:
        apply(connection, "evacuation_site", Update(fid, 1, {"note": "次郎"}))
    with database.begin("dept_disaster", "hanako") as connection:
        made = apply(connection, "evacuation_site", Update(fid, 1, {"capacity": 7}))
        plain = apply(connection, "evacuation_site", Update(fid, 3, {"capacity": 8}))
    client = log_in("saburo")
    told = "Merged by itself with version 2. Kept from others: Note. Set here: Capacity."
    for page in (f"changesets/{made.changeset}", f"layers/evacuation_site/features/{fid}"):
        assert told in words_of(client.get(f"/staff/{page}?lang=en").text), page
    assert plain.merged == ()
    assert "自動的に統合" in words_of(client.get(f"/staff/changesets/{made.changeset}?lang=ja").text)


def test_who_may_not_see_personal_attributes_does_not_learn_which_of_them_merged(
    log_in: LogIn, database: Database, owner: Engine
) -> None:
    layer = make_household_layer(owner, "disaster")

    def change(account: str, *changes: Any) -> Any:
        with database.begin("dept_disaster", account) as connection:
            return apply_changes(connection, layer, list(changes), "試験")

    (fid,) = change("hanako", Insert({"number": "7", "resident": "花子", "phone": "1"}, POINT)).inserted
    change("jiro", Update(fid, 1, {"floors": 2, "phone": "2"}, base_personal_version=1))
    made = change("hanako", Update(fid, 1, {"resident": "太郎"}, base_personal_version=1))
    assert made.merged[0].theirs == ("floors", "phone")
    page = f"/staff/changesets/{made.changeset}?lang=en"
    assert "Kept from others: Telephone. Set here: Resident." in words_of(log_in("jiro").get(page).text)
    words = words_of(log_in("saburo").get(page).text)
    feature = words_of(log_in("saburo").get(f"/staff/layers/household/features/{fid}?lang=en").text)
    for secret in ("Telephone", "Resident", "太郎"):
        assert secret not in words + feature


def test_nobody_writes_into_the_story_of_another_changeset(database: Database, owner: Engine) -> None:
    with database.begin("dept_disaster", "hanako") as connection:
        made = apply(connection, "evacuation_site", Insert({"site_id": "a", "name": "丘"}, POINT))
    forged = text("INSERT INTO gis.merged_edit VALUES (:id, 'evacuation_site', 1, 1, 2, '{name}', '{name}')")
    with pytest.raises(ProgrammingError, match="row-level security"), database.begin("dept_disaster", "jiro") as c:
        c.execute(forged, {"id": made.changeset})
    for statement in ("UPDATE gis.merged_edit SET fid = 2", "DELETE FROM gis.merged_edit"):
        with pytest.raises(ProgrammingError, match="permission denied"), database.begin("dept_disaster", "jiro") as c:
            c.execute(text(statement))


def test_a_changeset_is_told_page_by_page_each_feature_once(
    log_in: LogIn, database: Database, owner: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = make_household_layer(owner, "disaster")
    with database.begin("dept_disaster", "hanako") as connection:
        rows = [Insert({"number": f"n{at}", "resident": f"住民{at}"}, POINT) for at in range(5)]
        made = apply_changes(connection, layer, rows, "試験")
        apply(connection, "evacuation_site", Insert({"site_id": "a", "name": "丘"}, POINT))
    monkeypatch.setattr(pages, "_MOST_DELTAS", 4)
    client, seen = log_in("jiro"), []
    url = f"/staff/changesets/{made.changeset}?lang=en"
    for _ in range(3):
        page = client.get(url).text
        seen.append(page.count('<li class="card">'))
        url = f"/staff/changesets/{made.changeset}" + page.partition('<p><a href="?')[2].partition('"')[0].join(
            ("?", "")
        )
        url = url.replace("&amp;", "&")
        if "Next page" not in page:
            break
    assert seen == [4, 4, 3], "5 households, their 5 personal parts, one site"
    for nonsense in ("x", "x:1", "household:x", "household:99999999999999999999", ":"):
        assert client.get(f"/staff/changesets/{made.changeset}?after={nonsense}").status_code == 200
    with database.begin("dept_disaster") as connection:
        pages_of_two = []
        after = None
        while found := history.changeset_contents(connection, made.changeset, 2, after):
            pages_of_two += found
            after = (found[-1].table, found[-1].fid)
        assert pages_of_two == history.changeset_contents(connection, made.changeset)


def test_a_layers_history_steps_over_the_rows_of_an_import(database: Database, owner: Engine) -> None:
    with database.begin("dept_disaster", "hanako") as connection:
        connection.execute(
            text(
                "INSERT INTO layers.evacuation_site (geom, site_id, name)"
                " SELECT ST_Point(141, 38, 6668), n::text, n::text"
                " FROM generate_series(1, 20000) n"
            )
        )
    layer = load_definitions()["evacuation_site"]
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE history.evacuation_site"))
        query = feature_part(layer).compose("EXPLAIN (ANALYZE, FORMAT JSON) " + _layer_history())
        cursor = connection.connection.cursor()
        cursor.execute(query, {"before": None, "limit": 50})
        (plan,) = cursor.fetchone()[0]
    assert _rows_read(plan["Plan"]) < 10, plan


def _layer_history() -> str:
    return load_queries(history.__file__).sql("layer_history")


def _rows_read(node: dict[str, Any]) -> float:
    own = node["Actual Rows"] * node["Actual Loops"] if "Index Name" in node or "Relation Name" in node else 0
    return float(own + node.get("Rows Removed by Filter", 0)) + sum(map(_rows_read, node.get("Plans", [])))
