"""A police table of 100,000 thefts, loaded as `ingest load` does, beside bare COPYs of the same rows.

    python -m bench.police_csv [--rows 100000]

The table is made up: the header of the open data, the quarters of the demonstration town, a tenth about other towns.
Two peers in the same run, on the same durable cluster: the rows of all tables that the load wrote, copied into tables
with the same columns, checks and indexes, without triggers; and the file itself, copied into one table of text.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Connection, text

from bench.history_cost import bench_settings
from gis.database import SERVICE, Database, owner_engine
from gis.settings import Settings
from ingest.loading import load_files
from ingest.source import find_source
from layers.copying import driver
from layers.demonstration.loading import load_demonstration_layers

WANTED = 3.0
HEADER = (
    "罪名,手口,管轄警察署（発生地）,管轄交番・駐在所（発生地）,市区町村コード（発生地）,都道府県（発生地）,市区町村（発生地）,町丁目（発生地）,"
    "発生年月日（始期）,発生時（始期）,発生場所の属性,被害者の性別,被害者の年齢,被害者の職業,現金被害の有無"
)
WRITTEN = (
    ("ingest", "report"),
    ("ingest", "report_private"),
    ("ingest", "situation"),
    ("ingest", "shown_place"),
    ("layers", "incident"),
    ("history", "incident"),
)


def make_table(quarters: list[str], count: int) -> bytes:
    """Return a file of `count` thefts, in cp932 with CRLF as the police write it."""
    chance = random.Random(4214)
    lines = [HEADER]
    for _ in range(count):
        day = date(2015, 1, 1) + timedelta(days=chance.randrange(3650))
        where = "042145,宮城県,東松島市" if chance.random() < 0.9 else "042021,宮城県,石巻市"
        lines.append(
            f"窃盗,ひったくり,石巻,矢本,{where},{chance.choice(quarters)},{day:%Y/%m/%d},{chance.randrange(24):02},道路上,"
            f"{chance.choice(('男性', '女性'))},{chance.randrange(1, 8)}0歳代,会社員,あり"
        )
    return ("\r\n".join(lines) + "\r\n").encode("cp932")


def load(database: Database, settings: Settings, body: bytes) -> float:
    """Return the seconds of the real path: stored raw, parsed, guarded, placed, folded, with history and timeline."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "miyagi_hittakuri.csv"
        path.write_bytes(body)
        begun = time.perf_counter()
        summary = load_files(database, settings, find_source("police_open_data"), [path])
        spent_s = time.perf_counter() - begun
    print(f"loaded: {summary.changed} reports, {summary.elsewhere} of other towns, {summary.rejected} rejected")
    return spent_s


def copy_written(connection: Connection) -> tuple[float, int, int]:
    """Return (seconds, rows, bytes) of copying everything that the load wrote into equal tables without triggers."""
    here = driver(connection)
    spent_s, rows, size = 0.0, 0, 0
    for schema, name in WRITTEN:
        table, bare = sql.Identifier(schema, name), sql.Identifier("bare", f"{schema}_{name}")
        here.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING IDENTITY)").format(bare, table))
        with here.cursor().copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(table)) as copy:
            blocks = [bytes(block) for block in copy]
        begun = time.perf_counter()
        cursor = here.cursor()
        with cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(bare)) as copy:
            for block in blocks:
                copy.write(block)
        spent_s += time.perf_counter() - begun
        rows, size = rows + cursor.rowcount, size + sum(map(len, blocks))
    return spent_s, rows, size


def copy_file(connection: Connection, body: bytes) -> float:
    """Return the seconds of a bare COPY of the file into one table of text, decoded by the server, without an index."""
    here = driver(connection)
    names = next(csv.reader(io.StringIO(HEADER)))
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in names)
    here.execute(sql.SQL("CREATE TABLE bare.file ({})").format(columns))
    begun = time.perf_counter()
    with here.cursor().copy("COPY bare.file FROM STDIN (FORMAT csv, HEADER true, ENCODING 'SJIS')") as copy:
        copy.write(body)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    with bench_settings() as settings:
        database, owner = Database(settings.app_url()), owner_engine(settings.owner_url())
        with owner.begin() as connection:
            load_demonstration_layers(connection)
        with database.begin(SERVICE) as connection:
            query = text("SELECT DISTINCT name FROM layers.town_block ORDER BY 1")
            quarters = list(connection.execute(query).scalars())
        body = make_table(quarters, options.rows)
        print(f"{options.rows} rows, {len(body) / 1e6:.1f} MB, {len(quarters)} quarters")
        ours_s = load(database, settings, body)
        with psycopg.connect(settings.owner_url(), autocommit=True) as plain:
            plain.execute("CHECKPOINT")
        with owner.begin() as connection:
            connection.execute(text("CREATE SCHEMA bare"))
        with owner.begin() as connection:
            bare_s, rows, size = copy_written(connection)
        with owner.begin() as connection:
            file_s = copy_file(connection, body)
        database.dispose()
        owner.dispose()
    print(f"the load                                     {ours_s:8.1f} s")
    print(
        f"bare COPY of what it wrote ({rows} rows, {size / 1e6:.0f} MB) {bare_s:8.1f} s   ratio {ours_s / bare_s:.1f}"
    )
    print(f"bare COPY of the file into text               {file_s:8.1f} s   ratio {ours_s / file_s:.1f}")
    print(f"wanted: at most {WANTED:.0f} times the bare COPY of the same rows")
    sys.exit(1 if ours_s > WANTED * bare_s else 0)


if __name__ == "__main__":
    main()
