"""消防の出動 as tables that are dropped into a folder (form: ingest/fire/table.py; folder: ingest/folder.py).

[fire_table]
type = "fire_csv"
title = "…消防本部"
folder = "/srv/fire"            # files are moved into its taken/ or rejected/
every_s = 10
complete = "marker"             # optional: only what has NAME.done beside it; default: what did not change for 2 s
office = "…消防本部"              # as the public reads it; default: title
authority = "fire"              # whose dispatch numbers these are; default: fire, as of the push door
datum = "JGD2011"               # of its coordinates; without it they are not read
[fire_table.columns]            # optional: where its headers are other than the usual ones
number = "事案番号"
"""

from __future__ import annotations

from functools import partial

from ingest.configuration import SourceConfig
from ingest.fire.dispatch import Service, fold_dispatch
from ingest.fire.table import TableForm, read_form, read_table
from ingest.folder import check_folder_options, has_whole_file, take_folder
from ingest.source import Source

_FOLDS = dict.fromkeys(("fire", "other"), fold_dispatch)


def make_source(config: SourceConfig) -> Source:
    """Return the source of one folder.

    Raises
    ------
    UsageError : an option is missing or wrong.
    """
    check_folder_options(config)
    service = Service(
        str(config.options.get("office", config.title)), str(config.options.get("authority", Service.authority))
    )
    return Source(
        name=config.name,
        title=config.title,
        parse=partial(read_table, service=service, source=config.name, form=read_form(config)),
        folds=_FOLDS,
        schedule=config.schedule,
        fetch=take_folder,
        is_waiting=partial(has_whole_file, config.options),
        is_private=True,
        trusts_clock=False,
        options=config.options,
    )


SOURCE = Source(
    "fire_csv",
    "消防（出動の表）",
    partial(read_table, service=Service(), source="fire_csv", form=TableForm()),
    _FOLDS,
    is_private=True,
    trusts_clock=False,
)
