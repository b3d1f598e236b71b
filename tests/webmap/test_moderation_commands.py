"""`ingest moderate`: the decision of a moderator from the command line."""

from sqlalchemy import text

from tests.ingest.desk import people, person_report, post  # noqa: F401 (fixtures)
from webmap.cli import main


def test_a_moderator_decides_by_name_and_nobody_else(monkeypatch, settings, database, post, people, capsys):  # noqa: F811
    post(person_report("1"))
    monkeypatch.setattr("webmap.cli.load_settings", lambda: settings)
    assert main(["ingest", "moderate", "list", "--as", "mod"]) == 0
    fid = capsys.readouterr().out.split()[0]
    assert main(["ingest", "moderate", "publish", fid, "--as", "plain"]) == 2
    assert main(["ingest", "moderate", "reject", fid, "--as", "mod"]) == 2  # no reason
    assert main(["ingest", "moderate", "publish", fid, "--as", "mod", "--reason", "checked"]) == 0
    with database.begin("machimori_service") as connection:
        found = connection.execute(text("SELECT publication, updated_by FROM layers.incident")).one()
    assert tuple(found) == ("published", "mod")
