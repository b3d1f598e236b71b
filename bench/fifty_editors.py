"""Fifty people edit one layer at once, over each other: is anything lost, doubled or blocked?

    python -m bench.fifty_editors [--editors 50] [--seconds 60] [--features 10000] [--hot 100]

Each has a connection of their own and saves without a pause: reads a feature, changes it, saves as the editor does (a
key, the version that was read, one changeset). Half the time it is one of a few hot features, so that they collide; a
conflict is settled as a person does, on the newer version. Every tenth answer is "lost" and the save sent again.
Afterwards every acknowledged save must be in the history exactly once and nothing else; the same number of bare
UPDATEs of a bare copy follows with as many connections. A throw-away durable cluster; exits with 1 when something was
lost, doubled or blocked.
"""

from __future__ import annotations

import argparse
import random
import secrets
import statistics
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine, text

from bench.history_cost import ROLE, bench_database, fill
from gis.database import Database
from layers.changes import Outcome, Update
from layers.definition import Definition, load_definitions
from layers.editing import apply_changes
from layers.refusals import ChangedMeanwhileError
from layers.saved_once import Answer, answer_once

LONGEST_S = 5.0
_LOST_ANSWERS = 0.1
_HOT = 0.5


@dataclass
class Tally:
    """What one editor did: (fid, version, changeset, mark) of what was acknowledged, seconds of each save, events."""

    acknowledged: list[tuple[int, int, int, str]] = field(default_factory=list)
    spent_s: list[float] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Report:
    """The editors together, and what was found afterwards: empty `faults` when all is well."""

    saves: int
    spent_s: list[float]
    events: Counter[str]
    elapsed_s: float
    faults: list[str]


def run_editors(database: Database, owner: Engine, editors: int, seconds: float, hot: int) -> Report:
    """Let the editors work on `evacuation_site`, then compare what they were told with the history."""
    sites = load_definitions()["evacuation_site"]
    with owner.begin() as connection:
        fids = list(connection.execute(text("SELECT fid FROM layers.evacuation_site ORDER BY fid")).scalars())
        before = connection.execute(text("SELECT count(*) FROM history.evacuation_site")).scalar_one()
    end = time.perf_counter() + seconds
    begun = time.perf_counter()
    with ThreadPoolExecutor(editors) as pool:
        work = [pool.submit(_edit, database, sites, f"editor{n}", fids, hot, end) for n in range(editors)]
        tallies = [done.result() for done in work]
    elapsed_s = time.perf_counter() - begun
    acknowledged = [row for tally in tallies for row in tally.acknowledged]
    return Report(
        saves=len(acknowledged),
        spent_s=[spent for tally in tallies for spent in tally.spent_s],
        events=sum((tally.events for tally in tallies), Counter[str]()),
        elapsed_s=elapsed_s,
        faults=_find_faults(owner, acknowledged, before),
    )


def _edit(database: Database, sites: Definition, account: str, fids: list[int], hot: int, end: float) -> Tally:
    tally, chance, turn = Tally(), random.Random(account), 0
    while time.perf_counter() < end:
        turn += 1
        fid = chance.choice(fids[:hot] if chance.random() < _HOT else fids)
        column = chance.choice(["note", "address", "name"])
        _save(database, sites, account, fid, column, f"{account}-{turn}", chance, tally)
    return tally


def _save(
    database: Database, sites: Definition, account: str, fid: int, column: str, mark: str, chance: random.Random,
    tally: Tally,
) -> None:  # fmt: skip
    """Save one mark, until it is in: settle conflicts, send again what got no answer."""
    with database.begin(ROLE, account) as connection:
        query = text("SELECT version FROM layers.evacuation_site WHERE fid = :fid")
        version = connection.execute(query, {"fid": fid}).scalar_one()
    while True:
        outcome = _send(database, sites, account, Update(fid, version, {column: mark}), chance, tally)
        if outcome is None:
            tally.events["quicker"] += 1
        elif outcome.conflicts:
            tally.events["conflicts"] += 1
            version = outcome.conflicts[0].theirs_version
        else:
            tally.events["merged"] += len(outcome.merged)
            assert outcome.changeset is not None
            tally.acknowledged.append((fid, outcome.updated[fid], outcome.changeset, mark))
            return


def _send(
    database: Database, sites: Definition, account: str, change: Update, chance: random.Random, tally: Tally
) -> Outcome | None:
    """Send one save, twice when its answer is lost; None when the database asks to begin again."""
    key, asked = secrets.token_urlsafe(16), repr(change).encode()
    found: list[Outcome] = []

    def apply() -> Answer:
        found.append(apply_changes(connection, sites, [change], "ベンチマーク"))
        return Answer(str(found[-1].changeset), found[-1].changeset, is_final=not found[-1].conflicts)

    begun = time.perf_counter()
    try:
        with database.begin(ROLE, account, "ベンチマーク") as connection:
            answer_once(connection, key, asked, apply)
        tally.spent_s.append(time.perf_counter() - begun)
        if not found[-1].conflicts and chance.random() < _LOST_ANSWERS:
            tally.events["sent again"] += 1
            with database.begin(ROLE, account, "ベンチマーク") as connection:
                again = answer_once(connection, key, asked, apply)
            assert len(found) == 1 and again.changeset == found[0].changeset, "done twice"
    except ChangedMeanwhileError:
        tally.spent_s.append(time.perf_counter() - begun)
        return None
    return found[0]


def _find_faults(owner: Engine, acknowledged: list[tuple[int, int, int, str]], before: int) -> list[str]:
    with owner.begin() as connection:
        rows = connection.execute(
            text("SELECT fid, version, changeset, name, address, note FROM history.evacuation_site WHERE version > 1")
        ).all()
        gaps = connection.execute(
            text(
                "SELECT count(*) FROM (SELECT fid FROM history.evacuation_site GROUP BY fid"
                " HAVING max(version) <> count(*)) AS broken"
            )
        ).scalar_one()
        total = connection.execute(text("SELECT count(*) FROM history.evacuation_site")).scalar_one()
    written = {(row.fid, row.version): row for row in rows}
    lost = [
        one for one in acknowledged
        if one[:2] not in written or written[one[:2]].changeset != one[2] or one[3] not in written[one[:2]][3:]
    ]  # fmt: skip
    faults = [f"acknowledged, but not in the history: {len(lost)}"] if lost else []
    if total - before != len(acknowledged):
        faults.append(f"{total - before} versions for {len(acknowledged)} acknowledged saves")
    if gaps:
        faults.append(f"{gaps} features whose versions do not go on by one")
    return faults


def run_bare(database: Database, owner: Engine, editors: int, saves: int, hot: int) -> tuple[float, list[float]]:
    """Do as many bare UPDATEs of the bare copy, with as many connections; return (seconds, seconds of each)."""
    with owner.begin() as connection:
        fids = list(connection.execute(text("SELECT fid FROM layers.bare ORDER BY fid")).scalars())
    spent_s: list[list[float]] = [[] for _ in range(editors)]

    def work(number: int) -> None:
        chance = random.Random(number)
        for turn in range(saves // editors):
            fid = chance.choice(fids[:hot] if chance.random() < _HOT else fids)
            begun = time.perf_counter()
            with database.begin(ROLE) as connection:
                update = text("UPDATE layers.bare SET note = :mark WHERE fid = :fid")
                connection.execute(update, {"mark": f"{number}-{turn}", "fid": fid})
            spent_s[number].append(time.perf_counter() - begun)

    begun = time.perf_counter()
    with ThreadPoolExecutor(editors) as pool:
        list(pool.map(work, range(editors)))
    return time.perf_counter() - begun, [spent for one in spent_s for spent in one]


def _line(name: str, count: int, elapsed_s: float, spent_s: list[float]) -> str:
    cuts = statistics.quantiles(spent_s, n=20)
    quantiles = f"{cuts[9] * 1000:>8.0f}{cuts[18] * 1000:>8.0f}{max(spent_s) * 1000:>8.0f}"
    return f"{name:<22}{count:>8}{count / elapsed_s:>10.0f}{quantiles}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--editors", type=int, default=50, help="people at once")
    parser.add_argument("--seconds", type=float, default=60, help="how long they edit")
    parser.add_argument("--features", type=int, default=10_000, help="features of the layer")
    parser.add_argument("--hot", type=int, default=100, help="features that half of all edits go to")
    options = parser.parse_args()
    with bench_database(options.editors) as (database, owner):
        fill(database, owner, options.features)
        report = run_editors(database, owner, options.editors, options.seconds, options.hot)
        bare_s, bare_spent_s = run_bare(database, owner, options.editors, report.saves, options.hot)
    print(f"{'':<22}{'saves':>8}{'a second':>10}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}")
    print(_line("editors", report.saves, report.elapsed_s, report.spent_s))
    print(_line("bare UPDATEs", len(bare_spent_s), bare_s, bare_spent_s))
    rate = (report.saves / report.elapsed_s) / (len(bare_spent_s) / bare_s)
    print(f"the editors' rate is {rate:.2f} of the bare one; " + _events(report.events))
    faults = report.faults
    if max(report.spent_s) > LONGEST_S:
        faults.append(f"somebody waited {max(report.spent_s):.1f} s, more than {LONGEST_S} s")
    print("\n".join(faults) or f"nothing lost, nothing doubled, nobody blocked longer than {LONGEST_S:.0f} s")
    sys.exit(1 if faults else 0)


def _events(events: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(events.items()))


if __name__ == "__main__":
    main()
