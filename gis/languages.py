"""The languages every page and mail has, by BCP 47 tag.

`ja-x-easy` is やさしい日本語 (easy Japanese); BCP 47 has no registered tag for it, so a private-use
subtag marks it (RFC 5646 section 2.2.7).
"""

LANGUAGES = ("ja", "ja-x-easy", "en")
DEFAULT_LANGUAGE = "ja"
LANGUAGE_NAMES = {"ja": "日本語", "ja-x-easy": "やさしい日本語", "en": "English"}
