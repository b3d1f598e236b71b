"""Planted secrets are searched in everything that a citizen, a viewer or another department can read or ask."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gis.database import SERVICE
from gis.town import load_town
from ingest.documents import read_body
from ingest.latest_fold import fold_latest
from ingest.privacy import Cell
from ingest.processing import receive
from ingest.reports import Place, Private, Rejected, Report
from ingest.shown_place import choose_shown, keep_shown
from ingest.source import Source
from ingest.summary import RunSummary
from layers.catalogue import find_layer
from layers.past import render_tile_at
from layers.tiles import render_tile

LON, LAT = 141.21053971, 38.43051973
SECRETS = ("タケノウチ", "090-1234-5678", "上河戸36", "141.2105397", "38.4305197", "ひみつの特徴")


@pytest.fixture
def planted(database, monkeypatch):
    """One published incident of a person, full of secrets, from a parser that forgot to hide anything."""
    source = Source("police", "県警", lambda body, town: records, {"suspicious_person": fold_latest}, is_private=True)
    monkeypatch.setattr("ingest.processing.find_source", lambda name: source)
    said_at = datetime.now(UTC) - timedelta(hours=2)
    said = "タケノウチさん（090-1234-5678）宅、矢本字上河戸36番地の1付近で声をかけられた"
    facts = {"category": "声かけ", "place_name": "矢本", "lon": LON, "lat": LAT, "accuracy_m": 10.0, "note": said,
             "parts": [{"more": said}]}  # fmt: skip
    common = {
        "telegram": "mail", "kind": "suspicious_person", "status": "Actual", "action": "issue", "serial": None,
        "reported_at": said_at, "controlled_at": said_at, "office": "石巻署", "headline": said, "text": said,
        "facts": facts, "concerns_town": True,
    }  # fmt: skip
    private = Private(Place(LON, LAT, 10, "上河戸36"), "上河戸36", said, {"features": "ひみつの特徴"})
    records = [
        Report(source_id="1", event_key="police:1", **common, private=private),
        Report(source_id="2", event_key="police:2", **common),
        Rejected("line 3", said),
    ]
    with database.begin("dept_planning") as connection:
        connection.execute(
            text("INSERT INTO layers.address (geom, households, town) SELECT"
                 " ST_SetSRID(ST_MakePoint(:lon, :lat), 6668), 1, '矢本' FROM generate_series(1, 9)"),
            {"lon": LON + 0.0002, "lat": LAT + 0.0002},
        )  # fmt: skip
    receive(database, source, "push", "mail of タケノウチ", read_body([said.encode()], 1_000_000), RunSummary())
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'published'"))
        (fid,) = connection.execute(text("SELECT min(fid) FROM layers.incident")).one()
    return fid


def _readable(connection, schemas=None):
    """Every relation of which the running role may read a column, as it stands in an SQL text."""
    query = text(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'v', 'm', 'p') AND has_schema_privilege(n.oid, 'USAGE')"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'public') AND has_table_privilege(c.oid, 'SELECT')"
        " AND (CAST(:schemas AS text[]) IS NULL OR n.nspname = ANY(:schemas)) ORDER BY 1"
    )
    return list(connection.execute(query, {"schemas": schemas}).scalars())


def _leaks(connection, relations):
    found = []
    for relation in relations:
        body = str(connection.execute(text(f"SELECT to_jsonb(t)::text FROM {relation} t")).all())
        found += [(relation, secret) for secret in SECRETS if secret in body]
    return found


def test_no_view_table_tile_or_timeline_gives_a_citizen_a_secret(database, planted):
    with database.begin("citizen") as connection:
        relations = _readable(connection)
        assert "open.incident" in relations and not [
            r for r in relations if r.startswith(("ingest.", "history.", "layers."))
        ]
        assert _leaks(connection, relations) == []
        rows = connection.execute(text("SELECT * FROM open.timeline(:fid)"), {"fid": planted}).all()
        assert rows and not [secret for secret in SECRETS if secret in str(rows)]
        shown = connection.execute(
            text("SELECT fid, accuracy_m, ST_XMax(geom) - ST_XMin(geom) AS width, place_name FROM open.incident")
        ).all()
        assert {(round(row.width * 3600, 3), row.place_name) for row in shown} == {(11.25, "矢本")}
        assert {row.accuracy_m for row in shown} == {round(row.accuracy_m) for row in shown}


def test_no_tile_of_today_or_of_the_past_draws_the_place(database, planted):
    with database.begin(SERVICE) as connection:
        definition = find_layer(connection, "incident")
        z, x, y = 15, int((LON + 180) / 360 * 2**15), 12589
        tiles = [render_tile(connection, "incident", z, x, row) for row in range(y - 4, y + 4)]
        past = [
            render_tile_at(connection, definition, z, x, row, datetime.now(UTC) + timedelta(minutes=1))
            for row in range(y - 4, y + 4)
        ]
    assert any(tiles) and any(past)
    everything = b"".join([*map(bytes, tiles), *past])
    assert not [secret for secret in SECRETS if secret.encode() in everything]


def test_a_withdrawn_incident_is_gone_from_the_tiles_of_the_past(database, planted):
    seen_at = datetime.now(UTC)
    with database.begin(SERVICE) as connection:
        connection.execute(text("UPDATE layers.incident SET publication = 'held'"))
    with database.begin(SERVICE) as connection:
        definition = find_layer(connection, "incident")
        x = int((LON + 180) / 360 * 2**15)
        past = [render_tile_at(connection, definition, 15, x, row, seen_at) for row in range(12585, 12593)]
    assert not any(past)


@pytest.mark.parametrize(
    "role", ["dept_planning", "dept_disaster", "dept_disaster_viewer", "machimori_gate", "machimori_admin"]
)
def test_of_the_roles_of_the_town_none_reads_a_secret_without_being_moderator(database, planted, role, owner):
    with owner.begin() as connection:
        connection.execute(text(f'SET LOCAL ROLE "{role}"'))
        connection.execute(text("SELECT set_config('machimori.account', 'nobody', true)"))
        relations = _readable(connection, ["open", "layers", "history", "ingest", "alerts", "gis"])
        leaks = _leaks(connection, relations)
    assert leaks == []


def test_no_direct_login_becomes_service_owner_or_moderator(owner):
    """Whoever logs in by name is machimori_person and a department; reads_private asks for the account's role."""
    query = text(
        "SELECT r.rolname FROM pg_roles r WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname <> 'machimori_app'"
        " AND (pg_has_role(r.oid, 'machimori_service', 'MEMBER') OR pg_has_role(r.oid, 'citizen', 'MEMBER')"
        "      OR pg_has_role(r.oid, 'machimori_owner', 'MEMBER'))"
    )
    with owner.begin() as connection:
        assert list(connection.execute(query).scalars()) == []


def test_citizens_cannot_make_a_function_that_looks_beneath_a_view(database):
    """So the views need no barrier, which would keep tiles from using the spatial index."""
    made = (
        "CREATE FUNCTION open.peep(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE FUNCTION public.peep(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "CREATE TABLE open.peep (a int)",
    )
    for statement in made:
        with pytest.raises(DBAPIError, match="permission denied"), database.begin("citizen") as connection:
            connection.execute(text(statement))


def test_functions_of_the_schema_open_are_known_and_none_searches_where_others_write(owner):
    query = text(
        "SELECT p.proname, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname IN ('open', 'ingest', 'gis', 'alerts') AND p.prosecdef"
    )
    with owner.begin() as connection:
        functions = connection.execute(query).all()
    assert functions
    assert [f.proname for f in functions if not any("search_path=" in c for c in f.proconfig or [])] == []


def test_houses_built_later_narrow_no_area_and_houses_gone_widen_it(database, planted):
    query = text("SELECT ST_XMax(geom) - ST_XMin(geom) FROM layers.incident WHERE fid = :fid")
    with database.begin(SERVICE) as connection:
        width = connection.execute(query, {"fid": planted}).scalar_one()
    assert round(width * 3600, 2) == 11.25
    with database.begin("dept_planning") as connection:
        connection.execute(
            text("UPDATE layers.address SET households = 0 WHERE fid > (SELECT min(fid) FROM layers.address)")
        )
    with database.begin(SERVICE) as connection:
        widened = choose_shown(connection, planted, (LON, LAT), 10.0, "矢本", load_town())
    assert widened.shown.rule == "town"
    with database.begin(SERVICE) as connection:
        keep_shown(connection, planted, widened)
    with database.begin("dept_planning") as connection:
        connection.execute(text("UPDATE layers.address SET households = 5"))
    with database.begin(SERVICE) as connection:
        assert choose_shown(connection, planted, (LON, LAT), 10.0, "矢本", load_town()).shown.rule == "town"


def test_a_place_told_again_a_few_steps_away_shows_no_second_cell_beside_the_first(database, planted):
    """Who sees the area jump from one cell to the next knows that it happened at the edge between them."""
    town, west = load_town(), Cell.of(LON, LAT, 250).bounds[0]
    here, there = (west + 0.0001, LAT), (west - 0.0001, LAT)  # 17 m
    house = text("INSERT INTO layers.address (geom, households, town)"
                 " VALUES (ST_SetSRID(ST_MakePoint(:lon, :lat), 6668), 9, '矢本')")  # fmt: skip
    with database.begin("dept_planning") as connection:
        for lon, lat in (here, there):
            connection.execute(house, {"lon": lon, "lat": lat})
    with database.begin(SERVICE) as connection:
        first = choose_shown(connection, None, here, 10.0, "矢本", town)
        keep_shown(connection, 999, first)
        again = choose_shown(connection, 999, there, 10.0, "矢本", town)
        assert choose_shown(connection, None, there, 10.0, "矢本", town).shown != first.shown
        assert again == first
        # A correction that names another place is one.
        elsewhere = choose_shown(connection, 999, (west - 0.004, LAT), 10.0, "矢本", town)
        assert elsewhere.shown != first.shown
