"""Why a value or position of a file cannot be used, in words that a page can say in the reader's language."""

from __future__ import annotations

from gis.errors import Phrase, UsageError


class UnfitError(UsageError, ValueError):
    """A value or a position that cannot be right; the words follow its row or name ("is missing")."""

    @property
    def phrase(self) -> Phrase:
        """The words, to be put into a sentence."""
        return Phrase(self.template, self.blanks)
