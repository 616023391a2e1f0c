"""The web application for servers that speak ASGI."""

import os

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

from governance.startup import refuse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

try:
    application = get_asgi_application()
except ImproperlyConfigured as wrong:
    refuse(wrong)
