"""Backup and restore, by the real pg_dump."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gis.accounts import add_account, list_accounts
from gis.database import Database, owner_engine
from gis.errors import UsageError
from gis.settings import Settings
from webmap.backup import backup, restore


def _add(owner: Engine, name: str) -> None:
    with owner.begin() as connection:
        add_account(connection, name, "田中", "disaster", "long enough 1")


def _names(settings: Settings) -> list[str]:
    engine = owner_engine(settings.owner_url())
    try:
        with engine.connect() as connection:
            return [account.name for account in list_accounts(connection)]
    finally:
        engine.dispose()


def test_a_restore_brings_back_what_was_there_and_its_rights(settings: Settings, owner: Engine, tmp_path: Path) -> None:
    _add(owner, "tanaka")
    path = tmp_path / "town.dump"
    assert backup(settings, path) == path.stat().st_size > 0
    _add(owner, "yoshida")
    restore(settings, path, may_overwrite=True)
    assert _names(settings) == ["tanaka"]
    database = Database(settings.app_url())
    try:
        with database.begin("citizen") as connection:
            connection.execute(text("SELECT count(*) FROM open.incident"))
    finally:
        database.dispose()


def test_a_backup_is_readable_for_its_owner_only(settings: Settings, tmp_path: Path) -> None:
    backup(settings, tmp_path / "town.dump")
    assert (tmp_path / "town.dump").stat().st_mode & 0o777 == 0o600


def test_an_existing_file_is_not_overwritten_without_a_yes(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "town.dump"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists already"):
        backup(settings, path)
    assert path.read_text() == "precious"
    assert list(tmp_path.glob("*.unfinished")) == []


def test_a_database_with_data_is_not_replaced_without_a_yes(settings: Settings, owner: Engine, tmp_path: Path) -> None:
    backup(settings, tmp_path / "town.dump")
    _add(owner, "tanaka")
    with pytest.raises(UsageError, match="holds data"):
        restore(settings, tmp_path / "town.dump")
    assert _names(settings) == ["tanaka"]


def test_a_broken_backup_changes_nothing(settings: Settings, owner: Engine, tmp_path: Path) -> None:
    _add(owner, "tanaka")
    path = tmp_path / "town.dump"
    backup(settings, path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UsageError, match="pg_restore failed"):
        restore(settings, path, may_overwrite=True)
    assert _names(settings) == ["tanaka"]


def test_a_file_that_is_no_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir or Madam")
    with pytest.raises(UsageError, match="no backup"):
        restore(settings, path, may_overwrite=True)
