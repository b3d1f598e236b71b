"""`test`: the whole test suite."""

from __future__ import annotations

import argparse
import subprocess
import sys

from gis.settings import PROJECT_DIR, Settings

HELP = "Run the test suite; what follows goes to pytest."
EXAMPLE = "./machimori test\n./machimori test tests/gis -k roles"
PASSES_ON = True
NEEDS_DATABASE = False  # the suite makes a cluster of its own


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare none: everything goes to pytest."""


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run pytest in the project's folder; the whole suite on up to four cores, with a cluster each."""
    rest = args.rest or ["-n", "auto", "--maxprocesses", "4", "--dist", "worksteal"]
    return subprocess.run([sys.executable, "-m", "pytest", *rest], cwd=PROJECT_DIR).returncode
