"""`bench`: the benchmarks, each beside a peer or the raw limit in the same run."""

from __future__ import annotations

import argparse
import subprocess
import sys

from gis.settings import PROJECT_DIR, Settings

HELP = "Run a benchmark, each beside a peer or the raw limit, on a throw-away database."
EXAMPLE = "./machimori bench alert_path --subscribers 10000"
NEEDS_DATABASE = False
PASSES_ON = True
# Each is a program of its own in bench/, because some compare against parts that are not always installed.
BENCHMARKS = {
    "alert_path": "a telegram file to the last mail for 10,000 subscribers, with stages",
    "arrival": "a report's arrival until it shows on the map, through each door, p95 of 40",
    "dispatch": "approval to the last acceptance for 100,000 recipients, beside the raw limits",
    "edit_visible": "an edit saved over HTTP until it shows in a tile, beside the bare UPDATE and tile query",
    "faults": "workers killed, cut off and badly treated at every step: nobody lost, doubles bounded and known",
    "fifty_editors": "50 people edit one layer at once for a minute: nothing lost, doubled or blocked",
    "first_mail": "a telegram's arrival to the first mail, p95 of 40, with a real worker and 10,000 subscribers",
    "history_cost": "what history costs an edit, and what the past costs a map",
    "matching": "who is inside: exact on 100,000 places, and a million places beside the best plain SQL",
    "million_incidents": "the public pages with a million incidents of the past, beside the same with a hundred",
    "police_csv": "a police table of 100,000 thefts, loaded beside bare COPYs of the same rows",
    "push_storm": "ten thousand signed pushes in a minute: none lost or doubled, and the pages go on answering",
    "storm": "ten thousand citizens' reports in a minute: none lost or doubled, and the pages go on answering",
}


def add_args(parser: argparse.ArgumentParser) -> None:
    """Say which benchmarks there are; everything after the name goes to the benchmark."""
    names = "; ".join(f"{name}: {what}" for name, what in BENCHMARKS.items())
    parser.add_argument("rest", nargs="*", metavar="NAME [OPTIONS]", help=names)


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Run one benchmark, or all of them when none is named."""
    from gis.errors import UsageError

    names, options = (args.rest[:1], args.rest[1:]) if args.rest else (list(BENCHMARKS), [])
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise UsageError(f"There is no benchmark {unknown[0]!r}.", f"Known are: {', '.join(BENCHMARKS)}.")
    for name in names:
        print(f"{name}: {BENCHMARKS[name]}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", *options], cwd=PROJECT_DIR)
        if done.returncode:
            return done.returncode
    return 0
