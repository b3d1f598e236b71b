"""A database on a disk of its own that can be filled to the last page: a tmpfs, made as small as what is on it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gis.embedded import Cluster
from gis.settings import Settings

_ROOMY = "900m"


@contextmanager
def small_disk() -> Iterator[Settings | None]:
    """Yield the settings of a database on a disk of its own; None where nothing may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="mm-disk-", dir="/tmp"))
    try:
        if not _mount(folder, _ROOMY):
            yield None
            return
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        cluster = Cluster(folder / "pg")
        try:
            cluster.start()
            cluster.create_database("bench")
            urls = cluster.url("postgres", "bench"), cluster.url("machimori_app", "bench")
            yield Settings(folder / "var", *urls, jma_feed_url="")
        finally:
            free(folder)
            cluster.stop()
            subprocess.run(["umount", str(folder)], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(folder: Path) -> None:
    """Leave no page free."""
    used = os.statvfs(folder)
    taken = (used.f_blocks - used.f_bfree) * used.f_frsize
    subprocess.run(["mount", "-o", f"remount,size={taken}", str(folder)], check=True)


def free(folder: Path) -> None:
    """Give the room back."""
    subprocess.run(["mount", "-o", f"remount,size={_ROOMY}", str(folder)], check=True)


def _mount(folder: Path, size: str) -> bool:
    if os.geteuid() != 0:
        return False
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(mounting, check=False, capture_output=True).returncode == 0
