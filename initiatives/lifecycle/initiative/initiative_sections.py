"""The sections of an initiative and the pages of each."""

from django.urls import reverse
from django.utils.translation import gettext, gettext_noop

from initiatives.contributions import InitiativePage, contributed
from initiatives.models import Initiative, Review

SECTIONS = (
    gettext_noop("Overview"),
    gettext_noop("Requirements"),
    gettext_noop("Review"),
    gettext_noop("Contract and access"),
    gettext_noop("System"),
    gettext_noop("Operation"),
    gettext_noop("Activity"),
)


def sections_of(initiative: Initiative, current: str, facts, review: Review | None) -> list[dict]:
    """Return the sections with their pages, with the current ones marked. Review opens an open `review`.

    Keys: words, url, current, pages (dicts of words, url, count, current). A page without a place in the menu belongs
    to the page with the first part of its name, such as "integration-profiles" to "integration".
    """
    pages = contributed.initiative_pages
    if current not in {page.url_name for page in pages}:
        current = current.partition("-")[0]
    found = []
    for words in SECTIONS:
        own = [_page(initiative, page, current, facts) for page in pages if page.section == words]
        url = own[0]["url"]
        if words == "Review" and review is not None:
            url = review.get_absolute_url()
        found.append(
            {"words": gettext(words), "url": url, "current": any(one["current"] for one in own), "pages": own}
        )
    return found


def _page(initiative: Initiative, page: InitiativePage, current: str, facts) -> dict:
    return {
        "words": gettext(page.words),
        "url": reverse(page.url_name, args=[initiative.ref]),
        "count": page.count(facts) if page.count else None,
        "current": page.url_name == current,
    }
