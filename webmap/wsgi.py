"""The application object for a WSGI server: `granian --interface wsgi webmap.wsgi:app`."""

from gis.logs import configure_logs
from webmap.app import create_app

configure_logs()
app = create_app()
