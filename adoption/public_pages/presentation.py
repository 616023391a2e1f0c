"""The contents of the public page and its badge. The supported stage is that of the portfolio."""

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
        "A prototype is a test version. Do not let your work depend on it, and check its output."
    ),
    Stage.MVP: gettext_lazy(
        "An MVP is a trial with limits. Use it only within the limits below, and check its output."
    ),
    Stage.PRODUCTION: gettext_lazy("Your work may depend on this AI within the limits below."),
}
# As `governance.gates.gate_inputs.SHOWN_HERE`, for people outside.
WITHOUT: dict[str, Any] = {
    "enforcement": gettext_lazy("Not enforced here."),
    "log": gettext_lazy("No log here."),
}
MEANS_NOTHING = gettext_lazy(
    "Do not let your work depend on this AI. No evidence supports the use of this AI yet."
)
# Grounds of the words of a badge, dark enough for white letters.
GREEN, BLUE, BROWN, RED, GREY = "#1b6e3c", "#1f5f9e", "#8a4f00", "#a32626", "#59616b"
COLOURS: dict[str | None, str] = {Stage.PRODUCTION: GREEN, Stage.MVP: BLUE, Stage.PROTOTYPE: BROWN}
PADDING = 8  # pixels beside the words of a badge


@dataclass(frozen=True)
class PublicInitiative:
    """The public facts of an initiative.

    Every sentence is in the language that is active when it is read. `supported` is the stage of the span that holds
    now, as in the portfolio, or None during recomputation.
    """

    initiative: Initiative
    purpose: str
    supported: str | None
    held: bool
    off: bool
    without: tuple[str, ...] = ()

    @property
    def over(self) -> str:
        """Return a sentence about the withdrawal, stop or retirement, or "" while it runs."""
        if self.initiative.withdrawn_at:
            return _("This AI was registered by mistake and is withdrawn. Do not use it.")
        if self.initiative.stage == Stage.STOPPED:
            return _("This AI was stopped. Do not use it.")
        if self.initiative.stage == Stage.RETIRED:
            return _("This AI is retired. Do not use it.")
        return ""

    @property
    def headline(self) -> str:
        """Return the approved stage with the supported one, never alone. An ended initiative gives its end."""
        if self.over:
            return self.over
        if self.initiative.stage not in APPROVED:
            return _("This AI is only an idea so far. Do not use it for your work.")
        words = {
            "approved": APPROVED[self.initiative.stage],
            "supported": SUPPORTED.get(self.supported, NOTHING),
        }
        if self.initiative.imported:
            if self.supported is None:
                return (
                    _(
                        "An external list reports that this AI is approved %(approved)s. The approval is "
                        "not confirmed in Plumbline."
                    )
                    % words
                )
            return (
                _(
                    "An external list reports that this AI is approved %(approved)s. The approval is not "
                    "confirmed in Plumbline. The evidence supports %(supported)s."
                )
                % words
            )
        if self.supported is None:
            return (
                _(
                    "This AI is approved %(approved)s. The supported stage is being computed. Open this page "
                    "again later."
                )
                % words
            )
        if STAGE_RANK[self.supported] >= STAGE_RANK[self.initiative.stage]:
            return _("This AI is approved %(approved)s, and the evidence supports the approval.") % words
        return _("This AI is approved %(approved)s. The evidence supports %(supported)s.") % words

    @property
    def meaning(self) -> str:
        """Return the supported stage's meaning for users, or "" for an ended one or an idea."""
        if self.over or self.initiative.stage not in APPROVED:
            return ""
        return str(MEANS.get(self._shown, MEANS_NOTHING))

    @property
    def missing(self) -> list[str]:
        """Return the controls that lack here in production: enforced limits, interaction log."""
        if self.over or self.initiative.stage != Stage.PRODUCTION or self.supported is None:
            return []
        return [str(words) for key, words in WITHOUT.items() if key in self.without]

    @property
    def stops(self) -> list[str]:
        """Return the reasons not to use it now: switched off, on hold."""
        if self.over:
            return []
        found = []
        if self.off:
            found.append(
                _("This AI is switched off. All its requests are refused until it is switched on again.")
            )
        if self.held:
            found.append(
                _(
                    "This AI is on hold, and cannot advance until the hold is resolved. Some requests may be refused."
                )
            )
        return found

    @property
    def badge_words(self) -> str:
        """Return the words of the badge: what stops it, or the supported stage."""
        if self.initiative.withdrawn_at:
            return _("Withdrawn")
        if self.over:
            return _("Stopped") if self.initiative.stage == Stage.STOPPED else _("Retired")
        if self.off:
            return _("Switched off")
        if self.supported is None:
            return _("Being computed")
        if self.initiative.stage not in APPROVED:
            return _("Idea")
        words = str(SHORT.get(self._shown, _("No stage supported")))
        return _("%(stage)s, on hold") % {"stage": words} if self.held else words

    @property
    def badge_colour(self) -> str:
        """Return the background colour of the badge."""
        if self.over or self.off:
            return RED
        if self.supported is None or self.initiative.stage not in APPROVED:
            return GREY
        return COLOURS.get(self._shown, GREY)

    @property
    def _shown(self) -> str | None:
        """Return the supported stage, never above the approved one. A page shows no unapproved stage as reached."""
        return (
            min(self.supported, self.initiative.stage, key=STAGE_RANK.__getitem__) if self.supported else None
        )

    @property
    def badge(self) -> dict:
        """Return words, title and sizes of the badge. Whole pixels have no decimal comma."""
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
    """Return about how wide these words are in a badge, in pixels. The badge sets them to this width everywhere."""
    return sum(
        4 if one in "ijltfr,.' -" else 10 if one in "MWmw" else 8 if one.isupper() else 7 for one in words
    )


@dataclass(frozen=True)
class Limits:
    """The scope in force: users, places, data and end."""

    scope: ScopeVersion

    @cached_property
    def places(self) -> list[str]:
        """Return departments and places."""
        return [*self.scope.departments, *self.scope.places]

    @property
    def ended(self) -> date | None:
        """Return the day of the planned end if that is past."""
        ends = self.scope.ends_on
        return ends if ends is not None and ends < clock.today() else None


def public_initiative(token: str) -> PublicInitiative | None:
    """Return the initiative whose public page has this address, or None."""
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
    without = tuple(initiative.runs_without or ())
    return PublicInitiative(
        initiative, initiative.purpose, supported, initiative.held, initiative.off, without
    )


def limits_of(initiative: Initiative) -> Limits | None:
    """Return the limits from the scope in force, or None without a scope."""
    now = clock.now()
    scope = initiative.scopes.filter(starts_at__lte=now, ended_at__isnull=True).order_by("-number").first()
    return Limits(scope) if scope else None


def people_of(initiative: Initiative) -> dict[str, str]:
    """Return the names of owner and support owner by role, as contacts."""
    asked = RoleAssignment.objects.in_force().filter(
        initiative=initiative, role__in=(Role.OWNER, Role.SUPPORT_OWNER)
    )
    return dict(asked.values_list("role", "person__full_name"))


def report_address(initiative: Initiative) -> str:
    """Return the address for reporting a problem, or "" if no address is open."""
    link = (
        None
        if initiative.closed
        else ProblemLink.objects.filter(initiative=initiative, ended_at__isnull=True).first()
    )
    return reverse("report-problem", args=[link.token]) if link else ""


def beside_deployments(person, about) -> Part | None:
    """Return the part with the public page, badge and possible acts, beside deployments."""
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
