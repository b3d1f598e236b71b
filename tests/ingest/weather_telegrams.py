"""Warnings of our own in JMA's format: what runs on, is lifted, withdrawn and begins again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.jma.kinds import KINDS, SILENT_KINDS
from ingest.jma.xml import JST

BEGIN = datetime(2031, 9, 1, 6, 0, tzinfo=JST)
OURS = ("東松島市", "0421400")
_TITLES = {code: title for title, code in KINDS.items()} | {code: title for title, (code, _) in SILENT_KINDS.items()}


def warning_telegram(
    code: str,
    body: str,
    *,
    hour: float = 0,
    action: str = "発表",
    status: str = "通常",
    office: str = "仙台管区気象台",
    head_title: str = "宮城県警報・注意報",
    event: str = "",
    head: str = "",
    begin: datetime = BEGIN,
) -> bytes:
    """Return a telegram sent `hour` hours after `begin`; `head` is what stands in the headline beside its text."""
    at = begin + timedelta(hours=hour)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/">
<Control><Title>{_TITLES[code]}</Title><DateTime>{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</DateTime>
<Status>{status}</Status><EditorialOffice>{office}</EditorialOffice>
<PublishingOffice>{office}</PublishingOffice></Control>
<Head xmlns="http://xml.kishou.go.jp/jmaxml1/informationBasis1/"><Title>{head_title}</Title>
<ReportDateTime>{at.isoformat()}</ReportDateTime><EventID>{event}</EventID><InfoType>{action}</InfoType><Serial/>
<Headline><Text>{hour}時間後の見出し</Text>{head}</Headline></Head>
<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/meteorology1/">{body}</Body></Report>""".encode()


def in_force(*kinds: tuple[str, str, str], area: tuple[str, str] = OURS) -> str:
    """Return a Warning block of one municipality; each kind is (name, code, status); none means nothing in force."""
    items = "".join(
        f"<Kind><Name>{name}</Name><Code>{code}</Code><Status>{status}</Status></Kind>" for name, code, status in kinds
    )
    items = items or "<Kind><Status>発表警報・注意報はなし</Status></Kind>"
    return (
        f'<Warning type="気象警報・注意報（市町村等）"><Item>{items}'
        f"<Area><Name>{area[0]}</Name><Code>{area[1]}</Code></Area></Item></Warning>"
    )


RAIN_ADVISORY = in_force(("レベル２大雨注意報", "10", "発表"))
RAIN_WARNING = in_force(("レベル３大雨警報", "03", "発表"))
RAIN_DANGER = in_force(("レベル４大雨危険警報", "43", "発表"))
RAIN_SPECIAL = in_force(("レベル５大雨特別警報", "33", "発表"))
RAIN_LIFTED = in_force(("レベル３大雨警報", "03", "解除"))
NOTHING = in_force()


def rain(body: str, hour: float = 0, **more: object) -> bytes:
    """Return a VPWW55."""
    return warning_telegram("VPWW55", body, hour=hour, **more)  # type: ignore[arg-type]
