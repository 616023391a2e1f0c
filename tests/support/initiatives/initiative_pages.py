"""What tests of the pages of an initiative share: addresses by name, and the acts that a request left in the audit
log.
"""

from contextlib import contextmanager

from bs4 import BeautifulSoup
from django.urls import get_resolver, reverse

from governance.models import Entry
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PLAIN_ACTS
from tests.support.factories import PASSWORD

# What is sent besides with an act that binds.
SIGNED = {"password": PASSWORD}


def at(name: str, *args, **query) -> str:
    """The address of a page, or of an act ("links/close" on a row, "record-drill", "add-unit"), with its query."""
    tail = "&".join(f"{key}={value}" for key, value in query.items())
    if "/" in name:
        rows, verb = name.split("/")
        name, args = "row-act", (rows, *args, verb)
    elif get_resolver().url_patterns and name in INITIATIVE_ACTS:  # the views that are loaded declare theirs
        name, args = "initiative-act", (*args, name)
    elif name in PLAIN_ACTS:
        name, args = "plain-act", (name,)
    return reverse(name, args=args) + (f"?{tail}" if tail else "")


@contextmanager
def acts():
    """Collect the kinds of entries that are written inside the block, in order."""
    before = Entry.objects.acts().count()
    kinds: list[str] = []
    yield kinds
    kinds += list(Entry.objects.acts().order_by("id").values_list("kind", flat=True)[before:])


def seen(response) -> dict:
    """What a page on which several statements are signed at once sends back of what it showed."""
    found = BeautifulSoup(response.content, "html.parser").select_one("input[name=sign_seen]")
    return {"sign_seen": found["value"]}


def text_of(response) -> str:
    """The page as text."""
    return response.content.decode()
