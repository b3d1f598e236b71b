"""Who did it: the changeset of a transaction cannot be forged."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from gis.database import SERVICE, Database

CHANGESET = text("SELECT account, role_name, reason FROM gis.changeset WHERE id = gis.current_changeset()")


def test_a_transaction_has_one_changeset_with_person_role_and_reason(database: Database) -> None:
    with database.begin("dept_sewer", account="suzuki", reason="台帳の訂正") as connection:
        first = connection.execute(text("SELECT gis.current_changeset()")).scalar_one()
        again = connection.execute(text("SELECT gis.current_changeset()")).scalar_one()
        assert first == again
        assert connection.execute(CHANGESET).one() == ("suzuki", "dept_sewer", "台帳の訂正")


def test_two_transactions_have_two_changesets(database: Database) -> None:
    seen = set()
    for _ in range(2):
        with database.begin(SERVICE) as connection:
            seen.add(connection.execute(text("SELECT gis.current_changeset()")).scalar_one())
    assert len(seen) == 2


def test_a_direct_login_cannot_name_another_person(owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("SELECT set_config('machimori.account', 'suzuki', true)"))
        assert connection.execute(text("SELECT gis.current_account()")).scalar_one() == "postgres"


def test_nobody_writes_changesets_by_hand(database: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), database.begin(SERVICE) as connection:
        connection.execute(text("INSERT INTO gis.changeset (account, role_name, xact_id) VALUES ('a', 'b', 1)"))
