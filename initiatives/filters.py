"""Looking at many cases at once: what they claim beside what their proof supports, filtered in the database.

What is supported comes from the spans that `standing.rewrite` left; nothing is computed while somebody reads.
"""

import django_filters
from django import forms
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    Exists,
    F,
    FilteredRelation,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least

from governance import hooks
from governance.forms import Choices
from governance.models import ContractVersion, Rulebook, Unit
from governance.templatetags.plumbline import LAYER_WORDS
from initiatives.models import Condition, FormerTitle, Initiative, Obligation, RoleAssignment
from initiatives.models.initiative import RANK, STAGES, TIERS

SUPPORTED = {
    "production": "Production",
    "mvp": "MVP",
    "prototype": "Prototype",
    "proposed": "Nothing yet",
    "recomputing": "Being recomputed",
}
ORDERS = {
    "supported": "supported stage, then worst first",
    "worst": "worst first",
    "longest": "longest in stage",
    "due": "next due",
    "title": "title",
}
WITHDRAWN = "withdrawn"
AT_HAND = ("q", "claimed", "unit", "mine", "shortfall", "held")  # the other filters are folded


def with_standing(cases: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Cases with what holds for them at `moment`: supported, shortfall, label, tests, held, gaps, next_due.

    `supported` is "recomputing" where the standing was computed under another rulebook than `rulebook`.
    """
    covering = Q(spans__from_at__lte=moment) & (
        Q(spans__until_at__isnull=True) | Q(spans__until_at__gt=moment)
    )
    current = Q(standing__rulebook=rulebook, span__isnull=False)
    owed = Obligation.objects.unsettled().filter(initiative=OuterRef("pk")).order_by()
    bound = Condition.objects.filter(review__initiative=OuterRef("pk"), met_at__isnull=True).order_by()
    return (
        cases.annotate(span=FilteredRelation("spans", condition=covering))
        .annotate(
            supported=Case(
                When(current, then=F("span__supported")),
                default=Value("recomputing"),
                output_field=CharField(),
            ),
            shortfall=Case(
                When(current, then=F("span__shortfall")), default=Value(0), output_field=IntegerField()
            ),
            label=Case(When(current, then=F("span__label")), default=Value(""), output_field=CharField()),
            held=Case(When(current, then=F("span__held")), default=Value(False), output_field=BooleanField()),
            governance=F("span__governance"),
            integration=F("span__integration"),
            adoption=F("span__adoption"),
            gap_counts=F("span__gaps"),
            next_stale_on=Case(When(current, then=F("span__next_stale_on"))),
        )
        .annotate(
            next_due=Least(
                Subquery(owed.values("initiative").annotate(first=Min("due")).values("first")),
                Subquery(bound.values("review__initiative").annotate(first=Min("due")).values("first")),
                "next_stale_on",
            ),
            rank=_rank("supported"),
        )
    )


def with_people(cases: QuerySet) -> QuerySet:
    """Cases with their unit, `owner_name` (the accepted owner, or None), and whether anybody ever owned them."""
    # Not EXISTS: for that the database may gather the owners of all cases, where a page shows fifty.
    accepted = _owned().filter(accepted_at__isnull=False).values(accepted=Value(True))
    return cases.select_related("unit").annotate(
        owner_name=Subquery(_owned().in_force().values("person__full_name")[:1]),
        ever_owned=Coalesce(Subquery(accepted[:1]), False),
    )


def with_contract(cases: QuerySet, moment) -> QuerySet:
    """Cases with `contracted`: whether a contract is in force at `moment`."""
    force = ContractVersion.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=moment),
        contract=OuterRef("contract"),
        starts_at__lte=moment,
    )
    return cases.annotate(contracted=Exists(force))


def _owned():
    return RoleAssignment.objects.filter(initiative=OuterRef("pk"), role="owner")


def _rank(field: str):
    whens = [When(**{field: stage}, then=Value(rank)) for stage, rank in RANK.items()]
    return Case(*whens, default=Value(-1), output_field=IntegerField())


class PortfolioFilter(django_filters.FilterSet):
    """The filters of the portfolio. A value that is not understood is ignored and said so on the page."""

    q = django_filters.CharFilter(
        label="Search",
        method="search",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "title, AI-0042, owner"}),
    )
    claimed = django_filters.ChoiceFilter(
        widget=Choices,
        label="Claimed stage",
        field_name="stage",
        choices=list(STAGES.items()),
        empty_label="any",
    )
    supported = django_filters.ChoiceFilter(
        widget=Choices, label="Supported stage", choices=list(SUPPORTED.items()), empty_label="any"
    )
    unit = django_filters.ModelChoiceFilter(
        widget=Choices, label="Unit", queryset=Unit.objects.living(), method="in_unit", empty_label="any"
    )
    layer = django_filters.ChoiceFilter(
        widget=Choices,
        label="Gap in layer",
        choices=list(LAYER_WORDS.items()),
        method="gap_in",
        empty_label="any",
    )
    tier = django_filters.ChoiceFilter(
        widget=Choices,
        label="Risk tier",
        choices=[*TIERS.items(), ("unset", "Not confirmed")],
        method="of_tier",
        empty_label="any",
    )
    report = django_filters.ChoiceFilter(
        widget=Choices,
        label="Report",
        choices=lambda: [(report.key, report.words) for report in hooks.reports],
        method="reported",
        empty_label="all cases",
    )
    sort = django_filters.ChoiceFilter(
        widget=Choices,
        label="Order",
        choices=list(ORDERS.items()),
        method="ordered",
        empty_label=None,
        null_label=None,
    )
    mine = django_filters.BooleanFilter(label="Mine", method="of_mine", widget=forms.CheckboxInput())
    shortfall = django_filters.BooleanFilter(
        label="Shortfall only", method="short", widget=forms.CheckboxInput()
    )
    held = django_filters.BooleanFilter(label="Held", method="on_hold", widget=forms.CheckboxInput())
    imported = django_filters.BooleanFilter(
        label="Imported claims", method="from_import", widget=forms.CheckboxInput()
    )

    class Meta:
        model = Initiative
        fields: list[str] = []

    @property
    def qs(self) -> QuerySet:
        """The cases that pass, withdrawn ones left out unless asked for, in the order asked for."""
        cases = super().qs
        values = self.form.cleaned_data if self.is_bound and hasattr(self.form, "cleaned_data") else {}
        if values.get("report") != WITHDRAWN:
            cases = cases.live()
        return cases.order_by(*_order(values.get("sort") or "supported"))

    @property
    def at_hand(self) -> list:
        """The fields that are always shown, in the order in which people reach for them."""
        return [self.form[name] for name in AT_HAND]

    @property
    def further(self) -> list:
        """The fields that are folded until one of them is used."""
        return [field for field in self.form if field.name not in AT_HAND]

    @property
    def unfolded(self) -> bool:
        """Whether one of the folded fields says something."""
        return any(self.data.get(field.name) for field in self.further)

    @property
    def report_shown(self) -> hooks.Report | None:
        """The report that is looked at, if any."""
        key = self.form.cleaned_data.get("report") if self.form.is_valid() else None
        return next((report for report in hooks.reports if report.key == key), None)

    def search(self, cases, name, value):
        """By reference, title, a title it bore before, or the name of an owner, each word anywhere."""
        for word in value.split()[:8]:
            number = word.upper().removeprefix("AI-")
            former = FormerTitle.objects.filter(initiative=OuterRef("pk"), title__icontains=word)
            found = Q(title__icontains=word) | Exists(former)
            found |= Exists(
                _owned().filter(
                    accepted_at__isnull=False, ended_at__isnull=True, person__full_name__icontains=word
                )
            )
            if number.isascii() and number.isdecimal() and len(number) < 10:
                found |= Q(number=int(number))
            cases = cases.filter(found)
        return cases

    def in_unit(self, cases, name, unit):
        """The unit and everything below it."""
        return cases.filter(unit__path__startswith=unit.path)

    def gap_in(self, cases, name, layer):
        """Something is missing in this layer."""
        return cases.filter(span__gaps__has_key=layer).exclude(supported="recomputing")

    def of_tier(self, cases, name, tier):
        """The confirmed tier."""
        return cases.filter(tier="" if tier == "unset" else tier)

    def reported(self, cases, name, key):
        """What the report is about."""
        report = next(report for report in hooks.reports if report.key == key)
        return report.apply(cases)

    def ordered(self, cases, name, value):
        """Nothing here: the order is put on last."""
        return cases

    def of_mine(self, cases, name, wanted):
        """Whoever looks holds a role on them, or was asked to."""
        held = RoleAssignment.objects.open().filter(person=self.request.user)
        return cases.filter(pk__in=held.values("initiative")) if wanted else cases

    def short(self, cases, name, wanted):
        """Claims above what proof supports."""
        return cases.filter(shortfall__gt=0) if wanted else cases

    def on_hold(self, cases, name, wanted):
        """Held now."""
        return cases.filter(held=True) if wanted else cases

    def from_import(self, cases, name, wanted):
        """Claims that rest on an import."""
        return cases.filter(basis="import") if wanted else cases


def _order(key: str) -> tuple:
    return {
        "supported": (F("rank").desc(), F("shortfall").desc(), "number"),
        "worst": (F("shortfall").desc(), F("rank").asc(), "number"),
        "longest": ("since", "number"),
        "due": (F("next_due").asc(nulls_last=True), "number"),
        "title": (Coalesce("title", Value("")), "number"),
    }[key]
