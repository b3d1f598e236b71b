"""The real QGIS of the distribution, driven as a person of the sewer office."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gis.accounts import add_account
from gis.db_login import connection_words, make_db_login, revoke_db_login

SYSTEM_PYTHON = "/usr/bin/python3"
PERSON = "tanaka.qgis"
Drive = Callable[[str, Path], dict[str, Any]]


@pytest.fixture(scope="session")
def qgis() -> None:
    """Skip where QGIS is not installed."""
    try:
        probe = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    except FileNotFoundError:
        probe = None
    if probe is None or probe.returncode != 0:
        pytest.skip(
            "QGIS is not installed (Debian: apt-get install --no-install-recommends python3-qgis qgis-providers)"
        )


@pytest.fixture
def person(owner: Engine) -> Iterator[dict[str, str]]:
    """A person of the sewer office: libpq's words, and the password apart."""
    with owner.begin() as connection:
        add_account(connection, PERSON, "森", "sewer", "a long password", roles=["editor"])
        password = make_db_login(connection, PERSON, "sewer")
        words = connection_words(connection, PERSON)
    yield {"words": words, "password": password}
    with owner.begin() as connection:
        revoke_db_login(connection, PERSON)


@pytest.fixture
def drive(qgis: None, person: dict[str, str], tmp_path: Path) -> Drive:
    """Run one part of drive_qgis.py; the password reaches QGIS by libpq's own variable."""

    def run(part: str, file: Path) -> dict[str, Any]:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen",
            "XDG_RUNTIME_DIR": str(tmp_path), "LC_ALL": "C.UTF-8", "PGPASSWORD": person["password"],
        }  # fmt: skip
        script = Path(__file__).with_name("drive_qgis.py")
        done = subprocess.run(
            [SYSTEM_PYTHON, str(script), part, str(file)], capture_output=True, text=True, env=environment, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, f"QGIS said: {done.stdout}\n{done.stderr}"
        return {**json.loads(lines[-1]), "stderr": done.stderr}

    return run
