"""What docs/push-door.md tells the fire service to type does work, against the real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest
import requests
from sqlalchemy import text

from bench.edit_visible import served
from gis.errors import UsageError
from gis.settings import PROJECT_DIR
from ingest.push_secrets import load_push_secrets
from ingest.source import find_source
from webmap.cli import main

GUIDE = (PROJECT_DIR / "docs" / "push-door.md").read_text(encoding="utf-8")


def _block(language):
    return re.search(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)[1]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="needs curl and openssl")
def test_the_example_of_the_guide_is_taken(settings, database, owner, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    assert main(["ingest", "secret", "fire"]) == 0
    secret = capsys.readouterr().out.strip()
    (tmp_path / "message.json").write_text(_block("json"), encoding="utf-8")
    with served(settings) as address:
        environment = {**os.environ, "SECRET": secret, "ADDRESS": address}
        done = subprocess.run(
            ["sh", "-ec", _block("sh")], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        endless = f"head -c 300000000 /dev/zero | curl -s -w '%{{http_code}}' -T - -X POST {address}/ingest/fire"
        big = subprocess.run(["sh", "-c", endless], capture_output=True, text=True)
        assert requests.get(f"{address}/healthz", timeout=30).ok
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "processed", done.stdout
    assert big.stdout.endswith("413") or big.returncode in (55, 56), "an endless body is cut off"
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM layers.incident WHERE kind = 'fire'")).scalar_one() == 1
        assert connection.execute(text("SELECT count(*) FROM ingest.document")).scalar_one() == 1


def test_secrets_change_over_one_after_the_other(settings, capsys, monkeypatch):
    monkeypatch.setenv("MACHIMORI_VAR", str(settings.var_dir))
    fire = find_source("fire")
    for _ in range(2):
        assert main(["ingest", "secret", "fire"]) == 0
    made = capsys.readouterr().out.split()
    assert list(load_push_secrets(settings, fire)) == made[::-1] and len(set(made)) == 2
    path = settings.var_dir / "secrets" / "push" / "fire"
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert main(["ingest", "secret", "fire"]) == 2 and "--end-old" in capsys.readouterr().err
    assert main(["ingest", "secret", "fire", "--end-old"]) == 0
    assert list(load_push_secrets(settings, fire)) == made[1:]
    assert main(["ingest", "secret", "fire", "--end-old"]) == 2
    assert main(["ingest", "secret", "jma"]) == 2 and "not pushed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        {"secrets": ["short"]},
        {"secrets": "x" * 40},
        {"secrets": ["x" * 40] * 3},
        {"addresses": ["everywhere"]},
        {"addresses": []},
        {"per_minute": 0},
        {"per_minute": True},
    ],
)
def test_a_wrong_option_is_named(options):
    from ingest.pushing import check_push_options

    with pytest.raises(UsageError, match="Source town_fire"):
        check_push_options("town_fire", options)
