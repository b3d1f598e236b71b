"""What doctor finds, on real databases."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gis.accounts import add_account, set_email
from gis.database import Database
from gis.settings import Settings
from webmap.checks import Finding, check_machine, check_schema, check_services
from webmap.scheduler import Leader, Periodic


def _finding(findings: list[Finding], title: str) -> Finding:
    return next(finding for finding in findings if finding.title == title)


def test_a_migrated_database_is_well(settings: Settings) -> None:
    assert [finding for finding in check_schema(settings) if not finding.is_good] == []


def test_an_old_migration_names_the_command(settings: Settings, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("UPDATE public.schema_version SET version_num = '0000'"))
    finding = _finding(check_schema(settings), "migrations")
    assert not finding.is_good
    assert "db migrate" in finding.hint


def test_approvers_whom_no_mail_reaches_are_named(settings: Settings, owner: Engine) -> None:
    with owner.begin() as connection:
        add_account(connection, "ito", "伊藤", "disaster", "a long password", roles=["alert_approver"])
    assert "user mail" in _finding(check_schema(settings), "alert approvers").hint
    with owner.begin() as connection:
        set_email(connection, "ito", "ito@city.example")
    assert _finding(check_schema(settings), "alert approvers").is_good


def test_without_worker_and_scheduler_it_says_which_to_start(settings: Settings) -> None:
    findings = check_services(settings)
    assert "./machimori worker" in _finding(findings, "worker").hint
    assert "./machimori scheduler" in _finding(findings, "scheduler").hint


def test_a_beating_worker_and_a_leader_are_seen(settings: Settings, database: Database, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(text("INSERT INTO queue.procrastinate_workers (last_heartbeat) VALUES (now())"))
    leader = Leader(database)
    leader.write(Periodic("gis.retry_stalled", second=0))
    try:
        findings = check_services(settings)
        # This town has nothing loaded yet: that is a warning, and everything runs.
        assert [finding.title for finding in findings if finding.hint] == ["place names"]
        assert all(finding.is_good for finding in findings)
    finally:
        leader.resign()


def test_a_town_without_quarters_is_told_what_it_cannot_place(settings: Settings, database: Database) -> None:
    assert "town_block" in _finding(check_services(settings), "place names").hint
    with database.begin("dept_planning") as connection:
        point = "ST_SetSRID(ST_MakePoint(141.2, 38.4), 6668)"
        connection.execute(text(f"INSERT INTO layers.town_block (name, geom) VALUES ('矢本', {point})"))
    loaded = _finding(check_services(settings), "place names")
    assert loaded.is_good and not loaded.hint and not loaded.is_warning


def test_jobs_given_up_are_counted(settings: Settings, owner: Engine) -> None:
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO queue.procrastinate_jobs (queue_name, task_name, status)"
                " VALUES ('alerts', 'alerts.send', 'failed')"
            )
        )
    assert "1 given up" in _finding(check_services(settings), "queue").answer


@pytest.fixture
def listening() -> Iterator[int]:
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_relay_that_answers_is_well_and_one_that_does_not_is_told(settings: Settings, listening: int) -> None:
    good = replace(settings, smtp_url=f"smtp://127.0.0.1:{listening}")
    assert _finding(check_machine(good), "mail relay").is_good
    bad = replace(settings, smtp_url="smtp://127.0.0.1:1")
    finding = _finding(check_machine(bad), "mail relay")
    assert "MACHIMORI_SMTP_URL" in finding.hint
    assert "Mails wait" in finding.hint


def test_a_mailbox_that_does_not_run_names_the_command(tmp_path: Path) -> None:
    finding = _finding(check_machine(Settings(var_dir=tmp_path)), "mailbox")
    assert "./machimori up" in finding.hint
