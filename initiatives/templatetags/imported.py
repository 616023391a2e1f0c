"""What the source of an imported case said, for its page."""

from django import template

from initiatives.importing import asserted as source
from initiatives.importing.sources import KNOWN

register = template.Library()


@register.simple_tag
def asserted_of(case):
    """`{% asserted_of case as asserted %}`: None for cases registered here."""
    return source.asserted(case)


@register.filter
def source_words(key: str) -> str:
    """The name of a source of inventories; one that was mapped by hand keeps the name it was given."""
    return KNOWN[key].words if key in KNOWN else key
