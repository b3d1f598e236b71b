"""`machimori layers checkout`, `checkin` and `qgis-project`, as a person types them."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import text

from gis.database import SERVICE, Database
from gis.settings import Settings
from webmap.cli import main


@pytest.fixture
def town(town_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The command line on this test's own database."""
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())
    return town_database


def test_a_file_goes_out_and_comes_back_with_its_conflicts_in_words(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "field.gpkg"
    assert main(["layers", "checkout", str(path), "--layer", "shelter", "--bbox=141,38,142,39"]) == 0
    assert "features are in" in capsys.readouterr().out
    assert main(["layers", "checkin", str(path), "--reason", "点検"]) == 0
    assert "holds no changes" in capsys.readouterr().out
    with sqlite3.connect(path) as db:
        (first, second) = (row[0] for row in db.execute("SELECT fid FROM shelter ORDER BY fid LIMIT 2"))
        db.execute("UPDATE shelter SET capacity = 77 WHERE fid IN (?, ?)", (first, second))
    with town.begin("dept_disaster") as connection:
        connection.execute(text("UPDATE layers.shelter SET capacity = 78 WHERE fid = :fid"), {"fid": first})
    assert main(["layers", "checkin", str(path), "--reason", "点検"]) == 1
    shown = capsys.readouterr().out
    assert "0 added, 1 changed, 0 deleted, 0 were so already, 1 in conflict" in shown
    assert f"shelter {first}: " in shown
    assert "is now 78" in shown
    with town.begin(SERVICE) as connection:
        query = "SELECT capacity FROM layers.shelter WHERE fid IN (:a, :b) ORDER BY fid"
        assert connection.execute(text(query), {"a": first, "b": second}).scalars().all() == [78, 77]


def test_a_file_of_somebody_else_ends_with_code_2_and_the_cure(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.gpkg"
    sqlite3.connect(path).execute("CREATE TABLE a (b)").connection.close()
    assert main(["layers", "checkin", str(path), "--reason", "x"]) == 2
    assert "layers import" in capsys.readouterr().err


def test_a_project_names_the_end_of_the_tunnel(town: Database, tmp_path: Path) -> None:
    path = tmp_path / "town.qgz"
    assert main(["layers", "qgis-project", str(path), "--host", "localhost", "--port", "15433"]) == 0
    with zipfile.ZipFile(path) as archive:
        assert "host=localhost port=15433" in archive.read("town.qgs").decode()
