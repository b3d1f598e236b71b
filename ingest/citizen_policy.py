"""What a citizen's report may be, how many are taken, how long its sender is known (data/citizen_reports.toml)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from gis.settings import DATA_DIR


@dataclass(frozen=True)
class CitizenPolicy:
    """The rules.

    Attributes
    ----------
    kinds : codes of incident kinds, in the order of the form.
    map_accuracy_m : radius that a tap on the map stands for, metres.
    least_seconds, most_hours : how young and how old a form may be when it is sent.
    proof_bits : leading zero bits that the sender's machine finds; see `citizen_forms.has_proof`.
    network_per_hour, network_per_hour_unproven, device_per_hour, contact_per_day : most reports.
    additions : most additions to one report.
    repeat_hours : so long the same words from the same network are taken only once.
    town_jobs_per_minute : with more reports than this in a minute, no job of its own is written for one: they are
        taken up every minute, one after the other.
    town_photos_per_minute : with more reports than this in a minute, photos are put off.
    days : so long contact, photos and whence a report came are kept.
    """

    kinds: tuple[str, ...]
    most_letters: int
    most_photos: int
    most_photo_bytes: int
    map_accuracy_m: float
    least_seconds: int
    most_hours: int
    proof_bits: int
    network_per_hour: int
    network_per_hour_unproven: int
    device_per_hour: int
    additions: int
    contact_per_day: int
    repeat_hours: int
    town_jobs_per_minute: int
    town_photos_per_minute: int
    days: int


@cache
def load_citizen_policy() -> CitizenPolicy:
    """Read the rules."""
    table = tomllib.loads((DATA_DIR / "citizen_reports.toml").read_text(encoding="utf-8"))
    return CitizenPolicy(kinds=tuple(table["kinds"]), **table["limits"], **table["kept"])
