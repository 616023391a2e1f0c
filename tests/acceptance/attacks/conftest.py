"""The login that attacks past the application write with."""

import pytest
from django.db import connection

from tests.support import plugin


@pytest.fixture
def application_login() -> str:
    """The login of web and worker; the owner must be allowed to put it on."""
    plugin.address_for(plugin.LOGINS.application)
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        if not cursor.fetchone()[0]:
            pytest.skip("the user in DATABASE_URL may not act as the application")
    return plugin.LOGINS.application
