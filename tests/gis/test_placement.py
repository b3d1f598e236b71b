"""Where the embedded cluster goes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gis.placement import cluster_folder, socket_folder, system_user


def test_a_short_path_keeps_its_socket_inside(tmp_path: Path) -> None:
    folder = Path("/srv/town/var/postgres")
    assert socket_folder(folder) == folder / "socket"


@pytest.mark.parametrize("name", ["x" * 120, "with a blank", "comma,quote'", "街守"])
def test_a_path_that_a_socket_cannot_have_moves_to_a_short_one(name: str) -> None:
    folder = Path("/srv") / name / "var" / "postgres"
    moved = socket_folder(folder)
    assert moved.parent == Path("/tmp")
    assert len(os.fsencode(str(moved / ".s.PGSQL.5432"))) <= 107
    assert moved != socket_folder(folder.parent / "another")


@pytest.mark.skipif(system_user() is None, reason="only root hands PostgreSQL to another user")
def test_a_folder_closed_to_the_system_user_moves_the_cluster_out(tmp_path: Path) -> None:
    closed, open_ = tmp_path / "closed", Path("/srv")
    closed.mkdir(mode=0o700)
    moved = cluster_folder(closed / "var")
    assert moved.is_relative_to("/var/lib/machimori")
    assert cluster_folder(open_ / "var") == open_ / "var" / "postgres"


@pytest.mark.skipif(system_user() is None, reason="only root hands PostgreSQL to another user")
def test_a_cluster_once_made_stays_where_it_is(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "var" / "postgres" / "data").mkdir(parents=True)
    (closed / "var" / "postgres" / "data" / "PG_VERSION").write_text("15")
    closed.chmod(0o700)
    assert cluster_folder(closed / "var") == closed / "var" / "postgres"
