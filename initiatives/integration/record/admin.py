"""The integration register in the Django admin: read-only; its rows change through acts that look at the cases."""

from governance.web.admin_base import read_only
from initiatives import models
from initiatives.cases.admin_filters import BY_CASE, OF_STAGE

SUBJECT = "integration"


def _shared(model, words, columns, filters=(), search=(), **options) -> None:
    read_only(
        model,
        (SUBJECT, words),
        list_display=columns,
        list_filter=filters,
        search_fields=search,
        **options,
    )


def _of_case(model, words, columns, filters=(), search=(), **options) -> None:
    _shared(model, words, ("initiative", *columns), (*filters, *OF_STAGE), (*BY_CASE, *search), **options)


_shared(
    models.System,
    "Systems",
    ("name", "kind", "owner", "vendor", "editable", "last_updated_on", "retired_at"),
    ("kind", "editable", "retired_at"),
    ("name", "location", "owner__full_name", "source_key"),
)
_shared(
    models.Customisation,
    "Customisations",
    ("system", "team", "since", "ended_on"),
    ("ended_on",),
    ("team", "what", "system__name"),
)
_shared(
    models.ServiceAccount,
    "Service accounts",
    ("name", "system", "owner", "review_by", "closed_at"),
    ("closed_at",),
    ("name", "system__name", "owner__full_name"),
)
_of_case(
    models.Link,
    "Links",
    ("system", "pattern", "direction", "access", "live", "ended_at"),
    ("pattern", "access", "live", "ended_at"),
    ("system__name",),
)
_shared(
    models.Hop,
    "Transfers of links",
    ("link", "position", "name", "region", "vendor", "ended_at"),
    ("region",),
    ("name", "region", "vendor__name"),
    list_select_related=("link__system", "vendor"),
)
_shared(
    models.LinkAnswer,
    "Answers of systems' owners",
    ("link", "accepts", "by", "at"),
    ("accepts",),
    ("words", "link__system__name", "by__full_name"),
    list_select_related=("link__system", "by"),
)
_of_case(
    models.SourceAcceptance,
    "Sources accepted for a time",
    ("system", "condition", "until", "by"),
    ("condition",),
    ("system__name", "consequence"),
)
_shared(models.Region, "Regions", ("key", "words", "within"), ("within",), ("key", "words"))
_shared(models.Vendor, "Vendors", ("name",), ("terms__kind",), ("name",))
_shared(
    models.VendorTerm,
    "Terms of vendors",
    ("vendor", "kind", "reference", "starts_on", "ends_on", "withdrawn_at"),
    ("kind", "withdrawn_at"),
    ("reference", "vendor__name", "words"),
)
_shared(
    models.UnitPolicy,
    "Policies of units",
    ("unit", "reference", "starts_on", "ends_on", "withdrawn_at"),
    ("withdrawn_at",),
    ("reference", "unit__name", "words"),
)
_shared(
    models.ProposedChange,
    "Proposed changes",
    ("kind", "system", "by", "at", "outcome", "decided_by"),
    ("kind", "outcome"),
    ("reason", "system__name", "by__full_name"),
)
_shared(models.Term, "Terms", ("name", "by", "at"), ("at",), ("name", "meaning"))
_of_case(models.TermUse, "Terms in use", ("term", "by", "at", "ended_at"), ("ended_at",), ("term__name",))
_shared(
    models.TermDefinition,
    "Definitions",
    ("term", "system", "field", "valid_from", "valid_to", "withdrawn_at"),
    ("withdrawn_at",),
    ("term__name", "system__name", "field", "meaning"),
)
_of_case(
    models.DefinitionConflict,
    "Conflicts of definitions",
    ("facet", "severity", "status", "found_at", "decided_by"),
    ("facet", "severity", "status"),
    ("words",),
)
_of_case(
    models.Shortcoming,
    "What the register says",
    ("requirement", "words", "since", "until", "ended_at"),
    ("requirement", "hold", "ended_at"),
    ("words", "requirement"),
)
_of_case(
    models.ProcessRecord,
    "Processes",
    ("name", "status", "holder", "redesign_cost", "at"),
    ("status",),
    ("name", "holder_words"),
)
_of_case(
    models.SignOnFlow, "Sign-on flows", ("explainer", "reviewed_on", "at"), (), ("explainer__full_name",)
)
_of_case(
    models.Drill,
    "Drills",
    ("kind", "fault", "result", "observed_on", "next_due"),
    ("kind", "fault", "result"),
    ("expected", "happened"),
)
_of_case(
    models.TraceSample, "Traces to sources", ("title", "taken_on", "outputs", "hits", "by"), (), ("title",)
)
_of_case(
    models.Effort,
    "Effort by week",
    ("layer", "week", "hours", "money", "currency", "waited_days"),
    ("layer",),
    ("words", "waits_for_words"),
)
_of_case(
    models.Profile,
    "Profiles of data",
    ("system", "title", "taken_on", "state", "rows", "kept_until"),
    ("state",),
    ("title", "file_name"),
    # What was measured is for the people of the case; admins see that it was.
    never_shown=("columns", "stored"),
)
_shared(
    models.Drift,
    "Drifts of data",
    ("earlier", "later", "by", "at"),
    ("at",),
    ("later__title", "earlier__title"),
)
_shared(
    models.EstateBatch,
    "Tables read in",
    ("file_name", "kind", "by", "at", "confirmed_at"),
    ("kind",),
    ("file_name",),
)
_shared(models.EstateMapping, "Mappings remembered", ("kind", "by", "at"), ("kind",), ("kind",))
_shared(
    models.EstateRow,
    "Rows read in",
    ("batch", "line", "state"),
    ("state", "batch__kind"),
    ("batch__file_name",),
)
