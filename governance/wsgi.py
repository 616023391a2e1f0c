"""The web application as gunicorn loads it: `gunicorn governance.wsgi`."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from governance.operations.startup import refuse, refuse_wrong_folder
from governance.runtime import web_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")
# A page is never worth more: one statement that runs away (before tables are analysed, the planner guesses) would hold
# its thread for hours, after its reader has long gone.
os.environ.setdefault("PLUMBLINE_STATEMENT_SECONDS", "60")
# A thread that makes a page gives way after half a millisecond instead of five: a decision, which takes about that
# long, would else wait for several such turns (measured by tests/drills/systems/decisions.py).
sys.setswitchinterval(0.0005)

try:
    application = web_server.watched(get_wsgi_application())
    refuse_wrong_folder()
except ImproperlyConfigured as wrong:
    refuse(wrong)
