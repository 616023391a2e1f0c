"""Registers the admin modules of the nouns with Django."""

from initiatives.case_pages import admin as case_page_admin
from initiatives.enforcement import admin as enforcement_admin
from initiatives.integration.record import admin as record_admin
from initiatives.model_register import admin as model_register_admin
from initiatives.roles import admin as role_admin
from initiatives.rulebook_changes import admin as rulebook_changes_admin
from initiatives.units import admin as unit_admin

__all__ = [
    "case_page_admin",
    "enforcement_admin",
    "model_register_admin",
    "record_admin",
    "role_admin",
    "rulebook_changes_admin",
    "unit_admin",
]
