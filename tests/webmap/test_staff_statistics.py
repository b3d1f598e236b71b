"""The statistics of the staff: whole for moderators and administrators, as the public's for everybody else."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from gis.accounts import add_account
from gis.database import SERVICE
from ingest.moderation import decide
from ingest.statistics import refresh_statistics
from tests.ingest.desk import PASSWORD, people, person_report, post  # noqa: F401 (fixtures)
from tests.ingest.test_statistics import _add
from tests.webmap.conftest import csrf_token


@pytest.fixture
def enter(app, people, owner):  # noqa: F811
    with owner.begin() as connection:
        add_account(connection, "keeper", "keeper", "sewer", PASSWORD, is_demo=True, roles=("administrator",))

    def run(name):
        client = app.test_client()
        token = csrf_token(client.get("/staff/login").text)
        answer = client.post("/staff/login", data={"name": name, "password": PASSWORD, "csrf_token": token})
        assert answer.status_code == 302
        return client

    return run


def test_moderators_and_administrators_read_whole_numbers_and_all_others_what_the_public_reads(
    enter,
    client,
    database,
    post,  # noqa: F811
):
    _add(database, 3, "a", quarter="大曲")
    _add(database, 40, "c", quarter="赤井")
    post(person_report("1"), person_report("2", place=(141.19, 38.42)))
    with database.begin(SERVICE) as connection:
        refresh_statistics(connection)
        fid = connection.execute(text("SELECT min(fid) FROM layers.incident WHERE event_key LIKE 'event:%'")).scalar()
    with database.begin("dept_disaster", account="mod") as connection:
        decide(connection, fid, 1, "published", "checked")
    query = "?kind=crime&year=2025"
    public = client.get(f"/statistics.json{query}").json["tables"]
    assert public["quarter"] == {"大曲": None, "赤井": None}
    for name, is_whole in (("mod", True), ("keeper", True), ("plain", False), ("sewerman", False)):
        desk = enter(name)
        tables = desk.get(f"/staff/statistics.json{query}").json["tables"]
        assert tables["quarter"] == ({"大曲": 3, "赤井": 40} if is_whole else public["quarter"]), name
        page = desk.get(f"/staff/statistics{query}&lang=en").text
        assert ("whole numbers" in page) is is_whole, name
        assert (",大曲,3" in desk.get(f"/staff/statistics.csv{query}").text) is is_whole, name
    page = enter("mod").get("/staff/statistics?year=2026&lang=en").text
    assert "Nine of ten within" in page and "The oldest came" in page
    # The database holds it, not the page: neither the table nor the functions give more.
    denied = pytest.raises(ProgrammingError, match="permission denied")
    with denied, database.begin("dept_disaster", account="plain") as connection:
        connection.execute(text("SELECT * FROM ingest.statistic"))
    for role, account in (("dept_disaster", "plain"), ("dept_sewer", "sewerman")):
        with database.begin(role, account=account) as connection:
            for call in ("all_statistics('crime', 2025)", "response_times(2026)", "waiting_incidents()"):
                assert connection.execute(text(f"SELECT * FROM gis.{call}")).all() == []
