"""The state of a source in people's words, each with its cure (`ingest.overview`, `ingest.alarms`, `ingest.run`)."""

from __future__ import annotations

from ingest.schedule import Schedule
from webmap.languages import gettext, mark

HEALTH = {
    "good": mark("good"),
    "paused": mark("paused"),
    "circuit_open": mark("given up for now"),
    "failing": mark("failing"),
    "silent": mark("silent"),
    "wrong_time": mark("wrong time"),
    "late": mark("late"),
    "never_ran": mark("never ran"),
}
CURES = {
    "paused": mark("Resume it when the reason is gone; what came meanwhile is caught up."),
    "circuit_open": mark("It failed too often and is only tried now and then. See the error; “Run now” tries at once."),
    "failing": mark("It is tried again by itself, later each time. See the error, the other side's site and our line."),
    "silent": mark("Ask the other side whether they have stopped sending, and whether the address has changed."),
    "wrong_time": mark("Compare the time of its newest report with the clock: theirs or ours is wrong."),
    "late": mark("It is due and does not run: see whether a scheduler and a worker run (./machimori doctor)."),
    "never_ran": mark("Nothing has come yet. “Run now” asks it, or wait for its first message."),
}
CAUSES = {
    "failing": mark("It keeps failing."),
    "silent": mark("Nothing new for longer than usual."),
    "future": mark("Its newest report lies in the future."),
    "past": mark("Its newest report is too old."),
    "configuration": mark("The file of sources has a fault."),
}
OUTCOMES = {
    "running": mark("runs now"),
    "good": mark("good"),
    "failed": mark("failed"),
    "too_long": mark("took too long and was ended"),
    "lost": mark("the worker died in the middle"),
}
KINDS = {"feed": mark("asked by us"), "push": mark("sent to us")}
ACTIONS = {
    "run": mark("Run now"),
    "pause": mark("Pause"),
    "resume": mark("Resume"),
    "retry": mark("Try again"),
    "view": mark("A private document was read"),
}
# `Schedule.rhythm`.
SCHEDULES = {
    "daily": mark("once a day at %(time)s"),
    "hourly": mark("every hour at minute %(minute)s"),
    "every_minute": mark("every minute at second %(second)s"),
    "hours": mark("every %(number)s hours"),
    "minutes": mark("every %(number)s minutes"),
    "seconds": mark("every %(number)s seconds"),
}


def say_schedule(schedule: Schedule | None) -> str:
    """Return how often a source is asked in the reader's language."""
    if schedule is None:
        return gettext("not asked")
    word, values = schedule.rhythm
    return gettext(SCHEDULES[word], **values)
