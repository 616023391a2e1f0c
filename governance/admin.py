"""Registers the admin modules of governance with Django."""

from governance.web import admin as web_admin

__all__ = ["web_admin"]
