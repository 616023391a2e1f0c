"""Visibility of initiatives, roles and seats of a person there, who can sign, and the lookup for a request."""
