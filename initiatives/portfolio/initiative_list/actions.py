"""Saved filters of the list: a person names, keeps and deletes them. They decide nothing."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import QueryDict

from governance.models import User
from governance.vocabulary.phrases import phrase
from governance.vocabulary.readable_text import refusal
from initiatives.models import SavedView
from initiatives.portfolio.initiative_list.filters import PortfolioFilter

MOST = 20
LONGEST = {name: SavedView._meta.get_field(name).max_length or 0 for name in ("name", "query")}


def filter_of(query: QueryDict) -> str:
    """Return the filter and view of an address as a query in one order, or ""."""
    said = QueryDict(mutable=True)
    for name in (*PortfolioFilter.base_filters, "view"):
        value = query.get(name, "").strip()
        if value and (name, value) != ("view", "table"):
            said[name] = value
    return said.urlencode()


def save_view(*, name: str, query: QueryDict, by: User) -> SavedView:
    """Save the filter of an address under a name. The same name replaces its filter.

    Raises ValidationError without a name or a filter, and past twenty views.
    """
    name, said = " ".join(name.split()), filter_of(query)
    if not name or len(name) > LONGEST["name"]:
        raise ValidationError(phrase("Give the view a name of at most {} letters.", LONGEST["name"]))
    if why := refusal(name) or refusal(said):
        raise ValidationError(why)
    if not said:
        raise ValidationError("No filter is active. Choose a filter, press Filter, then save the view.")
    if len(said) > LONGEST["query"]:
        raise ValidationError("These filters are too long to save. Search for fewer words.")
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.pk)  # two at once could both be the twentieth
        if by.saved_views.exclude(name=name).count() >= MOST:
            raise ValidationError(
                phrase("You have {} saved views. Delete a view, then save “{}” again.", MOST, name)
            )
        return by.saved_views.update_or_create(name=name, defaults={"query": said})[0]


def delete_view(*, view: SavedView, by: User) -> None:
    """Delete a saved view of the person."""
    by.saved_views.filter(pk=view.pk).delete()
