"""Telegrams of our own in JMA's format, for what the saved real ones do not have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.jma.xml import JST

BEGIN = datetime(2031, 5, 1, 10, 0, tzinfo=JST)
_TITLES = {
    "VXSE51": "震度速報",
    "VXSE52": "震源に関する情報",
    "VXSE53": "震源・震度に関する情報",
    "VXSE61": "顕著な地震の震源要素更新のお知らせ",
    "VTSE41": "津波警報・注意報・予報a",
    "VTSE51": "津波情報a",
    "VTSE52": "沖合の津波観測に関する情報",
}
QUAKE = """<Earthquake><OriginTime>2031-05-01T09:57:00+09:00</OriginTime><Hypocenter><Area><Name>三陸沖</Name>
<eb:Coordinate>{position}</eb:Coordinate></Area></Hypocenter>
<eb:Magnitude description="Ｍ７．４">7.4</eb:Magnitude></Earthquake>"""


def telegram(
    code: str,
    content: str = "",
    *,
    minute: int = 0,
    status: str = "通常",
    action: str = "発表",
    serial: str = "",
    event: str = "20310501095700",
    title: str | None = None,
    begin: datetime = BEGIN,
) -> bytes:
    """Return a telegram sent `minute` minutes after `begin`; `content` is the inside of Body."""
    at = begin + timedelta(minutes=minute)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Report xmlns="http://xml.kishou.go.jp/jmaxml1/">
<Control><Title>{title or _TITLES[code]}</Title><DateTime>{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}</DateTime>
<Status>{status}</Status><PublishingOffice>試験用の官署</PublishingOffice></Control>
<Head xmlns="http://xml.kishou.go.jp/jmaxml1/informationBasis1/"><Title>{code}の題</Title>
<ReportDateTime>{at.isoformat()}</ReportDateTime><TargetDateTime>{at.isoformat()}</TargetDateTime>
<EventID>{event}</EventID><InfoType>{action}</InfoType><Serial>{serial}</Serial>
<Headline><Text>{code} {minute}分の見出し</Text></Headline></Head>
<Body xmlns="http://xml.kishou.go.jp/jmaxml1/body/seismology1/" xmlns:eb="http://xml.kishou.go.jp/jmaxml1/elementBasis1/">
{content}</Body></Report>""".encode()


def forecast(
    kind: str = "52",
    *,
    last: str | None = "00",
    area: str = "220",
    name: str = "",
    height: str = '<eb:TsunamiHeight description="５ｍ">5</eb:TsunamiHeight>',
    first: str = "<ArrivalTime>2031-05-01T10:30:00+09:00</ArrivalTime>",
    observed: str = "",
    position: str = "+38.0+142.9-10000/",
) -> str:
    """Return a tsunami body for one area."""
    last_kind = f"<LastKind><Name/><Code>{last}</Code></LastKind>" if last is not None else ""
    return f"""<Tsunami>{observed}<Forecast><Item><Area><Name>宮城県</Name><Code>{area}</Code></Area>
<Category><Kind><Name>{name}</Name><Code>{kind}</Code></Kind>{last_kind}</Category>
<FirstHeight>{first}</FirstHeight><MaxHeight>{height}</MaxHeight></Item></Forecast></Tsunami>
{QUAKE.format(position=position)}"""


def observation(height_m: float | None, *, code: str = "22002", station: str = "鮎川", area: str = "220") -> str:
    """Return the Observation of one gauge; no height means that the wave is still being watched."""
    height = (
        f'<eb:TsunamiHeight description="{height_m}ｍ">{height_m}</eb:TsunamiHeight>'
        if height_m is not None
        else "<Condition>観測中</Condition>"
    )
    return f"""<Observation><Item><Area><Name>宮城県</Name><Code>{area}</Code></Area><Station><Name>{station}</Name>
<Code>{code}</Code><FirstHeight><ArrivalTime>2031-05-01T10:20:00+09:00</ArrivalTime><Initial>押し</Initial></FirstHeight>
<MaxHeight>{height}</MaxHeight></Station></Item></Observation>"""


def shaking(
    city: str | None = None, *, area: str | None = None, condition: str = "", position: str | None = None
) -> str:
    """Return an earthquake body; without `position` it has no hypocentre (VXSE51)."""
    city_part = ""
    if city is not None or condition:
        city_part = (
            f"<City><Name>東松島市</Name><Code>0421400</Code>{f'<MaxInt>{city}</MaxInt>' if city else ''}"
            f"{f'<Condition>{condition}</Condition>' if condition else ''}</City>"
        )
    area_intensity = f"<MaxInt>{area}</MaxInt>" if area else ""
    area_part = (
        f"<Area><Name>宮城県中部</Name><Code>222</Code>{area_intensity}{city_part}</Area>" if area or city_part else ""
    )
    return f"""{QUAKE.format(position=position) if position else ""}<Intensity><Observation><MaxInt>7</MaxInt>
<Pref><Name>宮城県</Name><Code>04</Code><MaxInt>7</MaxInt>{area_part}</Pref></Observation></Intensity>"""
