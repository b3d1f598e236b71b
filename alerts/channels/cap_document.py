"""Every message as CAP 1.2 (OASIS), for aggregators and other systems; the Atom feed links each."""

from __future__ import annotations

from alerts.cap import CONTENT_TYPE, render_cap
from alerts.channels.outgoing import Publication

CHANNEL = Publication(
    name="cap",
    titles={
        "ja": "このお知らせのCAP形式（機械用）",
        "ja-x-easy": "CAP（機械（きかい）の ため）",
        "en": "This message as CAP (for machines)",
    },
    suffix=".cap",
    content_type=CONTENT_TYPE,
    render=render_cap,
)
