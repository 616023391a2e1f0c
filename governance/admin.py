"""Where Django looks for the admin of this app."""

from governance.web import admin as web_admin

__all__ = ["web_admin"]
