"""Filters of the admin by case: stage and unit, title and number."""

from django.contrib import admin

OF_STAGE = ("initiative__stage", ("initiative__unit", admin.RelatedOnlyFieldListFilter))
BY_CASE = ("initiative__title", "=initiative__number")
