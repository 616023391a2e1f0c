"""R1, followed: each line of each inbox to the page that does it, and what is open back to a line.

Nothing of the inbox is asked but its lines: what is open is told by `open_items`, and what a page holds is read on it.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from django.db import transaction

from governance import clock
from governance.contributions import contributed
from governance.notifications import due
from governance.notifications.closing import covered, escalated, objects_of
from governance.notifications.inbox import InboxTask, all_tasks
from initiatives.models import Initiative
from tests.support.initiatives.open_items import OpenItem, open_items
from tests.support.web.pressed_buttons import REFUSED, Browser, Page

# What is known to be wrong, and why: this list may only become shorter.
KNOWN = {
    "Not shown yet": "the item of a gate left to do leads to its form before it is shown",
    "stays after “Continue the stage” was pressed": "the walk continues a stage until a day that comes soon",
}
LISTED = "a.btn, ul.todo a, table a"  # a list leads on to each of its rows
MOST_ROWS = 8
LATER = (0, 4, 20)  # days after which reminders are looked at, when nobody did anything


def known(wrong: str) -> bool:
    """Whether it is in the list of what is known."""
    return any(words in wrong for words in KNOWN)


def lines_of(person) -> list[InboxTask]:
    """What waits for a person, without first steps."""
    return [task for task in all_tasks(person) if task.verb != "start"]


def links_of(task: InboxTask) -> list[str]:
    """Where a line leads, and each of its parts."""
    return [one.link for one in (task, *task.parts)]


def wrong_in(cast, as_, initiative: Initiative, counted: Counter) -> Iterator[str]:
    """What is wrong with the inboxes of everybody in this state."""
    browsers, links = {}, {}
    for person in cast.people.values():
        browser = browsers[person.login] = Browser(as_(person))
        lines = lines_of(person)
        links[person.login] = [link for task in lines for link in links_of(task)]
        for task in lines:
            counted["lines"] += 1
            for one in (task, *task.parts):
                counted["links"] += 1
                if said := _dead_end(browser, one):
                    yield f"{person.login}: “{one.text}” ({one.button}, {one.link}): {said}"
        for link, number in Counter(task.link for task in lines).items():
            if number > 1:
                yield f"{person.login}: {number} lines to {link}"
    for item in open_items(initiative):
        counted["open things"] += 1
        if not any(_leads_to(item, browsers[login], found) for login, found in links.items()):
            yield f"in nobody's inbox: {item.words}"
    yield from _reminded_in_vain(counted)
    for person in cast.people.values():
        for task in lines_of(person):
            yield from _stays(person, browsers[person.login], task, counted)


def _reminded_in_vain(counted: Counter) -> Iterator[str]:
    """Whom a reminder asks for an act that their inbox does not have, now or later."""
    now = clock.now()
    for days in LATER:
        with clock.simulated(now + timedelta(days=days)):
            asked: dict = {}
            for one in due.find().values():
                if one.kind in contributed.asking and not escalated(one.period):
                    asked.setdefault(one.person, []).append(one)
            for person, reminders in asked.items():
                counted["reminders"] += len(reminders)
                objects = objects_of(all_tasks(person))
                for one in reminders:
                    if not covered(one.object_key, objects):
                        yield f"{person.login}: reminded of {one.kind} ({one.object_key}), not in the inbox"


def _dead_end(browser: Browser, task: InboxTask) -> str:
    """Why the link of a line does not lead to what it asks for; empty where it does."""
    page = browser.open(task.link)
    if page.status != 200:
        return page.refuses or str(page.status)
    if task.to_know or task.verb == "see" or page.buttons or _holds_acts(browser, page):
        return ""
    return page.refuses or "opens nothing to do"


def _holds_acts(browser: Browser, page: Page) -> bool:
    """Whether a link of the page leads to a form, or a row of its list to a page with a button to one."""
    nearer = [there for there in page.links("a.btn") if browser.open(there).buttons]
    rows = list(page.links(LISTED))[:MOST_ROWS]
    return bool(nearer) or any(
        browser.open(there).buttons
        or any(browser.open(further).buttons for further in browser.open(there).links("a.btn"))
        for there in rows
    )


def _leads_to(item: OpenItem, browser: Browser, links: list[str]) -> bool:
    """Whether one of these links opens what resolves the item, or a list in which it stands."""
    for link in links:
        page = browser.open(link)
        here = {urlsplit(page.address).path} if page.buttons else set()
        if item.places & (here | {button.path for button in page.buttons}):
            return True
        for there in page.links():
            if urlsplit(there).path in item.places and browser.open(there).buttons:
                return True
    return False


def _stays(person, browser: Browser, task: InboxTask, counted: Counter) -> Iterator[str]:
    """Press the one act of a line's page, filled in, and take that back: the line is gone once it was done."""
    if task.to_know or task.verb == "see":
        return
    page = browser.open(task.link)
    primary = [button for button in page.buttons if button.primary]
    if len(primary) != 1:
        return
    opened = dict(browser.opened)
    with transaction.atomic():
        after = browser.press(primary[0], fill=True)
        again = [button for button in after.buttons if button.primary and not after.led_on]
        if len(again) == 1:  # the consequences are shown, and confirmed
            after = browser.press(again[0], fill=True)
        left = lines_of(person) if after.led_on else []
        transaction.set_rollback(True)
    browser.opened.update(opened)  # what was done is taken back
    if after.status in REFUSED:
        yield f"{person.login}: “{task.text}”: “{primary[0].words}” is refused: {after.refuses}"
    elif not after.led_on:
        counted["not accepted as filled in"] += 1
    else:
        counted["acts done"] += 1
    if after.led_on and any(
        (one.key, one.text, one.parts) == (task.key, task.text, task.parts) for one in left
    ):
        yield f"{person.login}: “{task.text}” stays after “{primary[0].words}” was pressed"
