"""R4, walked: one person opens the main pages of an initiative, follows each button, and sends each form empty."""

from collections import Counter
from collections.abc import Iterator

from django.db import transaction
from django.urls import reverse

from initiatives.contributions import contributed
from initiatives.models import Initiative
from tests.support.web.pressed_buttons import REFUSED, Browser, Page, name_of

# Beside the pages of the sections: where requests and drafts are.
MORE = ("review-open", "waivers", "contract-edit", "initiative-stub")


def _sections() -> set[str]:
    """Pages that tell more than what cannot be done."""
    return {page.url_name for page in contributed.initiative_pages}


def main_pages(initiative: Initiative) -> list[str]:
    """The inbox, the pages of each section, and the open review."""
    names = dict.fromkeys([*sorted(_sections()), *MORE])
    reviews = initiative.reviews.filter(outcome="open")
    own = [reverse(name, args=[initiative.ref]) for name in names]
    return ["/", *own, *(review.get_absolute_url() for review in reviews)]


def refused_to(person, as_, initiative: Initiative, counted: Counter) -> Iterator[str]:
    """Each button on these pages that leads the person to a refusal, and each form that refuses them when sent."""
    browser, pressed = Browser(as_(person)), set()
    for place in main_pages(initiative):
        page = browser.open(place)
        if page.status != 200:
            continue
        counted["pages"] += 1
        yield from _sent(browser, page, person, counted, pressed)
        primary = page.links("a.btn.go, a.btn.no")
        for there, words in page.links("a.btn").items():
            if there in pressed:
                continue
            pressed.add(there)
            counted["links"] += 1
            further = browser.open(there)
            asks = there in primary and name_of(there) not in _sections()
            if further.status in REFUSED or (asks and further.refuses):
                yield f"{person.login}: “{words}” on {name_of(place)} leads to {name_of(there)}: {further.refuses}"
            else:
                yield from _sent(browser, further, person, counted, pressed)


def _sent(browser: Browser, page: Page, person, counted: Counter, pressed: set) -> Iterator[str]:
    for button in page.buttons:
        key = (button.path, button.tag.get("name"), button.tag.get("value"))
        if key in pressed or not button.primary:
            continue
        pressed.add(key)
        counted["forms sent"] += 1
        opened = dict(browser.opened)
        with transaction.atomic():
            after = browser.press(button, fill=False)
            transaction.set_rollback(True)
        browser.opened.update(opened)  # what was done is taken back
        if after.status in REFUSED:
            yield (
                f"{person.login}: “{button.words}” ({name_of(button.action)}) on {name_of(page.address)}: "
                f"{after.refuses}"
            )
