"""What a run did, for the person who watches it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass
class RunSummary:
    """Counts of one run of a source or one replay.

    Attributes
    ----------
    documents : bodies looked at; new : of them, not seen before; changed : reports that were new or different.
    elsewhere : of the changed, those that say nothing about this town.
    skipped : entries of a feed whose kind we do not consume.
    rejected : records that did not parse, of documents that did.
    dead_letters : (document name, reason) of what did not parse.
    incidents : `layers.incident.fid` of those touched.
    failures : what the other side did not give, one sentence each; empty when the run succeeded.
    """

    documents: int = 0
    new: int = 0
    changed: int = 0
    elsewhere: int = 0
    skipped: int = 0
    rejected: int = 0
    dead_letters: list[tuple[str, str]] = field(default_factory=list)
    incidents: set[int] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    @property
    def unchanged(self) -> int:
        return self.documents - self.new

    def __iadd__(self, other: RunSummary) -> RunSummary:
        for counted in fields(self):
            mine, theirs = getattr(self, counted.name), getattr(other, counted.name)
            setattr(self, counted.name, mine | theirs if isinstance(mine, set) else mine + theirs)
        return self

    def lines(self) -> list[str]:
        """Return the summary as lines for a console."""
        counts = (
            f"{self.documents} documents: {self.new} new, {self.unchanged} unchanged; {self.changed} reports changed; "
            f"{len(self.incidents)} incidents touched"
        )
        if self.elsewhere:
            counts += f"; {self.elsewhere} reports are not about this town"
        if self.rejected:
            counts += f"; {self.rejected} records rejected"
        if self.skipped:
            counts += f"; {self.skipped} feed entries of other kinds skipped"
        return [
            counts,
            *(f"dead letter: {name}: {reason}" for name, reason in self.dead_letters),
            *(f"failed: {failure}" for failure in self.failures),
        ]
