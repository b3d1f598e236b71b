"""The form of a citizen's report: what was filled in, and what of it has to be mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from werkzeug.datastructures import FileStorage, MultiDict

from gis.town import Town
from ingest.citizen_policy import CitizenPolicy
from ingest.citizen_words import RefusedReportError
from ingest.citizens import CitizenReport, check_contact
from layers.attachment_files import CleanFile, clean_file
from layers.attachment_words import RefusedFileError
from layers.file_kinds import PICTURES

_TOKYO = ZoneInfo("Asia/Tokyo")
_LEAST_LETTERS = 3
_MOST_PLACE_LETTERS = 200
_OLDEST = timedelta(days=366)
_CLOCK_TOLERANCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Problem:
    """What has to be mended, and in which field of the form; "" for none."""

    text: str
    field: str = ""


@dataclass
class Filled:
    """A form as it was sent; goes back into the page when something has to be mended."""

    kind: str = ""
    text: str = ""
    happened_at: str = ""
    lon: str = ""
    lat: str = ""
    accuracy_m: str = ""
    quarter: str = ""
    landmark: str = ""
    photo_place: bool = False
    contact: str = ""
    consent: bool = False
    trap: str = ""
    problems: list[Problem] = field(default_factory=list)

    @property
    def place_text(self) -> str:
        """The place in words: quarter and landmark."""
        return " ".join(part for part in (self.quarter, self.landmark) if part)


def read_filled(form: MultiDict[str, str]) -> Filled:
    """Take the fields of a request as they are, no longer than they may be."""

    def take(name: str, most: int) -> str:
        return form.get(name, "").strip()[:most]

    return Filled(
        kind=take("kind", 40),
        text=take("text", 20_000),
        happened_at=take("happened_at", 40),
        lon=take("lon", 30),
        lat=take("lat", 30),
        accuracy_m=take("accuracy_m", 30),
        quarter=take("quarter", _MOST_PLACE_LETTERS),
        landmark=take("landmark", _MOST_PLACE_LETTERS),
        photo_place="photo_place" in form,
        contact=take("contact", 300),
        consent="consent" in form,
        trap=take("trap", 200),
    )


def read_photos(
    sent: Sequence[FileStorage], policy: CitizenPolicy, language: str
) -> tuple[tuple[CleanFile, ...], list[Problem]]:
    """Make the photos of a form clean; return them and what is wrong with the others."""
    named = [one for one in sent if one.filename]
    if len(named) > policy.most_photos:
        return (), [Problem(RefusedReportError("photos").text(language), "photos")]
    photos, problems = [], []
    for one in named:
        try:
            photo = clean_file(
                one.filename or "", one.stream.read(policy.most_photo_bytes + 1), policy.most_photo_bytes
            )
        except RefusedFileError as refusal:
            problems.append(Problem(refusal.text(language), "photos"))
            continue
        if photo.media_type not in PICTURES:
            problems.append(Problem(RefusedReportError("not_photo").text(language), "photos"))
            continue
        photos.append(photo)
    return tuple(photos), problems


def make_report(
    filled: Filled, photos: tuple[CleanFile, ...], now: datetime, language: str, town: Town, policy: CitizenPolicy
) -> CitizenReport | None:
    """Return the report, or None with `filled.problems` saying all that has to be mended."""

    def refuse(code: str, name: str) -> None:
        filled.problems.append(Problem(RefusedReportError(code).text(language), name))

    if filled.trap:
        refuse("trap", "trap")
    if filled.kind not in policy.kinds:
        refuse("kind", "kind")
    if not _LEAST_LETTERS <= len(filled.text) <= policy.most_letters:
        refuse("text", "text")
    happened_at = _moment(filled.happened_at, now)
    if happened_at is None:
        refuse("when", "happened_at")
    place = _place(filled, photos, town, policy)
    if place is not None and not _is_inside(place, town):
        refuse("outside", "place")
    if place is None and not filled.place_text:
        refuse("place", "place")
    try:
        contact = check_contact(filled.contact)
    except RefusedReportError as refusal:
        filled.problems.append(Problem(refusal.text(language), "contact"))
    if not filled.consent:
        refuse("consent", "consent")
    if filled.problems or happened_at is None:
        return None
    lon, lat, accuracy_m = place or (None, None, None)
    return CitizenReport(
        filled.kind, filled.text, happened_at, now, language, filled.place_text, lon, lat, accuracy_m, contact, photos
    )


def _moment(written: str, now: datetime) -> datetime | None:
    """Return when it happened, now for nothing written, None when that cannot be."""
    if not written:
        return now
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=_TOKYO) if moment.tzinfo is None else moment
    is_credible = now - _OLDEST <= moment <= now + _CLOCK_TOLERANCE
    return min(moment, now) if is_credible else None


def _place(
    filled: Filled, photos: Sequence[CleanFile], town: Town, policy: CitizenPolicy
) -> tuple[float, float, float] | None:
    """Return (lon, lat, accuracy in metres): as chosen, else of a photo if that was allowed and it lies in the town."""
    try:
        accuracy_m = float(filled.accuracy_m or policy.map_accuracy_m)
        lon, lat = float(filled.lon), float(filled.lat)
    except ValueError:
        if not filled.photo_place:
            return None
        places = [(*photo.place, policy.map_accuracy_m) for photo in photos if photo.place]
        return next((place for place in places if _is_inside(place, town)), None)
    accuracy_m = min(max(accuracy_m, 5.0), 5000.0) if accuracy_m == accuracy_m else policy.map_accuracy_m
    return lon, lat, accuracy_m


def _is_inside(place: tuple[float, float, float], town: Town) -> bool:
    min_lon, min_lat, max_lon, max_lat = town.bbox
    return min_lon <= place[0] <= max_lon and min_lat <= place[1] <= max_lat  # NaN is nowhere
