"""The web application for servers that speak ASGI."""

import os

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

from governance.operations.startup import refuse, refuse_wrong_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

try:
    application = get_asgi_application()
    refuse_wrong_folder()
except ImproperlyConfigured as wrong:
    refuse(wrong)
