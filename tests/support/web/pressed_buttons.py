"""What a person can press on a page: the enabled buttons of its forms, and its links; filled in like a careful person.

Only `main` counts: the frame of every page has the same search, menu and sign-out.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup
from bs4.element import Tag
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import Resolver404, resolve

from adoption.demo.artefacts import pdf
from governance import clock
from tests.support.factories import PASSWORD

PRIMARY = {"go", "no"}
REFUSED = (403, 404, 409)
# Forms that change nothing of an initiative: how somebody looks at a list, and what they put off.
ASIDE = {"snooze", "view-save", "view-delete", "notifications-read"}


def name_of(address: str) -> str:
    """The name of an address of ours, with rows and verb where many acts share it; "" for any other."""
    try:
        found = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    kwargs = found.kwargs
    if "verb" in kwargs:
        return "/".join(kwargs[part] for part in ("rows", "verb") if part in kwargs)
    return found.url_name or ""


@dataclass(frozen=True)
class Button:
    """A button that sends a form: where to, with which other fields, and its words."""

    action: str
    form: Tag
    tag: Tag

    @property
    def words(self) -> str:
        """What stands on it."""
        return " ".join(self.tag.get_text(" ").split())

    @property
    def primary(self) -> bool:
        """Whether it is drawn as what to do."""
        return bool(PRIMARY & set(self.tag.get("class") or ()))

    @property
    def path(self) -> str:
        """Its address without the query."""
        return urlsplit(self.action).path

    def fields(self, *, fill: bool) -> dict[str, list]:
        """What a browser sends when it is pressed; with `fill`, each empty field that is asked for is filled in."""
        found: dict[str, list] = {}
        chosen = set()
        for field in _fields(self.form):
            name, kind = field["name"], field.get("type", "text")
            if field.name == "select":
                values = _selected(field, fill)
            elif field.name == "textarea":
                values = [field.get_text().removeprefix("\n") or (_text(field) if fill else "")]
            elif kind == "file":
                values = [_file()] if fill and field.has_attr("required") else []
            elif kind in ("checkbox", "radio"):
                pick = field.has_attr("checked") or (fill and name not in chosen and _wants(field, self.form))
                values = [field.get("value", "on")] if pick else []
                chosen |= {name} if pick else set()
            elif kind in ("submit", "button"):
                values = []
            else:
                values = [field.get("value", "") or (_value(field, kind) if fill else "")]
            found.setdefault(name, []).extend(values)
        if self.tag.get("name"):
            found.setdefault(self.tag["name"], []).append(self.tag.get("value", ""))
        found.pop("csrfmiddlewaretoken", None)
        return {name: values for name, values in found.items() if values}


def _fields(form: Tag) -> list[Tag]:
    own = form.select("input[name],select[name],textarea[name]")
    root = form.find_parent("main") or form
    key = form.get("id")
    return [*own, *(root.select(f'[form="{key}"][name]:not(button)') if key else [])]


def _selected(field: Tag, fill: bool) -> list[str]:
    options = field.select("option[selected]")
    if not options and not field.has_attr("multiple"):
        options = field.select("option")[:1]
    values = [option.get("value", option.get_text()) for option in options]
    if fill and field.has_attr("required") and not any(values):
        values = [option["value"] for option in field.select("option") if option.get("value")][:1]
    return values


def _wants(field: Tag, form: Tag) -> bool:
    """Whether a box or a choice has to be ticked, and none of its name is."""
    same = [one for one in _fields(form) if one["name"] == field["name"]]
    if any(one.has_attr("checked") for one in same):
        return False
    return any(one.has_attr("required") for one in same) or field.get("type") == "radio"


def _text(field: Tag) -> str:
    return "Because it was looked at, and is so." if field.has_attr("required") else ""


def _value(field: Tag, kind: str) -> str:
    if kind == "password":
        return PASSWORD
    if not field.has_attr("required"):
        return ""
    if kind == "date":
        latest = field.get("max")
        day = clock.today() if latest else clock.today() + timedelta(days=20)
        return day.isoformat()
    if kind == "number":
        return field.get("min") or "1"
    return "As it was agreed"


def _file() -> SimpleUploadedFile:
    return SimpleUploadedFile("page.pdf", pdf("A page").read(), "application/pdf")


class Page:
    """A page that was answered to somebody."""

    def __init__(self, response, address: str):
        self.status = response.status_code
        redirects = getattr(response, "redirect_chain", ())
        self.address = urljoin(address, redirects[-1][0]) if redirects else address
        self.led_on = bool(redirects)
        self._content = b"" if response.streaming else response.content
        self._html = response.get("Content-Type", "").startswith("text/html")

    @cached_property
    def main(self) -> Tag:
        """The part of the page that is its own."""
        soup = BeautifulSoup(self._content if self._html else b"", "html.parser")
        return soup.find("main") or soup

    @cached_property
    def buttons(self) -> list[Button]:
        """The enabled buttons of forms that are sent, but for those that only change how somebody looks at it."""
        found = []
        for form in self.main.select("form"):
            if form.get("method", "get").lower() != "post":
                continue
            tags = form.select("button, input[type=submit]")
            if key := form.get("id"):
                tags += self.main.select(f'button[form="{key}"]')
            for tag in tags:
                if tag.get("type") == "button" or tag.has_attr("disabled") or tag.has_attr("aria-disabled"):
                    continue
                action = tag.get("formaction") or form.get("action") or self.address
                button = Button(urljoin(self.address, action), form, tag)
                if name_of(button.action) not in ASIDE:
                    found.append(button)
        return found

    def links(self, chosen: str = "a[href]") -> dict[str, str]:
        """Addresses of ours behind the links that the selector chooses, with their words."""
        return {
            urljoin(self.address, link["href"]).partition("#")[0]: " ".join(link.get_text(" ").split())
            for link in self.main.select(chosen)
            if link.get("href", "").startswith(("/", "?"))
        }

    @property
    def refuses(self) -> str:
        """What the page says where it only says that something cannot be done; "" for any other."""
        if self.status in REFUSED:
            return f"{self.status}: {' '.join(self.main.get_text(' ').split())[:160]}"
        barred = self.main.select("[aria-disabled]")
        if barred and not self.buttons and not self.main.select("a.btn.go, a.btn.no"):
            reasons = " ".join(barred[0].find_parent("div").get_text(" ").split())
            return f"only a barred button: {reasons[:160]}"
        return ""


class Browser:
    """One person's browser: it opens each page once, until something was pressed."""

    def __init__(self, client):
        self.client = client
        self.opened: dict[str, Page] = {}

    def open(self, address: str) -> Page:
        """The page behind an address, with what it leads on to."""
        if address not in self.opened:
            self.opened[address] = Page(self.client.get(address, follow=True), address)
        return self.opened[address]

    def press(self, button: Button, *, fill: bool) -> Page:
        """What follows when a button is pressed."""
        self.opened.clear()
        data = button.fields(fill=fill) if fill else _empty(button)
        return Page(self.client.post(button.action, data, follow=True), button.action)


def _empty(button: Button) -> dict[str, list]:
    """What is sent where nobody typed anything: hidden fields alone."""
    hidden = {field["name"] for field in _fields(button.form) if field.get("type") == "hidden"}
    own = {button.tag.get("name")}
    return {name: values for name, values in button.fields(fill=False).items() if name in hidden | own}
