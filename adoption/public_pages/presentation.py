"""What the public page and its badge say: the stage that is supported, as the portfolio reads it, and its limits."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from adoption.models import ProblemLink, PublicPage
from adoption.public_pages import permissions
from governance import clock
from governance.models import Rulebook
from governance.runtime import link_tokens
from governance.transparency_log import as_of
from governance.vocabulary import STAGE_RANK, Role, Stage
from initiatives.contributions import Part
from initiatives.lifecycle.facts import supported_stage_rows
from initiatives.models import Initiative, KillSwitch, RoleAssignment, ScopeVersion
from initiatives.portfolio.initiative_list import filters

# Approved, supported, and supported as a badge has it, where "MVP" is the same in every language.
APPROVED: dict[str | None, Any] = {
    Stage.PROTOTYPE: gettext_lazy("as prototype"),
    Stage.MVP: gettext_lazy("as MVP"),
    Stage.PRODUCTION: gettext_lazy("for production"),
}
NOTHING = gettext_lazy("no stage yet")
SUPPORTED: dict[str | None, Any] = {
    Stage.PROTOTYPE: gettext_lazy("a prototype"),
    Stage.MVP: gettext_lazy("an MVP"),
    Stage.PRODUCTION: gettext_lazy("use in production"),
}
SHORT: dict[str | None, Any] = {
    Stage.PROTOTYPE: gettext_lazy("Prototype"),
    Stage.MVP: "MVP",
    Stage.PRODUCTION: gettext_lazy("In production"),
}
MEANS: dict[str | None, Any] = {
    Stage.PROTOTYPE: gettext_lazy(
        "A prototype is for trying out. Do not let your work depend on it, and check what it says."
    ),
    Stage.MVP: gettext_lazy(
        "An MVP is a trial with limits. Use it only within those below, and check what it says."
    ),
    Stage.PRODUCTION: gettext_lazy("Within the limits below, work may depend on it."),
}
MEANS_NOTHING = gettext_lazy("Do not let your work depend on it: nothing shows yet that it may be used.")
# Grounds of the words of a badge, dark enough for white letters.
GREEN, BLUE, BROWN, RED, GREY = "#1b6e3c", "#1f5f9e", "#8a4f00", "#a32626", "#59616b"
COLOURS: dict[str | None, str] = {Stage.PRODUCTION: GREEN, Stage.MVP: BLUE, Stage.PROTOTYPE: BROWN}
PADDING = 8  # pixels beside the words of a badge


@dataclass(frozen=True)
class PublicInitiative:
    """What anybody may know of an initiative; every sentence is in the language in force when it is asked for.

    `supported` is the stage of the span that holds now, as in the portfolio; None while it is worked out again.
    """

    initiative: Initiative
    purpose: str
    supported: str | None
    held: bool
    off: bool

    @property
    def over(self) -> str:
        """That it was withdrawn, stopped or retired, and what follows; empty while it runs."""
        if self.initiative.withdrawn_at:
            return _("It was registered by mistake and is withdrawn. Nobody should use it.")
        if self.initiative.stage == Stage.STOPPED:
            return _("It was stopped. Nobody should use it any more.")
        if self.initiative.stage == Stage.RETIRED:
            return _("It is retired. Nobody should use it any more.")
        return ""

    @property
    def headline(self) -> str:
        """Approved as what, and what the evidence supports: never the approved stage alone. Over: that it is."""
        if self.over:
            return self.over
        if self.initiative.stage not in APPROVED:
            return _("It is an idea: nothing is approved, and nobody should use it for their work.")
        words = {
            "approved": APPROVED[self.initiative.stage],
            "supported": SUPPORTED.get(self.supported, NOTHING),
        }
        if self.initiative.imported:
            if self.supported is None:
                return _("A list says that it is approved %(approved)s; here it is not.") % words
            return (
                _(
                    "A list says that it is approved %(approved)s; here it is not; its evidence supports %(supported)s."
                )
                % words
            )
        if self.supported is None:
            return (
                _("Approved %(approved)s; what its evidence supports is being worked out. Look again later.")
                % words
            )
        if STAGE_RANK[self.supported] >= STAGE_RANK[self.initiative.stage]:
            return _("Approved %(approved)s, and its evidence supports that.") % words
        return _("Approved %(approved)s; its evidence supports %(supported)s.") % words

    @property
    def meaning(self) -> str:
        """What the supported stage means for whoever uses it; empty where it is over or an idea."""
        if self.over or self.initiative.stage not in APPROVED:
            return ""
        return str(MEANS.get(self._shown, MEANS_NOTHING))

    @property
    def stops(self) -> list[str]:
        """What stands against using it now: switched off, held."""
        if self.over:
            return []
        found = []
        if self.off:
            found.append(
                _("It is switched off: whatever it asks to do is refused until it is switched on again.")
            )
        if self.held:
            found.append(
                _("It is on hold: until that is resolved it goes no further, and some of it may be refused.")
            )
        return found

    @property
    def badge_words(self) -> str:
        """The words of the badge: what stops it, or the supported stage."""
        if self.initiative.withdrawn_at:
            return _("Withdrawn")
        if self.over:
            return _("Stopped") if self.initiative.stage == Stage.STOPPED else _("Retired")
        if self.off:
            return _("Switched off")
        if self.supported is None:
            return _("Being worked out")
        if self.initiative.stage not in APPROVED:
            return _("Idea")
        words = str(SHORT.get(self._shown, _("No stage supported")))
        return _("%(stage)s, on hold") % {"stage": words} if self.held else words

    @property
    def badge_colour(self) -> str:
        """The ground of these words."""
        if self.over or self.off:
            return RED
        if self.supported is None or self.initiative.stage not in APPROVED:
            return GREY
        return COLOURS.get(self._shown, GREY)

    @property
    def _shown(self) -> str | None:
        """The supported stage, never above the approved one: what nobody approved is not shown as reached."""
        return (
            min(self.supported, self.initiative.stage, key=STAGE_RANK.__getitem__) if self.supported else None
        )

    @property
    def badge(self) -> dict:
        """Words, title and measures of the badge, in whole pixels: no language writes these with a comma."""
        words, ref = self.badge_words, self.initiative.ref
        left, right = (_width(text) + 2 * PADDING for text in (ref, words))
        said = " ".join([self.headline, *self.stops])
        return {
            "ref": ref,
            "words": words,
            "title": f"{ref}: {words}. {said}",
            "colour": self.badge_colour,
            "left": left,
            "right": right,
            "width": left + right,
            "ref_at": left // 2,
            "words_at": left + right // 2,
            "ref_length": left - 2 * PADDING,
            "words_length": right - 2 * PADDING,
        }


def _width(words: str) -> int:
    """About how wide these words are in the letters of a badge, in pixels: they are set to this width everywhere."""
    return sum(
        4 if one in "ijltfr,.' -" else 10 if one in "MWmw" else 8 if one.isupper() else 7 for one in words
    )


@dataclass(frozen=True)
class Limits:
    """For whom it is, where, with which data and until when: the scope in force."""

    scope: ScopeVersion

    @cached_property
    def places(self) -> list[str]:
        """Departments and places."""
        return [*self.scope.departments, *self.scope.places]

    @property
    def ended(self) -> date | None:
        """The day on which it was to end, where that is past."""
        ends = self.scope.ends_on
        return ends if ends is not None and ends < clock.today() else None


def public_initiative(token: str) -> PublicInitiative | None:
    """What is known of the initiative whose page has this address; None where nobody has it, or it opens nothing
    now.
    """
    off = KillSwitch.objects.filter(initiative=OuterRef("pk"), released_at__isnull=True)
    pages = link_tokens.rows_of(PublicPage.objects.shown(), token)
    initiatives = filters.with_support(Initiative.objects.all(), Rulebook.objects.in_force(), clock.now())
    initiative = (
        initiatives.filter(public_pages__in=pages)
        .annotate(off=Exists(off), purpose=F("public_pages__purpose"))
        .first()
    )
    if initiative is None:
        return None
    known = initiative.supported != "recomputing" and supported_stage_rows.is_own(initiative)
    supported = (initiative.supported or Stage.PROPOSED) if known else None
    return PublicInitiative(initiative, initiative.purpose, supported, initiative.held, initiative.off)


def limits_of(initiative: Initiative) -> Limits | None:
    """The scope in force; None where none is."""
    now = clock.now()
    scope = initiative.scopes.filter(starts_at__lte=now, ended_at__isnull=True).order_by("-number").first()
    return Limits(scope) if scope else None


def people_of(initiative: Initiative) -> dict[str, str]:
    """By role, the names of owner and support owner: whom to ask."""
    asked = RoleAssignment.objects.in_force().filter(
        initiative=initiative, role__in=(Role.OWNER, Role.SUPPORT_OWNER)
    )
    return dict(asked.values_list("role", "person__full_name"))


def report_address(initiative: Initiative) -> str:
    """Where users report a problem; empty where no such address is open."""
    link = (
        None
        if initiative.closed
        else ProblemLink.objects.filter(initiative=initiative, ended_at__isnull=True).first()
    )
    return reverse("report-problem", args=[link.token]) if link else ""


def beside_deployments(person, about) -> Part | None:
    """On the page of what runs: the public page, its badge and who may make or withdraw it."""
    initiative, origin = about
    if as_of.current() is not None:
        return None
    may = permissions.may_publish(initiative, person)
    row = initiative.public_pages.select_related("made_by").filter(ended_at__isnull=True).first()
    if row is None and not may:
        return None
    address = f"{origin}{reverse('public-page', args=[row.token])}" if row else ""
    return Part(
        "adoption/public_pages/_beside_deployments.html",
        {
            "initiative": initiative,
            "row": row,
            "may": bool(may),
            "might": permissions.may_be_public(initiative),
            "address": address,
            "badge": f"{address}badge.svg" if row else "",
        },
    )
