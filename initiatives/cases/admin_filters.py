"""How the admin finds rows of a case: by its stage and unit, its title and number."""

from django.contrib import admin

OF_STAGE = ("initiative__stage", ("initiative__unit", admin.RelatedOnlyFieldListFilter))
BY_CASE = ("initiative__title", "=initiative__number")
