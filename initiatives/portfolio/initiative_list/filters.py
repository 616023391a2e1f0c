"""Filters of the portfolio: approved stage beside supported stage, in the database.

What is supported comes from the spans that `supported_stage_rows.rewrite` left; nothing is computed while somebody
reads.
"""

import django_filters
from django import forms
from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DateField,
    Exists,
    F,
    Field,
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
from django_filters.fields import ModelChoiceField

from governance.models import ContractVersion, Rulebook, Unit
from governance.sign_in.forms import Choices, Picker
from governance.vocabulary import Layer, Role, Stage, Tier
from initiatives.contributions import Report, contributed
from initiatives.models import Condition, FormerTitle, Initiative, Obligation, RoleAssignment
from initiatives.models.initiative import supported_rank
from initiatives.portfolio.initiative_list import figure_filters

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
OWN, EXTERNAL = "own", "external"
WHOSE = {EXTERNAL: "External inventories"}
AT_HAND = ("q", "approved_stage", "unit", "mine", "unsupported", "held")  # the other filters are folded


def with_support(initiatives: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Initiatives with what they are chosen and ordered by, as it holds at `moment`: supported, unsupported_stages,
    held, gaps.

    `supported` is "recomputing" where the supported stage was computed before `rulebook` was published.
    """
    covering = Q(spans__from_at__lte=moment) & (
        Q(spans__until_at__isnull=True) | Q(spans__until_at__gt=moment)
    )
    return initiatives.annotate(
        span=FilteredRelation("spans", condition=covering),
        supported=_known(rulebook, "supported", "recomputing", CharField()),
        unsupported_stages=_known(rulebook, "unsupported_stages", 0, IntegerField()),
        held=_known(rulebook, "held", False, BooleanField()),
        next_expiry_on=_known(rulebook, "next_expiry_on", None, DateField()),
        gap_counts=F("span__gaps"),
    )


def with_due(initiatives: QuerySet) -> QuerySet:
    """Initiatives with `next_due`: the first day on which an obligation or a condition falls due, or evidence goes
    stale.
    """
    open_obligations = Obligation.objects.open().filter(initiative=OuterRef("pk")).order_by()
    bound = Condition.objects.filter(review__initiative=OuterRef("pk"), met_at__isnull=True).order_by()
    return initiatives.annotate(
        next_due=Least(
            Subquery(open_obligations.values("initiative").annotate(first=Min("due")).values("first")),
            Subquery(bound.values("review__initiative").annotate(first=Min("due")).values("first")),
            "next_expiry_on",
        )
    )


def with_supported_stage(initiatives: QuerySet, rulebook: Rulebook | None, moment) -> QuerySet:
    """Initiatives with all that holds for them at `moment`: as `with_support` and `with_due`, and label and scale
    tests.
    """
    return with_details(with_support(initiatives, rulebook, moment), rulebook)


def with_details(initiatives: QuerySet, rulebook: Rulebook | None) -> QuerySet:
    """What rows show besides what they were chosen by; `initiatives` as `with_support` annotated them."""
    return with_due(initiatives).annotate(
        label=_known(rulebook, "label", "", CharField()),
        governance=F("span__governance"),
        integration=F("span__integration"),
        adoption=F("span__adoption"),
        profile=F("span__profile"),
    )


def _known(rulebook: Rulebook | None, column: str, unknown, field: Field) -> Case:
    current = Q(seen_since(rulebook), span__isnull=False)
    return Case(When(current, then=F(f"span__{column}")), default=Value(unknown), output_field=field)


def seen_since(rulebook: Rulebook | None) -> Q:
    """That the supported stage was computed since this version was published; without one, there are no supported
    stages.
    """
    if rulebook is None:
        return Q(supported_stage__isnull=True)
    return Q(supported_stage__computed_at__gte=rulebook.published_at)


def known(initiatives: QuerySet, rulebook: Rulebook | None) -> QuerySet:
    """Those that are not being recomputed, by supported stage and then worst first: in the order of an index.

    `initiatives` as `with_support` annotated them.
    """
    return (
        initiatives.alias(
            now=F("span__pk"), height=supported_rank("span__supported"), lack=F("span__unsupported_stages")
        )
        .filter(seen_since(rulebook), now__isnull=False)
        .order_by(F("height").desc(), F("lack").desc(), "pk")
    )


def with_people(initiatives: QuerySet) -> QuerySet:
    """Initiatives with `unit_name`, `owner_name` (the accepted owner, or None), and whether anybody ever owned them."""
    # Not EXISTS: for that the database may gather the owners of all initiatives, where a page shows fifty.
    accepted = _owned().filter(accepted_at__isnull=False).values(accepted=Value(True))
    return initiatives.annotate(
        unit_name=F("unit__name"),
        owner_name=Subquery(_owned().in_force().values("person__full_name")[:1]),
        ever_owned=Coalesce(Subquery(accepted[:1]), False),
    )


def with_contract(initiatives: QuerySet, moment) -> QuerySet:
    """Initiatives with `contracted`: whether a contract is in force at `moment`."""
    force = ContractVersion.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=moment),
        contract=OuterRef("contract"),
        starts_at__lte=moment,
    )
    return initiatives.annotate(contracted=Exists(force))


def _owned():
    return RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)


def units_to_choose(request) -> QuerySet:
    """One's own units; of others those alone whose lists are looked at, or the one that the address names."""
    if request is None:
        return Unit.objects.own()
    if request.GET.get("whose") == EXTERNAL:
        return Unit.objects.living().of_external_inventories()
    named = request.GET.get("unit", "")
    asked = Q(pk=int(named)) if named.isascii() and named.isdecimal() and len(named) < 10 else Q(pk=None)
    return Unit.objects.living().filter(Q(pk__in=Unit.objects.own().values("pk")) | asked)


class _UnitField(ModelChoiceField):
    """A unit, marked where an imported list brought it."""

    def label_from_instance(self, unit) -> str:
        """Its name with the mark."""
        return unit.label


class _UnitFilter(django_filters.ModelChoiceFilter):
    field_class = _UnitField


class PortfolioFilter(django_filters.FilterSet):
    """The filters of the portfolio. A value that is not understood is ignored and said so on the page."""

    q = django_filters.CharFilter(
        label="Search",
        method="search",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "title, AI-42, owner"}),
    )
    approved_stage = django_filters.ChoiceFilter(
        widget=Choices,
        label="Approved stage",
        field_name="stage",
        choices=list(Stage.choices),
        empty_label="any",
    )
    supported = django_filters.ChoiceFilter(
        widget=Choices, label="Supported stage", choices=list(SUPPORTED.items()), empty_label="any"
    )
    unit = _UnitFilter(
        widget=Picker, label="Unit", queryset=units_to_choose, method="in_unit", empty_label="any"
    )
    whose = django_filters.ChoiceFilter(
        widget=Choices, label="Whose", choices=list(WHOSE.items()), method="ordered", empty_label="Our own"
    )
    layer = django_filters.ChoiceFilter(
        widget=Choices,
        label="Gap in layer",
        choices=list(Layer.choices),
        method="gap_in",
        empty_label="any",
    )
    tier = django_filters.ChoiceFilter(
        widget=Choices,
        label="Risk tier",
        choices=[*Tier.choices, ("unset", "Not confirmed")],
        method="of_tier",
        empty_label="any",
    )
    report = django_filters.ChoiceFilter(
        widget=Choices,
        label="Report",
        choices=lambda: [(report.key, report.words) for report in contributed.reports],
        method="reported",
        empty_label="all initiatives",
    )
    figure = django_filters.ChoiceFilter(
        widget=Choices,
        label="Figure of the charts",
        choices=figure_filters.choices,
        method="behind_figure",
        empty_label="any",
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
    unsupported = django_filters.BooleanFilter(
        label="Only not supported", method="short", widget=forms.CheckboxInput()
    )
    held = django_filters.BooleanFilter(label="On hold", method="on_hold", widget=forms.CheckboxInput())
    imported = django_filters.BooleanFilter(
        label="Imported", method="from_import", widget=forms.CheckboxInput()
    )

    class Meta:
        model = Initiative
        fields: list[str] = []

    @property
    def values(self) -> dict:
        """What was asked for and understood."""
        return self.form.cleaned_data if self.is_bound and hasattr(self.form, "cleaned_data") else {}

    @property
    def order(self) -> str:
        """The order asked for, one of `ORDERS`."""
        return self.values.get("sort") or "supported"

    @property
    def whose_shown(self) -> str:
        """Whose initiatives are looked at: one's own, unless external inventories, or a unit of one, are asked for."""
        unit = self.values.get("unit")
        return self.values.get("whose") or (EXTERNAL if unit is not None and unit.imported else OWN)

    @property
    def narrowed(self) -> bool:
        """Whether anything was asked for besides an order."""
        return any(value for name, value in self.values.items() if name != "sort")

    @property
    def qs(self) -> QuerySet:
        """The initiatives that pass, withdrawn ones left out unless asked for, in the order asked for."""
        initiatives = super().qs  # which reads the form, too
        if self.order == "due":
            initiatives = with_due(initiatives)
        if self.values.get("report") != WITHDRAWN:
            initiatives = initiatives.live()
        initiatives = initiatives.others() if self.whose_shown == EXTERNAL else initiatives.own()
        return initiatives.order_by(*_order(self.order))

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
    def report_shown(self) -> Report | None:
        """The report that is looked at, if any."""
        key = self.form.cleaned_data.get("report") if self.form.is_valid() else None
        return next((report for report in contributed.reports if report.key == key), None)

    def search(self, initiatives, name, value):
        """By reference, title, a title it bore before, or the name of an owner, each word anywhere."""
        for word in value.split()[:8]:
            number = word.upper().removeprefix("AI-")
            former = FormerTitle.objects.filter(title__icontains=word)
            owned = RoleAssignment.objects.filter(
                role=Role.OWNER,
                accepted_at__isnull=False,
                ended_at__isnull=True,
                person__full_name__icontains=word,
            )
            found = Q(title__icontains=word)
            # Not EXISTS: the database would look for both beside every initiative.
            found |= Q(pk__in=former.values("initiative")) | Q(pk__in=owned.values("initiative"))
            if number.isascii() and number.isdecimal() and len(number) < 10:
                found |= Q(number=int(number))
            initiatives = initiatives.filter(found)
        return initiatives

    def in_unit(self, initiatives, name, unit):
        """The unit and everything below it."""
        return initiatives.filter(unit__path__startswith=unit.path)

    def gap_in(self, initiatives, name, layer):
        """Something is missing in this layer."""
        return initiatives.filter(gap_counts__has_key=layer).exclude(supported="recomputing")

    def of_tier(self, initiatives, name, tier):
        """The confirmed tier."""
        return initiatives.filter(tier="" if tier == "unset" else tier)

    def reported(self, initiatives, name, key):
        """What the report is about."""
        report = next(report for report in contributed.reports if report.key == key)
        return report.apply(initiatives)

    def behind_figure(self, initiatives, name, figure):
        """What one bar of the charts counts."""
        return figure_filters.behind(initiatives, figure)

    def ordered(self, initiatives, name, value):
        """Nothing here: order, and whose initiatives, are put on last."""
        return initiatives

    def of_mine(self, initiatives, name, wanted):
        """Whoever looks holds a role on them, or was asked to."""
        if not wanted:
            return initiatives
        held = RoleAssignment.objects.open().filter(person=self.request.user)
        return initiatives.filter(pk__in=held.values("initiative"))

    def short(self, initiatives, name, wanted):
        """Approved stages above what evidence supports."""
        return initiatives.filter(unsupported_stages__gt=0) if wanted else initiatives

    def on_hold(self, initiatives, name, wanted):
        """Held now."""
        return initiatives.filter(held=True) if wanted else initiatives

    def from_import(self, initiatives, name, wanted):
        """Stages that rest on an import."""
        return initiatives.filter(basis="import") if wanted else initiatives


def _order(key: str) -> tuple:
    rank = supported_rank("supported")
    return {
        "supported": (rank.desc(), F("unsupported_stages").desc(), "pk"),
        "worst": (F("unsupported_stages").desc(), rank.asc(), "number"),
        "longest": ("since", "number"),
        "due": (F("next_due").asc(nulls_last=True), "number"),
        "title": (Coalesce("title", Value("")), "number"),
    }[key]
