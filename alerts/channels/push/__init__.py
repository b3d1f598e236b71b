"""Web Push (RFC 8030): everything of the channel lies in this folder; `alerts.delivery` finds it by `CHANNEL`."""

from __future__ import annotations

from alerts.channels.push.delivery import CHANNEL

__all__ = ["CHANNEL"]
