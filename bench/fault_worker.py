"""A worker's process to kill: `python -m bench.fault_worker APP_URL VAR_DIR SMTP_URL ALERT_ID` sends one alert."""

from __future__ import annotations

import sys
from pathlib import Path

from alerts import ledger
from alerts.channels import smtp
from alerts.delivery import send_alert
from gis.database import Database
from gis.settings import Settings


def main() -> None:
    app_url, var_dir, smtp_url, alert_id = sys.argv[1:5]
    smtp.TIMEOUTS = smtp.Timeouts(connect=3, command=3, content=3)
    ledger.PATIENCE_S = 90.0
    settings = Settings(var_dir=Path(var_dir), app_database_url=app_url, smtp_url=smtp_url, jma_feed_url="")
    database = Database(app_url, pool_size=3)
    print(dict(send_alert(database, settings, int(alert_id))), flush=True)
    database.dispose()


if __name__ == "__main__":
    main()
