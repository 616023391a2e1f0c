"""Saved views of the list: a person's own filters by name, at most twenty, and nobody else's."""

import pytest
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.urls import reverse

from initiatives.models import SavedView
from initiatives.portfolio.initiative_list import actions
from tests.support import factories

pytestmark = pytest.mark.django_db


def test_a_filter_is_saved_listed_and_deleted(cast, as_):
    factories.make_initiative(cast)
    client = as_(cast.owner)
    page = client.get("/initiatives/?mine=on&approved_stage=proposed&page=1")
    assert "Save this view" in page.content.decode()
    sent = {"name": "  Mine,  ideas ", "query": page.context["shown_filter"]}
    answer = client.post(reverse("view-save"), sent, follow=True)
    view = SavedView.objects.get()
    assert (view.person, view.name, view.query) == (
        cast.owner,
        "Mine, ideas",
        "approved_stage=proposed&mine=on",
    )
    assert answer.context["filter"].values["approved_stage"] == "proposed"
    words = client.get("/initiatives/?approved_stage=proposed&mine=on").content.decode()
    assert (
        '<a href="/initiatives/?approved_stage=proposed&amp;mine=on" aria-current="page">Mine, ideas</a>'
        in words
    )
    assert "Mine, ideas" not in as_(cast.chair).get("/initiatives/").content.decode()
    client.post(reverse("view-delete", args=[view.pk]))
    assert not SavedView.objects.exists()


def test_views_are_ones_own(cast, as_):
    view = actions.save_view(name="Held", query=QueryDict("held=on"), by=cast.owner)
    assert as_(cast.chair).post(reverse("view-delete", args=[view.pk])).status_code == 404
    actions.delete_view(view=view, by=cast.chair)
    assert SavedView.objects.filter(pk=view.pk).exists()


def test_there_are_twenty_at_most_and_the_same_name_stands_for_the_new_one(cast, as_):
    for number in range(actions.MOST):
        actions.save_view(name=f"View {number}", query=QueryDict("held=on"), by=cast.owner)
    with pytest.raises(ValidationError, match="Delete a view"):
        actions.save_view(name="One more", query=QueryDict("held=on"), by=cast.owner)
    actions.save_view(name="View 3", query=QueryDict("mine=on&view=board&as_of=2026-01-01"), by=cast.owner)
    assert cast.owner.saved_views.count() == actions.MOST
    assert cast.owner.saved_views.get(name="View 3").query == "mine=on&view=board"
    actions.save_view(name="One more", query=QueryDict("held=on"), by=cast.chair)
    answer = as_(cast.owner).post(reverse("view-save"), {"name": "One more", "query": "held=on"}, follow=True)
    assert "You have 20 saved views." in answer.content.decode()


def test_a_view_needs_a_name_and_a_filter(cast):
    for name, query, said in (
        (" ", "held=on", "Give the view a name"),
        ("x" * 61, "held=on", "at most 60"),
        ("All", "view=table&page=2&nothing=1", "No filter is active"),
    ):
        with pytest.raises(ValidationError, match=said):
            actions.save_view(name=name, query=QueryDict(query), by=cast.owner)
