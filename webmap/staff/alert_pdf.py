"""The record of one message for the file and for an inquiry: A4, its course, words, area, and what became of it.

The numbers are those of the page and of the CSV (alerts.report, alerts.progress); addresses are masked everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from flask import Response, abort
from reportlab.platypus import Flowable
from sqlalchemy import Connection, Row

from alerts.catalogue import JST
from alerts.progress import Progress, mask_addresses, read_progress
from alerts.report import AlertReport, report_alert
from gis.errors import UsageError
from gis.languages import LANGUAGE_NAMES, LANGUAGES
from gis.queries import load_queries
from gis.town import Town
from webmap import wording
from webmap.area_drawing import draw_area
from webmap.languages import gettext, language
from webmap.paper import WIDTH, heading, paragraphs, table, write_pdf
from webmap.services import services
from webmap.staff import alert_words, alerts
from webmap.staff.access import blueprint, staff_account, staff_connection

_ALERT = load_queries(alerts.__file__)
_QUERIES = load_queries(__file__)
_MOST_FAILURES = 200
_DRAWING_HEIGHT = 230.0


@blueprint.get("/alerts/<int:alert_id>/report.pdf")
def alert_paper(alert_id: int) -> Response:
    """Answer the record of an alert as PDF, in the reader's language; the message's words in each of theirs."""
    with staff_connection(at_one_moment=True) as connection:
        try:
            course = report_alert(connection, alert_id, most_failures=_MOST_FAILURES)
        except UsageError:
            abort(404)
        progress = read_progress(connection, alert_id)
        texts = connection.execute(_ALERT["texts"], {"id": alert_id}).all()
        area, town = _read_shapes(connection, alert_id, services().town)
    alert = course.alert
    title = gettext("Record of message %(number)s", number=alert_id)
    # Of a drill it stands on every page.
    if mark := wording.drill_mark(alert.cap_status):
        title = f"{mark}: {title}"
    story = [
        *_facts(alert, _event(texts), title),
        *_heading(gettext("Area")),
        draw_area(area, town, WIDTH, _DRAWING_HEIGHT),
        *_steps(course),
        *_texts(texts),
        *_deliveries(course, progress),
    ]
    made = gettext("Made by %(account)s", account=staff_account().name)
    foot = f"{title} · {made} · {_time(progress.counts.read_at)}"
    disposition = f'attachment; filename="alert-{alert_id}.pdf"'
    return Response(
        write_pdf(story, title, foot, language()),
        mimetype="application/pdf",
        headers={"Content-Disposition": disposition},
    )


def _read_shapes(
    connection: Connection, alert_id: int, town: Town
) -> tuple[shapely.geometry.base.BaseGeometry, shapely.geometry.base.BaseGeometry]:
    """Return the area and the town in the plane; the town is empty where its outline was never imported."""
    values = {"id": alert_id, "plane_epsg": town.plane_epsg, "code": town.code}
    row = connection.execute(_QUERIES["shapes"], values).one()
    return shapely.from_wkb(row.area), shapely.from_wkb(row.town) if row.town else shapely.MultiPolygon()


def _facts(alert: Row[Any], event: str, title: str) -> list[Flowable]:
    rows = [
        (gettext("Identifier"), alert.identifier),
        (gettext("State"), wording.phrase(wording.ALERT_STATES, alert.state)),
        (gettext("Status"), wording.phrase(alert_words.STATUSES, alert.cap_status)),
        (gettext("Event"), f"{event} · {wording.phrase(wording.PHASES, alert.phase)}"),
        (gettext("Level"), f"{alert.level}: {wording.phrase(wording.LEVELS, alert.level)}"),
        (gettext("Area"), alert.area_name),
        (gettext("Replaces"), alert.references_id and gettext("Message %(number)s", number=alert.references_id)),
        (gettext("Replaced by"), alert.answer_id and gettext("Message %(number)s", number=alert.answer_id)),
        (gettext("Reported"), _time(alert.effective_at)),
        (gettext("Sent"), _time(alert.sent_at)),
        (gettext("Valid until"), _time(alert.expires_at)),
        (gettext("Submitted by"), wording.actor(alert.submitted_by)),
        (gettext("Approved by"), None if alert.override_reason else wording.actor(alert.approved_by)),
        (
            gettext("Sent under"),
            alert.standing_id and gettext("Standing approval %(number)s", number=alert.standing_id),
        ),
    ]
    spoken = language()
    return [
        *paragraphs(title, "title", spoken),
        *paragraphs(
            gettext("All times are Japan time. Letters that the font does not have are printed as 〓."), "quiet", spoken
        ),
        *_warnings(alert),
        table([], [row for row in rows if row[1]], (0.25, 0.75), spoken),
    ]


def _event(texts: Sequence[Row[Any]]) -> str:
    """Return what the message itself calls its event, in the reader's language."""
    return next((words.event for words in texts if words.language == language()), "")


def _warnings(alert: Row[Any]) -> list[Flowable]:
    """Say what was not as usual: sent by one alone, an area in doubt that somebody confirmed."""
    lines = []
    if alert.override_reason:
        alone = gettext("Sent by one person alone: %(account)s", account=alert.approved_by)
        lines.append(f"{alone}: {mask_addresses(alert.override_reason)}")
        if alert.told is not None:
            lines.append(gettext("Approvers told by mail: %(count)s addresses.", count=alert.told))
    if alert.area_confirmed_by:
        lines += [wording.phrase(alert_words.DOUBTS, doubt) for doubt in alert.area_doubts]
        lines.append(gettext("%(account)s has confirmed that this area is meant.", account=alert.area_confirmed_by))
    return [part for line in lines for part in paragraphs(line, "warning", language())]


def _steps(course: AlertReport) -> list[Flowable]:
    rows = [
        (
            _time(step.created_at),
            wording.phrase(wording.ALERT_STATES, step.state),
            wording.actor(step.account),
            " ".join(
                part
                for part in (
                    mask_addresses(step.note or ""),
                    gettext("%(count)s messages", count=step.messages) if step.messages else "",
                )
                if part
            ),
        )
        for step in course.steps
    ]
    head = [gettext("When"), gettext("State"), gettext("Who"), gettext("Note")]
    return [*_heading(gettext("Who did what")), table(head, rows, (0.25, 0.2, 0.19, 0.36), language())]


def _texts(texts: Any) -> list[Flowable]:
    story: list[Flowable] = []
    for words in sorted(texts, key=lambda row: LANGUAGES.index(row.language)):
        story += _heading(f"{LANGUAGE_NAMES[words.language]}: {words.headline}", words.language)
        for part in (words.instruction, words.description):
            story += paragraphs(part or "", "body", words.language)
        if words.short:
            label = gettext("Short form")
            story += paragraphs(f"{label}: {words.short}", "quiet", words.language)
    return story


def _deliveries(course: AlertReport, progress: Progress) -> list[Flowable]:
    """Tell what became of the messages; nothing for a message that was never approved."""
    counts, spoken = progress.counts, language()
    if not counts.messages:
        return []
    said = [gettext("%(accepted)s of %(messages)s accepted.", accepted=counts.accepted, messages=counts.messages)]
    if counts.first_at:
        span = gettext("From the first to the last:")
        said.append(f"{span} {_time(counts.first_at)} – {_time(counts.last_at)}")
    said.append(gettext("May have arrived twice: %(number)s.", number=progress.in_doubt))
    story = [*_heading(gettext("Deliveries")), *(part for line in said for part in paragraphs(line, "body", spoken))]
    states = [
        (wording.phrase(wording.DELIVERY_STATES, row.state), row.messages, _time(row.first_at), _time(row.last_at))
        for row in course.states
    ]
    head = [gettext("State"), gettext("Number"), gettext("First"), gettext("Last")]
    story.append(table(head, states, (0.3, 0.14, 0.28, 0.28), spoken))
    domains = [
        (
            alert_words.channel_title(row.channel),
            row.domain or (gettext("other domains") if row.channel == "mail" else ""),
            row.accepted,
            row.open,
            row.failed,
            row.suppressed,
        )
        for row in progress.domains
    ]
    head = [gettext("Channel"), gettext("Mail domain")]
    head += [gettext(words) for words in ("accepted", "waiting", "failed", "not sent any more")]
    story += [*_heading(gettext("By channel and mail domain")), table(head, domains, (0.2, 0.3, *[0.125] * 4), spoken)]
    return story + _failures(course, progress)


def _failures(course: AlertReport, progress: Progress) -> list[Flowable]:
    story: list[Flowable] = []
    spoken = language()
    if progress.reasons:
        rows = [(wording.phrase(alert_words.REASONS, code), number) for code, number in progress.reasons.items()]
        head = [gettext("Why it has not arrived"), gettext("Number")]
        story += [*_heading(gettext("Not arrived")), table(head, rows, (0.7, 0.3), spoken)]
    if course.failures:
        rows_of_attempts = [
            (_time(row.last_at), wording.phrase(wording.DELIVERY_STATES, row.outcome), row.messages, _reply(row.reply))
            for row in course.failures
        ]
        head = [gettext("Last"), gettext("State"), gettext("Number"), gettext("Reply of the mail server")]
        story += [
            *_heading(gettext("Attempts that did not work, also where a later one did")),
            table(head, rows_of_attempts, (0.25, 0.15, 0.1, 0.5), spoken),
        ]
        if len(course.failures) == _MOST_FAILURES:
            most = gettext("Only the newest %(number)s are listed; the table (CSV) has more.", number=_MOST_FAILURES)
            story += paragraphs(most, "quiet", spoken)
    return story


def _reply(reply: str) -> str:
    return " ".join(mask_addresses(reply).split())


def _heading(words: str, spoken: str = "") -> list[Flowable]:
    return heading(words, spoken or language())


def _time(moment: datetime | None) -> str:
    """Return a time to the second: an inquiry counts them."""
    return moment.astimezone(JST).strftime("%Y-%m-%d %H:%M:%S") if moment else ""
