"""Every message in the manner of Lアラート, for systems that relay to broadcasters (docs/l-alert.md)."""

from __future__ import annotations

from alerts.channels.outgoing import Publication
from alerts.l_alert import render_l_alert

CHANNEL = Publication(
    name="l-alert",
    titles={
        "ja": "放送事業者などへ中継するシステム用（XML）",
        "ja-x-easy": "ほかの システムに 送（おく）るための もの（XML）",
        "en": "For systems that relay to broadcasters (XML)",
    },
    suffix="/l-alert.xml",
    content_type="application/xml",
    render=render_l_alert,
)
