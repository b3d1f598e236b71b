"""Faults played with real processes and a database that syncs its disk: nothing is lost, doubles are few and known.

    ./machimori bench faults [--people 200] [--cut-s 60] [--only WORD]

Every play sends one message to everybody, through real worker processes to an SMTP server that fails on purpose, then
lets the next worker finish. It counts what the server took responsibility for. A play fails when somebody was lost,
when there are more doubles than one per connection of the worker that died (or one per message that a server forgot to
answer), when a double is not noted as in doubt, or when the report's numbers are not the server's. The exit code is 1
then. Clocks that jump need libfaketime, a disk that is full needs leave to mount (root); without, the play says so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from bench.alert_path import prepare, throw_away_settings
from bench.fault_disk import small_disk
from bench.fault_ground import CLOCK_PLAYS, DISK_PLAYS, GROUND_PLAYS, clock_library
from bench.fault_plays import DEATHS, PLAYS
from bench.fault_stage import Play, check, staged
from gis.database import owner_engine
from gis.settings import Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200, metavar="N")
    parser.add_argument("--cut-s", type=float, default=60, metavar="S", help="how long one worker is cut off")
    parser.add_argument("--only", default="", metavar="WORD", help="only plays whose name has this word")
    args = parser.parse_args()
    print(
        f"{'play':40} {'accepted':>8} {'refused':>8} {'lost':>5} {'doubles':>8} {'bound':>6} {'in doubt':>9} {'s':>5}"
    )
    clocks = CLOCK_PLAYS if clock_library() else {}
    chosen = {name: play for name, play in {**DEATHS, **PLAYS, **GROUND_PLAYS, **clocks}.items() if args.only in name}
    on_small_disk = {name: play for name, play in DISK_PLAYS.items() if args.only in name}
    wrong = 0
    if chosen:
        with throw_away_settings(0) as settings:
            wrong += play_all(settings, chosen, args.people, args.cut_s)
    if on_small_disk:
        with small_disk() as disk_settings:
            if disk_settings is None:
                print("left out: a file system of its own cannot be mounted here (root is needed)")
            else:
                wrong += play_all(disk_settings, on_small_disk, args.people, args.cut_s)
    if not clocks:
        print("left out: clocks that jump, for libfaketime is not installed")
    raise SystemExit(1 if wrong else 0)


def play_all(settings: Settings, plays: Mapping[str, Play], people: int, cut_s: float) -> int:
    """Play one after another, a line for each; return how many went wrong."""
    prepare(settings, people)
    owner, wrong = owner_engine(settings.owner_url()), 0
    for name, play in plays.items():
        began = time.monotonic()
        # A worker that dies within its envelope has to say one command after the other.
        with staged(settings, owner, cut_s, pipelining=name not in DEATHS) as stage:
            bound = play(stage)
            stage.finish()
            figures, words = check(stage, bound)
        row = [f"{figures['accepted']:8} {figures['bounced']:8} {figures['lost']:5} {figures['doubles']:8}"]
        row.append(f"{bound:6} {figures['in doubt']:9} {time.monotonic() - began:5.0f} {words or 'ok'}")
        print(f"{name:40}", *row, flush=True)
        wrong += bool(words)
    owner.dispose()
    return wrong


if __name__ == "__main__":
    main()
