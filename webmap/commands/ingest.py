"""`ingest`: the sources, what they brought, and replays of saved documents."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import datetime
from pathlib import Path

from tqdm import tqdm

from gis.database import SERVICE, Database
from gis.errors import UsageError
from gis.settings import PROJECT_DIR, Settings
from ingest.actions import pause, resume
from ingest.gazetteer import has_gazetteer
from ingest.loading import load_files
from ingest.overview import DeadLetter, SourceHealth, list_dead_letters, list_sources
from ingest.processing import process_unparsed
from ingest.replay import Scene, plan_replay, play
from ingest.running import lose_dead_runs, run_source
from ingest.scaffold import KINDS, write_source
from ingest.schedule import Schedule
from ingest.source import find_source, load_sources, source_faults
from ingest.summary import RunSummary
from webmap import moderation_commands, push_commands, retention_commands
from webmap.source_words import CURES, HEALTH, SCHEDULES

HELP = "List sources, run, pause or resume one, check their file, replay saved telegrams, or begin a new source."
EXAMPLE = """./machimori ingest list
./machimori ingest run jma
./machimori ingest pause jma --reason 'their maintenance until noon'
./machimori ingest replay FOLDER --match '32-39_11_*' --speed 60
./machimori ingest load 2024hittakuri.csv --source police_open_data
./machimori ingest secret fire
./machimori ingest forget --dry-run
./machimori ingest new town_police"""


def add_args(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="sources with their health, and the latest dead letters")
    listing.add_argument("--limit", type=int, default=20, help="how many dead letters to show (default: 20)")

    running = actions.add_parser("run", help="ask a source for what is new, now; exit code 1 if something failed")
    running.add_argument("source", help="name of the source, as in `ingest list`")

    replay = actions.add_parser(
        "replay",
        help="play saved telegrams in the order of their times",
        description="Play saved telegrams in the order of their times. Exit code 0: all were read; 1: some became "
        "dead letters (the others went on); 2: nothing was played, because the input is wrong.",
    )
    replay.add_argument("folder", type=Path, help="folder that holds the files")
    replay.add_argument("--match", default="*", metavar="GLOB", help="only files whose name matches (default: all)")
    replay.add_argument(
        "--speed", type=_speed, metavar="N", help="N times as fast as it was; 1 = real time (default: at once)"
    )
    replay.add_argument("--drill", action="store_true", help="turn every telegram into a drill (訓練)")
    replay.add_argument("--source", default="jma", help="whose files they are (default: jma)")

    loading = actions.add_parser(
        "load",
        help="take in files that you have at hand, e.g. the police's open data",
        description="Take in files as if their source had sent them. Exit code 0: all were read; 1: some became dead "
        "letters, or rows were rejected, with their reasons; 2: nothing was loaded, because the input is wrong.",
    )
    loading.add_argument("file", type=Path, nargs="+", help="a file of the source")
    loading.add_argument("--source", required=True, help="whose files they are, e.g. police_open_data")

    pausing = actions.add_parser("pause", help="do not ask a source until it is resumed")
    pausing.add_argument("source", help="name of the source")
    pausing.add_argument("--reason", required=True, help="why; it stands on the page of the sources")

    resuming = actions.add_parser("resume", help="ask a paused source again, at once")
    resuming.add_argument("source", help="name of the source")

    actions.add_parser("check", help="read the file of sources and name its faults; exit code 1 if there are any")

    push_commands.add_action(actions)
    retention_commands.add_actions(actions)
    moderation_commands.add_action(actions)

    new = actions.add_parser("new", help="write the three files of a new source: module, test, input")
    new.add_argument("name", help="small letters, digits and _")
    new.add_argument("--kind", choices=KINDS, default="push", help="how it comes in (default: push)")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do it; return the exit code."""
    if args.action == "new":
        for path in write_source(args.name, kind=args.kind):
            print(path.relative_to(PROJECT_DIR))
        if args.kind != "push":
            key = "url" if args.kind == "feed" else "folder"
            print(
                f'then, in {settings.sources_path}: [{args.name}_1]  type = "{args.name}"  every_s = 300  {key} = "…"'
            )
        return 0
    if args.action == "check":
        return _check(settings)
    if args.action == push_commands.ACTION:
        return push_commands.run_action(settings, args)
    database = Database(settings.app_url())
    try:
        if args.action == moderation_commands.ACTION:
            return moderation_commands.run_action(database, args)
        if args.action in retention_commands.ACTIONS:
            return retention_commands.run_action(database, args)
        if args.action in ("pause", "resume"):
            return _pause_or_resume(database, args)
        if args.action == "list":
            return _list(database, args.limit)
        if args.action == "load":
            return _load(database, settings, args.source, args.file)
        if args.action == "run":
            return _run(database, settings, args.source)
        return _replay(database, settings, args)
    finally:
        database.dispose()


def _list(database: Database, limit: int) -> int:
    lose_dead_runs(database)
    with database.begin(SERVICE) as connection:
        sources, dead_letters = list_sources(connection), list_dead_letters(connection, limit)
    for source in sources:
        _print_source(source)
    print(f"dead letters: {len(dead_letters)} shown, newest first" if dead_letters else "dead letters: none")
    for letter in dead_letters:
        _print_dead_letter(letter)
    return 0


def _check(settings: Settings) -> int:
    faults = source_faults()
    for source in load_sources().values():
        print(f"{source.name}  {source.title}  {_schedule(source.schedule)}")
    for fault in faults:
        print(f"fault: {fault}")
    if not settings.sources_path.exists():
        print(f"{settings.sources_path} does not exist: only the sources of the system are there")
    return 1 if faults else 0


def _pause_or_resume(database: Database, args: argparse.Namespace) -> int:
    with database.begin(SERVICE, account=f"console:{getpass.getuser()}") as connection:
        if args.action == "pause":
            pause(connection, args.source, args.reason)
        else:
            resume(connection, args.source)
    print(f"{args.source}: {args.action}d")
    return 0


def _run(database: Database, settings: Settings, name: str) -> int:
    source = find_source(name)
    if source.fetch is None:
        raise UsageError(f"The source {name} cannot be asked.", "It is pushed or replayed.")
    if not source.can_be_asked(settings):
        setting = f"MACHIMORI_{source.needs.upper()}"
        raise UsageError(f"{setting} is empty, so there is nobody to ask.", "Set it, e.g. to the feeds' folder.")
    leftovers = RunSummary()
    process_unparsed(database, leftovers)
    summary = run_source(database, settings, source, asked_by=f"console:{getpass.getuser()}")
    if summary is None:
        print(f"{name} runs already, on this machine or another; see: ./machimori ingest list")
        return 1
    for line in [*(leftovers.lines() if leftovers.new else []), *summary.lines()]:
        print(line)
    return 1 if summary.failures or summary.dead_letters else 0


def _load(database: Database, settings: Settings, name: str, paths: list[Path]) -> int:
    def show(path: Path, summary: RunSummary) -> None:
        print(f"{path.name}: {summary.lines()[0]}", flush=True)

    source = find_source(name)
    if not source.is_past and not settings.has_local_mailbox:
        raise UsageError(
            f"What {name} says may be a warning, and MACHIMORI_SMTP_URL is set: people outside would be warned.",
            "Load what tells of the past, or unset MACHIMORI_SMTP_URL to use the local mailbox.",
        )
    summary = load_files(database, settings, source, paths, show, asked_by=f"console:{getpass.getuser()}")
    for line in summary.lines()[1:]:
        print(line)
    with database.begin(SERVICE) as connection:
        letters = list_dead_letters(connection, summary.rejected) if summary.rejected else []
        if summary.incidents and not has_gazetteer(connection):
            print("The town has no quarters (layer town_block), so nothing of it has a place: see docs/operations.md.")
    for letter in letters:
        _print_dead_letter(letter)
    return 1 if summary.dead_letters or summary.rejected else 0


def _replay(database: Database, settings: Settings, args: argparse.Namespace) -> int:
    source = find_source(args.source)
    scenes = plan_replay(settings, source, args.folder, args.match, args.drill)
    is_terminal = sys.stderr.isatty()
    with tqdm(total=len(scenes), unit="file", disable=not is_terminal) as bar:

        def show(scene: Scene) -> None:
            sent_at = f"{scene.sent_at:%Y-%m-%d %H:%M:%S}" if scene.sent_at else "unreadable"
            if is_terminal:
                bar.set_description(sent_at)
                bar.update()
            else:
                print(f"{sent_at}  {scene.path.name}", flush=True)

        summary = play(database, settings, source, scenes, is_drill=args.drill, speed=args.speed, show=show)
    for line in summary.lines():
        print(line)
    return 1 if summary.dead_letters else 0


def _print_source(source: SourceHealth) -> None:
    print(f"{source.name}  {source.title}  {HEALTH[source.health]}")
    if source.health in CURES:
        print(f"  → {CURES[source.health]}")
    print(f"  kind          {source.kind}")
    print(f"  schedule      {_schedule(source.schedule)}")
    print(f"  last run      {_when(source.last_run_at)}")
    print(f"  last success  {_when(source.last_success_at)}")
    print(f"  next run      {_when(source.next_run_at) if source.next_run_at else 'not planned'}")
    print(
        f"  records       {source.records} in {source.documents} documents = {source.incidents} incidents"
        f" + {source.updates} updates + {source.elsewhere} about other places + {source.rejected} rejected"
    )
    if source.paused_at:
        print(f"  paused        {_when(source.paused_at)} by {source.paused_by}: {source.pause_reason}")
    if source.last_error:
        print(f"  last error    {source.last_error} ({source.failures} failures in a row)")


def _print_dead_letter(letter: DeadLetter) -> None:
    record = f" record {letter.record}" if letter.record else ""
    print(f"  {_when(letter.created_at)}  {letter.source}  {letter.name}{record} (document {letter.document_id})")
    print(f"    {letter.reason}")


def _schedule(schedule: Schedule | None) -> str:
    if schedule is None:
        return "not asked"
    word, values = schedule.rhythm
    return SCHEDULES[word] % values


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "never"


def _speed(value: str) -> float:
    speed = float(value)
    if not 0 < speed < float("inf"):
        raise argparse.ArgumentTypeError("must be larger than 0")
    return speed
