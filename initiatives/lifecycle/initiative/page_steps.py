"""Page steps: pages that ask for one act. Nouns declare theirs, and three addresses show and do all.

A deed declares the act and its step together: permission, effect, entry, form and words (ADR 97).
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance.audit_log.deed import Deed
from governance.database import row_history, shown_state
from governance.database.shown_state import OverwritingForm
from governance.models import User
from governance.permission_result import Answer, Conflict
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import day
from governance.transparency_log import as_of
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import ReasonForm
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.access.initiative_lookup import owner_of
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, back_to, insist, sent
from initiatives.models import Initiative


class SignedReasonForm(SigningForm, ReasonForm):
    """A reason, and the signature."""


Words = Any  # a text, or a function that makes the text from the subject
STRUCK_OUT = _("The row stays on the page, crossed out, with your name and your reason.")


def fields_of(form: forms.BaseForm) -> dict:
    """Return what a valid form says, as the act takes it."""
    return form.act() if callable(getattr(form, "act", None)) else form.cleaned_data


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The frame of the steps outside the pages of an initiative, one for each noun.

    `seen` returns the rows that the person may see. No other row is found (404). `page` is the address of the page to
    go back to, of the row. An address in the field `next` of the page goes before it. If this address ends in "=", the
    key of what was made is added. `template` gets the row by its noun.
    """

    nav: str
    seen: Callable[[QuerySet, User], QuerySet]
    page: Callable[[Any], str] = lambda row: row.get_absolute_url()
    template: str = "initiatives/integration/systems/system_form.html"
    initiative: Callable[[Any], Initiative | None] = lambda row: None  # that the entry of a refusal is about


@dataclass(frozen=True, kw_only=True)
class PageStep:
    """The declaration of a page that asks for one act. Its subject is an initiative, a row, or else the person.

    Texts are words, or a function that makes the words from the subject.
    """

    may: Callable[[Any, User], Answer]  # of the subject and the person
    may_open: Callable[[Any, User], Answer] | None = None  # to read the page without the act; None: `may`
    act: Callable[..., Any]  # takes the subject as `noun`, `by`, and the fields of the form
    noun: str = "initiative"
    page: str = "initiative"  # the page of a section that the step belongs to
    frame: Frame | None = None  # of a row outside the pages of an initiative
    back: Words = ""  # the page after the act: an address, or the name of one of the initiative; "": `page`
    after: Callable[[Any, Any, User], str] | None = (
        None  # that page, of the subject, the result and the person
    )
    # Called with the request and the result: it tells more, or returns a page to show instead of going on.
    then: Callable[[SignedInRequest, Any], HttpResponse | None] = lambda request, result: None
    form: Callable[..., forms.BaseForm] = ReasonForm
    given: Callable[[Any, SignedInRequest], dict] = lambda subject, request: {}  # arguments of the form
    fields: Callable[[Any], dict] = fields_of  # of the valid form: what the act takes
    signed: str = ""  # the act as the rulebook names it for its signature; "": the act asks for none
    with_files: bool = False  # the form takes files
    title: Words
    lede: Words = ""
    happens: tuple[Words, ...] | Callable[[Any], list] = ()  # what the act does, in sentences
    parts: Callable[[Any, SignedInRequest], list] = lambda subject, request: []  # shown above the form
    template: str = ""  # a page of its own, with `context` of the subject and the request; "": the common one
    context: Callable[[Any, SignedInRequest], dict] = lambda subject, request: {}
    verb: Words
    another: Words = ""  # the words of a second button, which leads to the empty form again
    danger: bool = False
    done: Words  # the message after the act; "": none

    def effects(self, subject: Any) -> list:
        """Return what the act does to this subject, in sentences."""
        happens = self.happens(subject) if callable(self.happens) else self.happens
        said = (words(subject) if callable(words) else words for words in happens)
        return [words for words in said if words]

    def page_of(
        self, request: SignedInRequest, subject: Any, initiative: Initiative | None, name: str
    ) -> HttpResponse:
        """Return the page of the step, or do its act and go on. Raises Refused without the permission."""
        may = self.may if request.method == "POST" else self.may_open or self.may
        insist(request, may(subject, request.user), name, initiative)
        reads = request.method != "POST" and not self.may_open
        if reads and isinstance(self.act, Deed) and (ended := self.act.ended(subject)):
            raise Conflict(ended)

        def said(words):
            return words(subject) if callable(words) else words

        if self.frame:
            back = back_to(request, said(self.back) or self.frame.page(subject))
        else:
            back = said(self.back) or self.page
            back = back if back.startswith("/") else reverse(back, args=[initiative.ref])
        files = [request.FILES or None] if self.with_files else []
        given, effects = self.given(subject, request), self.effects(subject)
        if self.signed:
            facts = {} if subject is initiative else {self.noun: str(subject)}
            purpose = f"{name}: {initiative.ref if initiative else subject}"
            given = {"request": request, "purpose": purpose, "act": self.signed, "facts": facts} | given
        if isinstance(self.form, type) and issubclass(self.form, SigningForm):
            given = {
                "shows": lambda: shown_state.fields_of(subject) | {phrase("the effects"): effects}
            } | given
        if isinstance(self.form, type) and issubclass(self.form, OverwritingForm):
            given = {"row": subject} | given
        form = self.form(sent(request), *files, **given)
        made = acted(
            request, form, lambda: self.act(**{self.noun: subject, "by": request.user}, **self.fields(form))
        )
        if isinstance(form, OverwritingForm) and form.unchanged:
            messages.info(request, _("You changed no field. No entry was written."))
            return redirect(back)
        if made:
            if shown := self.then(request, made):
                return shown
            if done := said(self.done):
                messages.success(request, done)
            if self.another and request.POST.get("step") == "another":
                return redirect(request.path)
            there = self.after(subject, made, request.user) if self.after else back
            there = back_to(request, there) if self.frame else there
            return redirect(f"{there}{getattr(made, 'pk', '')}" if there.endswith("=") else there)
        page = {
            "title": said(self.title),
            "lede": said(self.lede),
            "happens": effects,
            "parts": self.parts(subject, request),
            "verb": said(self.verb),
            "another": said(self.another),
            "danger": self.danger,
            "back_url": back_to(request, back),
        } | self.context(subject, request)
        if self.frame:
            page |= {
                "nav": self.frame.nav,
                "form": form,
                "next": request.GET.get("next", ""),
                self.noun: subject,
            }
            return render(
                request, self.template or self.frame.template, page, status=getattr(form, "status", 200)
            )
        return ask(
            request,
            initiative,
            self.page,
            form,
            **page,
            **({"template": self.template} if self.template else {}),
        )


@dataclass(frozen=True, kw_only=True)
class RowAct(PageStep):
    """A page step on one row of an initiative, or on a row with a frame."""

    rows: QuerySet  # those it can be done to, each with an `initiative` unless there is a frame
    of: str = ""  # the relation to the row that has the `initiative`, where the row has none


# By the verb in the address: "record-drill". Views of the nouns add theirs.
INITIATIVE_ACTS: dict[str, PageStep] = {}
# By the rows and the verb in the address: "drills/withdraw". Views of the nouns add theirs.
ROW_ACTS: dict[str, RowAct] = {}
# By the verb in the address: "add-unit". These acts need neither. They have a frame, and their `noun` is "by".
PLAIN_ACTS: dict[str, PageStep] = {}


@dataclass(frozen=True, kw_only=True)
class InitiativeDeed(Deed):
    """An act on an initiative, or on one of its rows. Its initiative is locked."""

    noun: str = "initiative"
    rows: QuerySet | None = None  # those it can be done to; None: initiatives
    of: str = ""  # the relation to the row that has the `initiative`, where the row has none
    supports: bool = False  # the act changes facts that the supported stage depends on

    def frame(self, row: Any, *, by: User, reason: str) -> AbstractContextManager:
        """Return the act on the initiative of the row."""
        initiative = row if self.rows is None else owner_of(row, self.of).initiative_id
        return act(self.name, by=by, initiative=initiative, reason=reason)

    def again(self, row: Any, locked: Initiative) -> Any:
        """Return the row as it is now, with the locked initiative."""
        if self.rows is None:
            return locked
        row = self.rows.get(pk=row.pk)
        owner_of(row, self.of).initiative = locked
        return row

    def follow(self, locked: Initiative) -> None:
        """Rewrite the supported stage if the act can change it."""
        if self.supports:
            rewrite_supported_stage(locked)


def deed(address: str = "", **said: Any) -> Callable[[Callable[..., Any]], InitiativeDeed]:
    """Declare the decorated effect as a deed with a page step.

    `address` is the verb ("hold"), for rows after the rows and a slash ("gaps/close"). A deed without an address has no
    step. `said` has the fields of the deed, and those of the step. The name of the effect names the act in the entry of
    a refusal.
    """
    own = {one.name for one in fields(InitiativeDeed)}

    def declare(effect: Callable[..., Any]) -> InitiativeDeed:
        of_deed = {name: value for name, value in said.items() if name in own}
        made = InitiativeDeed(name=effect.__name__.replace("_", " "), effect=effect, **of_deed)
        step = {name: value for name, value in said.items() if name not in own}
        step |= {"may": made.may, "act": made, "noun": made.noun}
        if address and made.rows is None:
            INITIATIVE_ACTS[address] = PageStep(**step)
        elif address:
            ROW_ACTS[address] = RowAct(rows=made.rows, of=made.of, **step)
        return made

    return declare


def buttons(row: Any, person: User, *, without: Deed | None = None) -> list[tuple[str, str]]:
    """Return address and words of each deed on this row that the person may do now. On another day there are none.

    `without` is a deed that the page offers in another way.
    """
    found: list[tuple[str, str]] = []
    if as_of.current() is not None:
        return found
    for address, step in ROW_ACTS.items():
        one = step.act
        if one is without or not isinstance(one, InitiativeDeed) or not isinstance(row, step.rows.model):
            continue
        if not one.ended(row) and one.may(row, person):
            rows, verb = address.split("/")
            found.append((reverse("row-act", args=[rows, row.pk, verb]), step.verb))
    return found


def with_buttons(rows: Iterable, person: User) -> list:
    """Return the rows, each with its `buttons` for the person."""
    found = list(rows)
    for row in found:
        row.buttons = buttons(row, person)
    return found


def recorded(row: Any) -> str:
    """Return the row with the person who recorded it and the moment."""
    return f"{row}, recorded by {row.by} on {day(row.at)}."


def on_initiative(may: Callable[[Initiative, User], Answer]) -> Callable[[Any, User], Answer]:
    """Return a permission on a row that depends on its initiative only."""
    return lambda row, person: may(row.initiative, person)


@sensitive_post_parameters("password", "subject")
@require_http_methods(["GET", "HEAD", "POST"])
def initiative_act(request: SignedInRequest, ref: str, verb: str) -> HttpResponse:
    """Show or do one act on an initiative. Raises Http404 for an undeclared act."""
    if (step := INITIATIVE_ACTS.get(verb)) is None:
        raise Http404("This page does not exist.")
    initiative = initiative_lookup.initiative_for(request.user, ref)
    return step.page_of(request, initiative, initiative, verb.replace("-", " "))


@sensitive_post_parameters("password", "subject")
@require_http_methods(["GET", "HEAD", "POST"])
def row_act(request: SignedInRequest, rows: str, pk: int, verb: str) -> HttpResponse:
    """Show or do one act on one row. Raises Http404 for an undeclared act."""
    if (step := ROW_ACTS.get(f"{rows}/{verb}")) is None:
        raise Http404("This page does not exist.")
    name = f"{verb.replace('-', ' ')} {step.noun.replace('_', '-')}"
    if step.frame:
        row = step.frame.seen(step.rows, request.user).filter(pk=pk).first()
        if row is None:
            raise Http404("This page does not exist.")
        initiative = step.frame.initiative(row)
        row_history.concerns(initiative)
        return step.page_of(request, row, initiative, name)
    row = initiative_lookup.of_initiative(step.rows, request.user, pk, step.of)
    return step.page_of(request, row, owner_of(row, step.of).initiative, name)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def plain_act(request: SignedInRequest, verb: str) -> HttpResponse:
    """Show or do one act that needs neither an initiative nor a row. Raises Http404 for an undeclared act."""
    if (step := PLAIN_ACTS.get(verb)) is None:
        raise Http404("This page does not exist.")
    return step.page_of(request, request.user, None, verb.replace("-", " "))
