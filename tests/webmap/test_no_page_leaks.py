"""Planted secrets are searched in every page that needs no login; a new page is among them by itself."""

from __future__ import annotations

from itertools import product

from sqlalchemy import text

from gis.database import SERVICE
from gis.languages import LANGUAGES
from ingest.statistics import refresh_statistics
from tests.ingest.test_nothing_leaks import LON, SECRETS, planted  # noqa: F401 (fixture)

_TILE = {"layer": ["incident"], "z": [15], "x": [int((LON + 180) / 360 * 2**15)], "y": list(range(12585, 12594))}
# What is asked of every page that looks at its query at all; `{kind}` fits the statistics.
_QUERIES = ("", "&kind=suspicious_person", "&q=タケノウチ", "&lat=38.4305197&lon=141.2105397")


def _addresses(app, fid):
    """Every address that answers to GET without a login, its variables filled with what was planted."""
    values = {"fid": [fid, fid + 1], "filename": ["machimori.css"], **_TILE}
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.rule.startswith("/staff"):
            continue
        names = sorted(rule.arguments)
        for chosen in product(*(values.get(name, [1]) for name in names)):
            with app.test_request_context():
                yield (
                    rule.endpoint,
                    app.url_map.bind("localhost").build(rule.endpoint, dict(zip(names, chosen, strict=True))),
                )


def test_no_page_that_needs_no_login_says_a_planted_word(app, client, database, planted):  # noqa: F811
    with database.begin(SERVICE) as connection:
        refresh_statistics(connection)
    statuses, leaks = {}, []
    for endpoint, address in _addresses(app, planted):
        for language, query in product(LANGUAGES, _QUERIES if "tile" not in endpoint else ("",)):
            if endpoint == "static" and language != "en":
                continue
            answer = client.get(f"{address}?lang={language}{query}")
            said = answer.get_data().decode("utf-8", "replace") + str(answer.headers)
            # What the reader typed may be repeated to this reader alone.
            typed = query.split("=", 1)[-1] if query else ""
            leaks += [
                (address, language, query, secret) for secret in SECRETS if secret in said and secret not in typed
            ]
            statuses.setdefault(address, set()).add(answer.status_code)
    assert leaks == []
    seen = {address for address, codes in statuses.items() if codes == {200}}
    wanted = {"/", "/list", f"/incidents/{planted}", f"/incidents/{planted}.geojson", "/feeds/incidents.geojson"}
    assert wanted | {"/feeds/incidents.atom", "/statistics", "/statistics.csv"} <= seen, "the pages must speak at all"
    assert "声かけ" in client.get(f"/incidents/{planted}").text or "矢本" in client.get(f"/incidents/{planted}").text
    assert not [address for address, codes in statuses.items() if any(code >= 500 for code in codes)]


def test_a_citizen_may_read_no_column_outside_the_schema_open(database):
    query = text(
        "SELECT table_schema || '.' || table_name || '.' || column_name FROM information_schema.column_privileges"
        " WHERE privilege_type = 'SELECT' AND table_schema NOT IN ('pg_catalog', 'information_schema')"
    )
    private = {
        "original",
        "details",
        "place_text",
        "position",
        "contact",
        "secret",
        "token",
        "email",
        "password",
    }
    # What layers there are (their definitions), which migration stands, and PostGIS's own lists; nothing of a person.
    known = {
        "gis.layer", "public.schema_version", "public.geometry_columns", "public.geography_columns",
        "public.spatial_ref_sys",
    }  # fmt: skip
    with database.begin("citizen") as connection:
        columns = [name.split(".") for name in connection.execute(query).scalars()]
    assert [column for column in columns if column[0] == "open"]
    outside = {".".join(column[:2]) for column in columns if column[0] != "open"}
    assert outside <= known
    assert [column for column in columns if column[2] in private] == []
    internal = {"needs_review", "created_by", "updated_by"}
    assert [column for column in columns if column[1] == "incident" and column[2] in internal] == []
