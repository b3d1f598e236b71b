"""`machimori layers`, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gis.database import Database
from gis.settings import Settings
from webmap.cli import main


@pytest.fixture
def town(town_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The command line on this test's own database."""
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", settings.owner_url())
    monkeypatch.setenv("MACHIMORI_APP_DATABASE_URL", settings.app_url())
    return town_database


def _site(path: Path, lon: float) -> Path:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, 38.4]},
        "properties": {"共通ID": "E1", "施設・場所名": "本物の丘", "見知らぬ列": "x"},
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def test_import_says_what_it_did_and_what_it_did_not_use(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(_site(tmp_path / "s.geojson", 141.2))
    assert main(["layers", "import", path, "--layer", "evacuation_site", "--dry-run"]) == 0
    assert "1 would be inserted" in capsys.readouterr().out
    assert main(["layers", "import", path, "--layer", "evacuation_site"]) == 0
    out = capsys.readouterr().out
    assert "1 inserted, 0 updated, 0 unchanged" in out
    assert "60 demonstration features were removed" in out
    assert "見知らぬ列" in out
    assert main(["layers", "import", path, "--layer", "evacuation_site"]) == 0
    assert "0 inserted, 0 updated, 1 unchanged" in capsys.readouterr().out


def test_a_refused_file_ends_with_code_2_and_the_cure(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(_site(tmp_path / "s.geojson", 138.3))
    assert main(["layers", "import", path, "--layer", "evacuation_site"]) == 2
    error = capsys.readouterr().err
    assert "row 1, position" in error
    assert "--anywhere" in error
    assert "Traceback" not in error


def test_add_list_show_export_and_check_go_together(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = str(_site(tmp_path / "s.geojson", 141.2)), tmp_path / "out.csv"
    assert main(["layers", "add", source, "--name", "hill", "--owner", "school", "--title", "丘"]) == 0
    assert "made the layer hill (Point, internal, edited by school)" in capsys.readouterr().out
    assert main(["layers", "list"]) == 0
    assert "hill\t丘\tPoint\tinternal\tschool\t1 features" in capsys.readouterr().out
    assert main(["layers", "show", "hill"]) == 0
    assert "見知らぬ列" in capsys.readouterr().out
    assert main(["layers", "export", "hill", str(target), "--bbox=141,38,142,39"]) == 0
    assert "本物の丘" in target.read_text(encoding="utf-8-sig")
    assert main(["layers", "check"]) == 0
    assert "hill: all agrees" in capsys.readouterr().out


@pytest.mark.parametrize("box", ["141,38", "142,38,141,39", "a,b,c,d"])
def test_a_box_that_is_none_is_refused(
    town: Database, tmp_path: Path, box: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layers", "export", "shelter", str(tmp_path / "s.csv"), f"--bbox={box}"]) == 2
    assert "--bbox" in capsys.readouterr().err


def test_a_guess_is_printed_as_toml_corrected_and_given_back(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wells.csv"
    path.write_bytes("名称,口径(mm),備考,経度,緯度\n井戸,100,x,141.2,38.4\n泉,不明,y,141.21,38.4\n".encode("cp932"))
    add = ["layers", "add", str(path), "--name", "well", "--owner", "construction", "--encoding", "cp932"]
    assert main([*add, "--set", "備考:take=no", "--set", "口径(mm):type=integer", "--dry-run"]) == 0
    toml = capsys.readouterr().out
    (tmp_path / "well.toml").write_text(toml.replace('ja = "口径"', 'ja = "内径"'), encoding="utf-8")
    given = [*add, "--definition", str(tmp_path / "well.toml")]
    assert main(given) == 2
    assert "is no number" in capsys.readouterr().err
    assert main([*given, "--skip-rejected"]) == 0
    out = capsys.readouterr().out
    assert "内径\tinteger mm" in out
    assert "1 inserted" in out
    assert "1 rows were left out" in out
    assert main(["layers", "show", "well"]) == 0
    assert "備考" not in capsys.readouterr().out


def test_a_correction_of_nothing_and_a_column_of_nothing_are_refused(
    town: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wells.csv"
    path.write_text("名称,経度,緯度\n井戸,141.2,38.4\n", encoding="utf-8")
    for wrong in ("深さ:type=real", "名称:colour=red", "名称"):
        assert main(["layers", "add", str(path), "--name", "well", "--set", wrong, "--dry-run"]) == 2
    assert main(["layers", "import", str(path), "--layer", "store", "--map", "name=店"]) == 2
    assert "no such attribute or column" in capsys.readouterr().err
