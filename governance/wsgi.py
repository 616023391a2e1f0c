"""The web application as gunicorn loads it: `gunicorn governance.wsgi`."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

from governance.startup import refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as wrong:
    refuse(wrong)
