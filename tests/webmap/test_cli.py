"""The command line as a person meets it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from gis.errors import UsageError
from gis.settings import PROJECT_DIR, load_settings
from webmap.cli import command_names, load_command, main


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"./machimori {name}" in text.split("example:")[1]
    assert load_command(name).HELP in re.sub(r"\s+", " ", text)


@pytest.mark.parametrize("document", ["README.md", "docs/operations.md"])
@pytest.mark.parametrize("name", command_names())
def test_every_command_is_documented(document: str, name: str) -> None:
    text = (PROJECT_DIR / document).read_text(encoding="utf-8")
    assert re.search(rf"`(\./machimori )?{name}\b", text), f"{document} does not name the command {name}"


def test_every_setting_is_documented() -> None:
    with pytest.raises(UsageError) as refusal:
        load_settings({"MACHIMORI_NO_SUCH_SETTING": "1"})
    text = (PROJECT_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in re.findall(r"MACHIMORI_\w+", refusal.value.hint):
        assert f"| `{name}` |" in text, f"docs/operations.md does not explain {name}"


def test_a_mistake_is_told_in_two_lines_without_a_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MACHIMORI_MAX_DOCUMENT_BYTES", "many")
    assert main(["doctor"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("machimori: MACHIMORI_MAX_DOCUMENT_BYTES is 'many'")
    assert lines[1].startswith("  → ")
    assert len(lines) == 2


def test_a_database_that_does_not_answer_is_a_sentence_and_no_trace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MACHIMORI_VAR", str(tmp_path))
    monkeypatch.setenv("MACHIMORI_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["user", "list"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("machimori: The database does not answer:")
    assert "Traceback" not in error


def test_an_unknown_command_ends_with_code_2_and_names_the_known(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["dance"])
    assert end.value.code == 2
    assert "doctor" in capsys.readouterr().err


def test_the_script_works_from_any_folder_whatever_lies_there(tmp_path: Path) -> None:
    (tmp_path / "webmap").mkdir()
    (tmp_path / "webmap" / "__init__.py").write_text("raise RuntimeError('not this one')")
    done = subprocess.run(
        [str(PROJECT_DIR / "machimori"), "--help"], cwd=tmp_path, capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 0, done.stderr
    assert "doctor" in done.stdout
