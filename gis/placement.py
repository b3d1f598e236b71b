"""Where the embedded cluster may live: a folder its system user can reach, a socket path that fits.

Two limits of the operating system decide. PostgreSQL must not run as root, so under root it runs
as `postgres`, who cannot enter `/root` or a private home. And a Unix socket's path holds 107 bytes
(`sun_path`, unix(7)), less than many a checkout's path.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
from pathlib import Path

SYSTEM_USER = "postgres"
_SHARED_ROOT = Path("/var/lib/machimori")
_SOCKET_NAME = "/.s.PGSQL.5432"
_MAX_SOCKET_PATH_BYTES = 107
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


def system_user() -> pwd.struct_passwd | None:
    """Return the user that the cluster runs as when we are root; None when we are not, or it does not exist."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None


def cluster_folder(var_dir: Path) -> Path:
    """Return the folder of the embedded cluster: `var_dir/postgres` if its user can reach it.

    Otherwise (root, and a checkout under `/root` or a private home) a folder of this installation
    under `/var/lib/machimori`.
    """
    here = var_dir / "postgres"
    user = system_user()
    if user is None:
        return here
    there = _SHARED_ROOT / _short_name(var_dir) / "postgres"
    # Once made it stays where it is, whatever becomes of the permissions above the checkout.
    if _is_made(here) or (_can_enter(here.parent, user) and not _is_made(there)):
        return here
    return there


def socket_folder(folder: Path) -> Path:
    """Return where the cluster in `folder` has its socket: inside, or under `/tmp` when that path does not fit."""
    inside = folder / "socket"
    fits = len(os.fsencode(str(inside) + _SOCKET_NAME)) <= _MAX_SOCKET_PATH_BYTES
    # The server reads the setting as a list, so a comma or a quote in the path would split it.
    if fits and _PLAIN_PATH.fullmatch(str(inside)):
        return inside
    return Path("/tmp") / f"machimori-{_short_name(folder)}"  # noqa: S108 (made 0700, its owner is checked at start)


def _is_made(folder: Path) -> bool:
    return (folder / "data" / "PG_VERSION").exists()


def _short_name(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _can_enter(folder: Path, user: pwd.struct_passwd) -> bool:
    groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
    return all(_may_traverse(parent, user.pw_uid, groups) for parent in (folder, *folder.parents) if parent.exists())


def _may_traverse(folder: Path, uid: int, groups: set[int]) -> bool:
    status = folder.stat()
    if status.st_uid == uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid in groups:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)
