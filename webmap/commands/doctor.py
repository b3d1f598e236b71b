"""`doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from gis.settings import Settings
from webmap.checks import Finding, check_machine, check_schema, check_services

HELP = "Check this installation, each fault with its cure; exit code 1 when there is one, 0 for warnings alone."
EXAMPLE = "./machimori doctor"
NEEDS_DATABASE = False  # it is asked when something does not run


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare no arguments."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Print one line per question."""
    findings = check_machine(settings)
    _print(findings)
    for check in (check_schema, check_services):
        found = _ask_database(check, settings)
        _print(found)
        findings += found
        if not all(finding.is_good for finding in found):
            break  # what follows would only repeat it
    return 0 if all(finding.is_good for finding in findings) else 1


def _ask_database(check: Callable[[Settings], list[Finding]], settings: Settings) -> list[Finding]:
    try:
        return check(settings)
    except DBAPIError as error:
        hint = "Start ./machimori up." if settings.is_embedded else "Check MACHIMORI_DATABASE_URL and the server."
        return [Finding("database", f"does not answer: {' '.join(str(error.orig).split())}", hint)]


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        sign = "warn" if finding.is_warning else "ok  " if finding.is_good else "BAD "
        print(f"{sign} {finding.title:<12} {finding.answer}")
        if finding.hint:
            print(f"     → {finding.hint}")
