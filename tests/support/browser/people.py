"""People at their browsers: each signs in, reads, clicks and types; whatever a browser complains of is kept."""

import re
from dataclasses import dataclass, field

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response, expect

from adoption.demo import artefacts
from governance import clock
from governance.models import User
from initiatives.contributions import contributed
from tests.support import factories
from tests.support.browser.page_checks import NARROW, WIDE, measured

PATIENCE = 30_000  # milliseconds; long, because a machine under load is slow and not wrong

expect.set_options(timeout=PATIENCE)


@dataclass
class Watch:
    """What went wrong on any page of any person, and the browsers that are open."""

    browser: Browser
    address: str
    complaints: list[str] = field(default_factory=list)
    contexts: list = field(default_factory=list)
    typed: set[tuple] = field(default_factory=set)  # ways in which somebody typed name and password

    def page(self, **options) -> Page:
        """A page in a browser that shares nothing with the others. A violated policy is an error of its console."""
        options = {"viewport": WIDE, "reduced_motion": "reduce"} | options
        context = self.browser.new_context(base_url=self.address, **options)
        context.set_default_timeout(PATIENCE)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("response", self._look)
        return page

    def sign_in(self, person: User, way: "type[Person] | None" = None, **options) -> "Person":
        """A person in the inbox, who uses the browser in their own way.

        The first of each way types name and password; for those who follow the session is there already.
        """
        way = way or Person
        somebody = way(person, self.page(**(way.options | options)))
        kind = way, *sorted(map(str, options.items()))
        if kind in self.typed:
            self._seat(somebody)
        else:
            self.typed.add(kind)
            somebody.sign_in()
        return somebody

    def let_in(self, person: User) -> "Person":
        """A person whose session is there already, in the inbox: for walks of many people."""
        somebody = Person(person, self.page())
        self._seat(somebody)
        return somebody

    def _seat(self, somebody: "Person") -> None:
        client = Client()
        client.force_login(somebody.person)
        name = settings.SESSION_COOKIE_NAME
        somebody.page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "url": self.address}]
        )
        somebody.page.goto("/")
        expect(somebody.page.locator(".who")).to_contain_text(somebody.person.full_name)

    def close(self) -> None:
        """Every browser goes."""
        for context in self.contexts:
            context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.location.get('url')}: {message.text}")

    def _look(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.request.method} {response.url}: {response.status}")


class Person:
    """Somebody at a browser with a mouse, a window of common size, and scripts. The other ways are in ways.py."""

    options: dict = {}  # of the browser
    scripted = True

    def __init__(self, person: User, page: Page):
        self.person, self.page = person, page

    # What a hand does

    def follow(self, link: Locator) -> None:
        """Open a link, or press a button."""
        link.click()

    def fill(self, field: Locator, words: str) -> None:
        """Put these words into a field, in place of what is there."""
        field.fill(words)

    def select(self, field: Locator, option: Locator) -> None:
        """Choose this option of a list."""
        if field.get_attribute("data-picks"):
            field.fill(option.get_attribute("value"))
            field.press("Tab")
        else:
            field.select_option(value=option.get_attribute("value"))

    def check(self, box: Locator) -> None:
        """Tick a box, or choose one of several."""
        box.check()

    def hand_in(self, field: Locator, file: dict) -> None:
        """Choose a file."""
        field.set_input_files(file)

    # Getting about

    def sign_in(self) -> None:
        """Type name and password; the inbox opens."""
        self.page.goto("/")
        self.type("User name", self.person.login)
        self.type("Password", factories.PASSWORD)
        self.press("Sign in")
        expect(self.page.locator(".who")).to_contain_text(self.person.full_name)

    def click(self, name: str | re.Pattern, within: Locator | None = None) -> None:
        """Follow the first link of that name. What follows a colon is there for screen readers, set apart."""
        words = name if isinstance(name, re.Pattern) else re.compile(re.escape(name).replace(":", r"\s*:"))
        self.follow((within or self.page.locator("main")).get_by_role("link", name=words).first)

    def open(self, name: str, within: Locator | None = None) -> None:
        """Follow the first link of that name and wait for its page: one that still stands is not looked at for it."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.click(name, within)

    def press(self, name: str | re.Pattern, within: Locator | None = None, *, exact: bool = True) -> None:
        """Press the button of that name, or with `exact=False` the first that has it in its name."""
        self.follow(self._button(name, within, exact=exact))
        self.confirm()

    def _button(
        self, name: str | re.Pattern, within: Locator | None = None, *, exact: bool = True
    ) -> Locator:
        buttons = (within or self.page.locator("main")).get_by_role("button", name=name, exact=exact)
        return buttons if exact else buttons.first

    def confirm(self) -> None:
        """Read what will happen, where the page asks, and press the button of that form again."""
        self.page.wait_for_load_state("load")  # before its scripts have run, a page may forget what is typed
        asked = self.page.locator("main form").filter(has=self.page.locator("input[name=confirmed]"))
        if asked.count():
            for field in asked.locator("input[type=password]").all():
                self.fill(field, factories.PASSWORD)
            with self.page.expect_navigation(wait_until="domcontentloaded"):
                self.follow(asked.locator("button[type=submit]").first)

    def send(self, name: str, within: Locator | None = None) -> None:
        """Press the button of that name and wait for the page that answers: what stood before is not taken for it."""
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.follow(self._button(name, within))
        self.confirm()

    def type(self, label: str | re.Pattern, words: str, within: Locator | None = None) -> None:
        """Type into the field with that label."""
        self.fill((within or self.page.locator("main")).get_by_label(label), words)

    def tick(self, label: str, within: Locator | None = None) -> None:
        """Tick the box, or choose the answer, with that label."""
        self.check((within or self.page.locator("main")).get_by_label(label))

    def choose(self, label: str, choice: str, within: Locator | None = None) -> None:
        """Choose from a list the first option that begins with these words; waits until it is there.

        A part of the page before may be called like the list: only what can be chosen from is waited for. The script of
        the page makes a long list into a field to type into, so it has to be done first.
        """
        self.page.wait_for_load_state("load")
        lists = self.page.locator("select, input[list]")
        field = (within or self.page.locator("main")).get_by_label(label).and_(lists)
        picked = field.get_attribute("list")
        options = self.page.locator(f"#{picked}>option") if picked else field.locator("option")
        option = options.filter(has_text=re.compile(rf"^\s*{re.escape(choice)}")).first
        self.select(field, option)

    def unfold(self, words: str) -> None:
        """Open the parts of the page that are folded under these words."""
        part = self.page.locator("main details:not([open])>summary").filter(has_text=words)
        while part.count():
            self.follow(part.first)

    def inbox(self) -> None:
        """Back to what waits, with every fold of it open."""
        self._place("Inbox")
        self.page.locator("main section details:not(.small)").evaluate_all(
            "every => every.forEach(one => one.open = true)"
        )

    def _place(self, name: str) -> None:
        """An entry of the main navigation; on a phone its menu is opened first."""
        menu = self.page.get_by_role("button", name="Menu", exact=True)
        if menu.is_visible():
            menu.click()
        self._open(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name))

    def initiative_list(self) -> None:
        """To the portfolio."""
        self._place("Initiatives")

    def initiative(self, title: str) -> None:
        """To an initiative, through the portfolio."""
        self.initiative_list()
        self._open(self.page.get_by_role("link", name=title))

    def tab(self, name: str) -> None:
        """To another page of the initiative, through its section where that is another one."""
        page = next(one for one in contributed.initiative_pages if one.words == name)
        sections = self.page.get_by_role("navigation", name="Initiative", exact=True)
        below = self.page.get_by_role("navigation", name=page.section, exact=True).get_by_role("link")
        link = below.filter(has_text=re.compile(rf"^\s*{re.escape(name)}"))
        if link.count():
            self._open(link)
            return
        self._open(sections.get_by_role("link", name=page.section, exact=True))
        if link.count() and link.get_attribute("aria-current") != "page":
            self._open(link)

    def _open(self, link: Locator) -> None:
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.follow(link)

    def said(self, words: str) -> None:
        """The page says so, in the place where results are told."""
        expect(self.page.locator("main > [role=status]")).to_contain_text(words)

    def fits(self) -> None:
        """The page that is open needs no sideways scrolling at 390 pixels; nothing on it is cut off or covered."""
        found = measured(self.page, NARROW)
        self.page.set_viewport_size(WIDE)
        assert found == [], f"{self.page.url}: {found}"

    # The requirements

    def answer(self, keys: list[str]) -> None:
        """Answer requirements, each on its page, in the words of the rulebook; valid from today where a word counts."""
        for key in keys:
            self.unfold("Waits for")
            self.click(re.compile(r"^\s*Answer(?! from)"), self.page.locator(f"[id='row-{key}']"))
            counts = (
                self.page.get_by_text("What a good answer contains: ")
                .inner_text()
                .removeprefix("What a good answer contains: ")
            )
            self.type("Your answer", counts[:1].upper() + counts[1:])
            if self.page.get_by_label("Valid from").count():
                self.type("Valid from", clock.today().isoformat())
            self.press(re.compile("^Save(?: and close)?$"))
            self.said("Saved.")

    def unanswered(self, within: Locator | None = None, verb: str = "Answer(?! from)") -> list[str]:
        """The requirements of the open list, or of a part of it, that can be answered and are not yet."""
        self.unfold("Waits for")
        rows = (
            (within or self.page)
            .locator("li[id^=row-]")
            .filter(has=self.page.get_by_role("link", name=re.compile(f"^{verb}")))
        )
        return [name.removeprefix("row-") for name in rows.evaluate_all("rows => rows.map(row => row.id)")]

    def prove(
        self, kind: str, title: str, covers: list[str], *, condition="", clause="", result=True
    ) -> None:
        """Add one item for many requirements: a file of its own, or a clause of the contract."""
        self.tab("Evidence")
        self.click("Add evidence")
        self.click(f"Choose: {kind}")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(f"Add evidence: {kind.lower()}")
        for key in covers:
            self.check(self.page.locator(f"input[name=covers][value='{key}']"))
        self.type("Title", title)
        if clause:
            self.choose("Clause", clause)
        else:
            self.upload(title)
        if result:
            self.choose("Result", "Pass")
        if condition:
            self.choose("Test conditions", condition)
        self.press("Add the item")
        self.said("The item is added.")

    def upload(self, title: str) -> None:
        """Choose a file of its own: a PDF with this title."""
        file = artefacts.pdf(title)
        content = {"name": file.name, "mimeType": "application/pdf", "buffer": file.read()}
        self.hand_in(self.page.get_by_label("File"), content)

    # The board

    def bind(self, button: str, exact: bool = True) -> None:
        """Press a button that binds, with one's password."""
        self.type("Your password", factories.PASSWORD)
        with self.page.expect_navigation(wait_until="domcontentloaded"):
            self.follow(self._button(button, exact=exact))
        self.confirm()

    def accept_all(self, count: int) -> None:
        """From the inbox to the page of the roles that wait, all of them ticked and signed at once."""
        self.inbox()
        self.open("Read and answer")
        self.open("Tick all")
        self.bind("Accept the ticked roles")
        self.said(f"You accepted {count} roles.")

    def approve_contract(self) -> None:
        """Approve the contract that is on the page, for one's seat."""
        self.click("Review and sign")
        self.check(self.page.get_by_label("Approve this text"))
        self.bind("Sign as ", exact=False)

    def sign(self, line: str = "Review and sign") -> None:
        """From that line of the inbox to the review, read the statement of one's seat, sign it with the password."""
        self.inbox()
        self.click(line)
        self.click(re.compile("^(Approve and sign|Approve again|Sign again)"))
        expect(self.page.locator(".statement").first).to_contain_text("meets these criteria")
        self.bind("Sign as ", exact=False)
        self.said("Signed as ")

    def decide(self, reason: str) -> None:
        """From the inbox to the review that is ready, and approve it as chair."""
        self.inbox()
        self.click("Read and decide")
        expect(self.page.locator("main")).to_contain_text("ready for decision")
        self.click("Approve", self.page.get_by_role("complementary", name="Decision"))
        self.type("Reason", reason)
        self.bind("Approve")
        expect(self.page.locator("main")).to_contain_text(f"Approved by {self.person.full_name}")
