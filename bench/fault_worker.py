"""A worker's process to kill: `python -m bench.fault_worker APP_URL VAR_DIR SMTP_URL ALERT_ID [DEATH]` sends one alert.

DEATH is `step:when:number` of `bench.fault_death`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from alerts import ledger
from alerts.channels import smtp_wire
from alerts.delivery import send_alert
from bench.fault_death import Death
from gis.database import Database
from gis.settings import Settings


def main() -> None:
    app_url, var_dir, smtp_url, alert_id, *deaths = sys.argv[1:]
    smtp_wire.TIMEOUTS = smtp_wire.Timeouts(connect=3, command=3, content=3)
    ledger.PATIENCE_S = 90.0
    for death in deaths:
        Death.parse(death).arrange()
    settings = Settings(var_dir=Path(var_dir), app_database_url=app_url, smtp_url=smtp_url, jma_feed_url="")
    database = Database(app_url, pool_size=3)
    print(dict(send_alert(database, settings, int(alert_id))), flush=True)
    database.dispose()


if __name__ == "__main__":
    main()
