"""Why a value or position of a file cannot be used, in words that a page can say in the reader's language."""

from __future__ import annotations


class UnfitError(ValueError):
    """A value or a position that cannot be right.

    Parameters
    ----------
    template : English, with `%(name)s` for each of `blanks`; the catalogues translate it (webmap/unfit_words.py).
    """

    def __init__(self, template: str, **blanks: object) -> None:
        super().__init__(template % blanks if blanks else template)
        self.template = template
        self.blanks = blanks
