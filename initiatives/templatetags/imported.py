"""Template tag: the asserted history of an imported case."""

from django import template

from initiatives.imports.assertions import asserted_history
from initiatives.imports.assertions.asserted_moves import MOVES
from initiatives.imports.inventories.inventory_sources import KNOWN
from initiatives.imports.portfolio.portfolio_plan import OWN
from initiatives.models.imports import OWN_SHEET

register = template.Library()


@register.simple_tag
def asserted_of(case):
    """`{% asserted_of case as asserted %}`: None for cases registered here."""
    return asserted_history.asserted(case)


@register.filter
def source_words(key: str) -> str:
    """The name of a source of inventories; one that was mapped by hand keeps the name it was given."""
    if key == OWN_SHEET:
        return OWN
    return KNOWN[key].words if key in KNOWN else key


@register.filter
def move_words(key: str) -> str:
    """How an asserted move is called."""
    return MOVES.get(key, key)
