import subprocess
import sys

import pytest

from gis.errors import UsageError
from gis.settings import PROJECT_DIR
from ingest.scaffold import KINDS, write_source


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_source_works_as_it_is(tmp_path, kind):
    paths = write_source("sample_police", tmp_path, kind)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "ingest/sources/sample_police.py",
        "tests/ingest/sources/test_sample_police.py",
        "tests/ingest/sources/inputs/sample_police.csv",
    ]
    # The package `ingest.sources` of the project, with the new folder as one more place to look.
    extended = f"import ingest.sources, pytest; ingest.sources.__path__.append({str(paths[0].parent)!r}); "
    command = extended + f"raise SystemExit(pytest.main(['-q', '-p', 'no:cacheprovider', {str(paths[1])!r}]))"
    done = subprocess.run([sys.executable, "-c", command], cwd=PROJECT_DIR, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_its_source_is_clean(tmp_path, kind):
    path, *_ = write_source("sample_police", tmp_path, kind)
    config = str(PROJECT_DIR / "pyproject.toml")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", config, path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["Police", "1st", "a", "../etc", "with space"])
def test_a_bad_name_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="is no name"):
        write_source(name, tmp_path)


def test_nothing_is_overwritten(tmp_path):
    write_source("sample_police", tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        write_source("sample_police", tmp_path)
