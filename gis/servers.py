"""The PostgreSQL servers installed on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from gis.errors import UsageError

OLDEST_SERVER = 15
_DEBIAN_ROOT = Path("/usr/lib/postgresql")


def find_server_binaries(version: str | None = None) -> Path:
    """Return the folder of `initdb`, `pg_ctl`, `pg_dump`, … of one installed PostgreSQL.

    Parameters
    ----------
    version : the major version that made the data; None = the newest that has PostGIS.

    Raises
    ------
    UsageError : there is none of that version, or none of 15 or later.
    """
    installed = _installed()
    if version is not None:
        if version not in installed:
            raise UsageError(
                f"The data were made by PostgreSQL {version}, which is not installed; there is {_listed(installed)}.",
                f"Install it: sudo apt-get install postgresql-{version} postgresql-{version}-postgis-3",
            )
        return installed[version]
    usable = [name for name in installed if int(name) >= OLDEST_SERVER]
    if not usable:
        raise UsageError(
            f"PostgreSQL {OLDEST_SERVER} or later with PostGIS is not installed; there is {_listed(installed)}.",
            "Install it: sudo apt-get install postgresql postgresql-postgis",
        )
    return installed[max(usable, key=lambda name: (_has_postgis(name), int(name)))]


def _installed() -> dict[str, Path]:
    """Return major version -> folder: Debian's parallel ones, and the one on PATH."""
    found = {path.parent.name: path for path in _DEBIAN_ROOT.glob("*/bin") if (path / "initdb").exists()}
    on_path = shutil.which("initdb")
    if on_path:
        answer = subprocess.run([on_path, "--version"], capture_output=True, text=True).stdout
        match = re.search(r"(\d+)\.", answer)
        if match:
            found.setdefault(match[1], Path(on_path).resolve().parent)
    return found


def _has_postgis(version: str) -> bool:
    return Path(f"/usr/share/postgresql/{version}/extension/postgis.control").exists()


def _listed(installed: dict[str, Path]) -> str:
    return " and ".join(f"PostgreSQL {name}" for name in sorted(installed, key=int)) or "none"
