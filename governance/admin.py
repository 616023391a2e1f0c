"""Registers the admin modules of governance with Django."""

from governance.web import admin as web_admin
from governance.web import identity_admin

__all__ = ["identity_admin", "web_admin"]
