"""Filters of the portfolio by approved and supported stage, in the database.

The supported stage comes from the spans that `supported_stage_rows.rewrite` wrote. Reading computes nothing.
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
from django.utils.translation import gettext_lazy
from django_filters.fields import ModelChoiceField

from governance.models import ContractVersion, Rulebook, Unit
from governance.sign_in.forms import Choices, Picker
from governance.vocabulary import Layer, Role, Stage, Tier
from governance.vocabulary.phrases import phrase
from initiatives.contributions import Report, contributed
from initiatives.models import Condition, FormerTitle, Initiative, Obligation, RoleAssignment
from initiatives.models.initiative import supported_rank
from initiatives.portfolio.initiative_list import figure_filters

SUPPORTED = {
    "production": "Production",
    "mvp": "MVP",
    "prototype": "Prototype",
    "proposed": phrase("No stage yet"),
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
    """Return initiatives with the fields that filters and order use, at `moment`.

    The fields are `supported`, `unsupported_stages`, `held`, gaps and others. `supported` is "recomputing" if it was
    computed before `rulebook` was published.
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
        runs_without=F("span__runs_without"),
        open_requirements=F("span__open_requirements"),
    )


def with_due(initiatives: QuerySet) -> QuerySet:
    """Return initiatives with `next_due`: the first obligation, condition or expiry."""
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
    """Return initiatives at `moment` as `with_support` and `with_details` do."""
    return with_details(with_support(initiatives, rulebook, moment), rulebook)


def with_details(initiatives: QuerySet, rulebook: Rulebook | None) -> QuerySet:
    """Return initiatives with the other fields of rows. `with_support` annotated them."""
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
    """Return the condition of a stage computed since this rulebook. Without one, there is none."""
    if rulebook is None:
        return Q(supported_stage__isnull=True)
    return Q(supported_stage__computed_at__gte=rulebook.published_at)


def known(initiatives: QuerySet, rulebook: Rulebook | None) -> QuerySet:
    """Return initiatives with a known supported stage, by stage, then worst first.

    The order is that of an index. `initiatives` as `with_support` annotated them.
    """
    return (
        initiatives.alias(
            now=F("span__pk"), height=supported_rank("span__supported"), lack=F("span__unsupported_stages")
        )
        .filter(seen_since(rulebook), now__isnull=False)
        .order_by(F("height").desc(), F("lack").desc(), "pk")
    )


def with_people(initiatives: QuerySet) -> QuerySet:
    """Return initiatives with `unit_name`, `owner_name` (or None) and `ever_owned`."""
    # Not EXISTS: for that the database may gather the owners of all initiatives, where a page shows fifty.
    accepted = _owned().filter(accepted_at__isnull=False).values(accepted=Value(True))
    return initiatives.annotate(
        unit_name=F("unit__name"),
        owner_name=Subquery(_owned().in_force().values("person__full_name")[:1]),
        ever_owned=Coalesce(Subquery(accepted[:1]), False),
    )


def with_contract(initiatives: QuerySet, moment) -> QuerySet:
    """Return initiatives with `contracted`: if a contract is in force at `moment`."""
    force = ContractVersion.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=moment),
        contract=OuterRef("contract"),
        starts_at__lte=moment,
    )
    return initiatives.annotate(contracted=Exists(force))


def _owned():
    return RoleAssignment.objects.filter(initiative=OuterRef("pk"), role=Role.OWNER)


def units_to_choose(request) -> QuerySet:
    """Return the organisation's units, and others that the address asks for."""
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
        """Return the name of the unit with the mark."""
        return unit.label


class _UnitFilter(django_filters.ModelChoiceFilter):
    field_class = _UnitField


class PortfolioFilter(django_filters.FilterSet):
    """The filters of the portfolio. An invalid value is ignored, and the page shows it."""

    q = django_filters.CharFilter(
        label=gettext_lazy("Search"),
        method="search",
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": "title, AI-42, owner"}),
    )
    approved_stage = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Approved stage"),
        field_name="stage",
        choices=list(Stage.choices),
        empty_label=gettext_lazy("any"),
    )
    supported = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Supported stage"),
        choices=list(SUPPORTED.items()),
        empty_label=gettext_lazy("any"),
    )
    unit = _UnitFilter(
        widget=Picker,
        label=gettext_lazy("Unit"),
        queryset=units_to_choose,
        method="in_unit",
        empty_label=gettext_lazy("any"),
    )
    whose = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Whose"),
        choices=list(WHOSE.items()),
        method="ordered",
        empty_label=gettext_lazy("Our own"),
    )
    layer = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Gap in layer"),
        choices=list(Layer.choices),
        method="gap_in",
        empty_label=gettext_lazy("any"),
    )
    tier = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Risk tier"),
        choices=[*Tier.choices, ("unset", "Not confirmed")],
        method="of_tier",
        empty_label=gettext_lazy("any"),
    )
    report = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Report"),
        choices=lambda: [(report.key, report.words) for report in contributed.reports],
        method="reported",
        empty_label=gettext_lazy("all initiatives"),
    )
    figure = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Figure of the charts"),
        choices=figure_filters.choices,
        method="behind_figure",
        empty_label=gettext_lazy("any"),
    )
    sort = django_filters.ChoiceFilter(
        widget=Choices,
        label=gettext_lazy("Order"),
        choices=list(ORDERS.items()),
        method="ordered",
        empty_label=None,
        null_label=None,
    )
    mine = django_filters.BooleanFilter(
        label=gettext_lazy("Mine"), method="of_mine", widget=forms.CheckboxInput()
    )
    unsupported = django_filters.BooleanFilter(
        label=gettext_lazy("Only not supported"), method="short", widget=forms.CheckboxInput()
    )
    held = django_filters.BooleanFilter(
        label=gettext_lazy("On hold"), method="on_hold", widget=forms.CheckboxInput()
    )
    imported = django_filters.BooleanFilter(
        label=gettext_lazy("Imported"), method="from_import", widget=forms.CheckboxInput()
    )

    class Meta:
        model = Initiative
        fields: list[str] = []

    @property
    def values(self) -> dict:
        """Return the valid values of the address."""
        return self.form.cleaned_data if self.is_bound and hasattr(self.form, "cleaned_data") else {}

    @property
    def order(self) -> str:
        """Return the order asked for, one of `ORDERS`."""
        return self.values.get("sort") or "supported"

    @property
    def whose_shown(self) -> str:
        """Return whose initiatives are listed: the organisation's, or external ones."""
        unit = self.values.get("unit")
        return self.values.get("whose") or (EXTERNAL if unit is not None and unit.imported else OWN)

    @property
    def narrowed(self) -> bool:
        """Return True if the address asks for more than an order."""
        return any(value for name, value in self.values.items() if name != "sort")

    @property
    def qs(self) -> QuerySet:
        """Return the matching initiatives in order, without withdrawn ones by default."""
        initiatives = super().qs  # which reads the form, too
        if self.order == "due":
            initiatives = with_due(initiatives)
        if self.values.get("report") != WITHDRAWN:
            initiatives = initiatives.live()
        initiatives = initiatives.others() if self.whose_shown == EXTERNAL else initiatives.own()
        return initiatives.order_by(*_order(self.order))

    @property
    def at_hand(self) -> list:
        """Return the fields that are always shown, the most used first."""
        return [self.form[name] for name in AT_HAND]

    @property
    def further(self) -> list:
        """Return the fields that are folded until one is used."""
        return [field for field in self.form if field.name not in AT_HAND]

    @property
    def unfolded(self) -> bool:
        """Return True if a folded field has a value."""
        return any(self.data.get(field.name) for field in self.further)

    @property
    def report_shown(self) -> Report | None:
        """Return the report of the address, or None."""
        key = self.form.cleaned_data.get("report") if self.form.is_valid() else None
        return next((report for report in contributed.reports if report.key == key), None)

    def search(self, initiatives, name, value):
        """Return matches by reference, title, former title or owner, each word anywhere."""
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
        """Return the initiatives of the unit and of the units below."""
        return initiatives.filter(unit__path__startswith=unit.path)

    def gap_in(self, initiatives, name, layer):
        """Return the initiatives with gaps in this layer."""
        return initiatives.filter(gap_counts__has_key=layer).exclude(supported="recomputing")

    def of_tier(self, initiatives, name, tier):
        """Return the initiatives of the confirmed tier."""
        return initiatives.filter(tier="" if tier == "unset" else tier)

    def reported(self, initiatives, name, key):
        """Return the initiatives of the report."""
        report = next(report for report in contributed.reports if report.key == key)
        return report.apply(initiatives)

    def behind_figure(self, initiatives, name, figure):
        """Return the initiatives that one bar of the charts counts."""
        return figure_filters.behind(initiatives, figure)

    def ordered(self, initiatives, name, value):
        """Return all initiatives. Order, and whose initiatives, are applied last."""
        return initiatives

    def of_mine(self, initiatives, name, wanted):
        """Return the initiatives on which the person has or was asked to take a role."""
        if not wanted:
            return initiatives
        held = RoleAssignment.objects.open().filter(person=self.request.user)
        return initiatives.filter(pk__in=held.values("initiative"))

    def short(self, initiatives, name, wanted):
        """Return the initiatives whose approved stage is above their supported stage."""
        return initiatives.filter(unsupported_stages__gt=0) if wanted else initiatives

    def on_hold(self, initiatives, name, wanted):
        """Return the initiatives on hold now."""
        return initiatives.filter(held=True) if wanted else initiatives

    def from_import(self, initiatives, name, wanted):
        """Return the initiatives whose stage an import reported."""
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
