"""The rows that gates, permissions and pages ask for again and again, read for one case or for many at once.

While a page is looked at each is read once; an act reads anew (`governance.reading`).
"""

from collections.abc import Iterable

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef
from django.db.models.functions import JSONObject

from governance.models import ContractVersion
from governance.reading import each, gathered
from initiatives.models import (
    Answer,
    ComponentVersion,
    Condition,
    Coverage,
    Evidence,
    EvidenceNames,
    Hold,
    Initiative,
    Obligation,
    ProofItem,
    Review,
    RoleAssignment,
    ScopeVersion,
    SignOff,
    StageChange,
    Voiding,
    Waiver,
)
from initiatives.models.reviews import WITHDRAWN


def roles(case: Initiative) -> list[RoleAssignment]:
    """Every role ever proposed on the case, each with its person, in force or not."""
    return _owned(case, "roles")


def reviews(case: Initiative) -> list[Review]:
    """Every review of the case, oldest first, without the findings that were frozen."""
    return _owned(case, "reviews")


def debts(case: Initiative) -> list[Obligation]:
    """What is still owed on the case, by its last day."""
    return _owned(case, "debts")


def answers(case: Initiative) -> list:
    """The answers of the case as plain rows, by requirement."""
    return _of(case, "answers")


def evidence(case: Initiative) -> list:
    """The evidence of the case as plain rows, with what each item covers and which versions it names."""
    return _of(case, "evidence")


def voidings(case: Initiative) -> list:
    """What ended items of evidence, as plain rows, oldest first."""
    return _of(case, "voidings")


def contract_versions(case: Initiative) -> list:
    """The versions of the contract as plain rows, by number."""
    return _of(case, "contract versions")


def small(case: Initiative, table: str) -> list:
    """The rows of one of the small tables around the case (`_small`), oldest first."""
    return [row for name, row in _of(case, "small") if name == table]


def sign_offs(review: Review) -> list[SignOff]:
    """Every vote ever signed at the review, replaced and withdrawn ones too, oldest first."""
    rows = each("sign-offs", [review.pk], _sign_offs)[review.pk]
    for row in rows:
        row.review = review
    return rows


def standing_votes(review: Review) -> list[SignOff]:
    """The vote that stands for each seat, as `SignOff.objects.latest()` has it."""
    rows = sign_offs(review)
    replaced = {row.replaces_id for row in rows}
    return [row for row in rows if row.pk not in replaced and row.verdict != WITHDRAWN]


def debts_of(person, kinds: Iterable[str]) -> list[Obligation]:
    """What the person still owes of these kinds, on any case."""
    owed = each("debts of people", [person.pk], _debts_of)[person.pk]
    return [debt for debt in owed if debt.kind in kinds]


def read_together(cases: list[Initiative], open_reviews: list[Review] = ()) -> None:
    """Read everything above for all these cases now, in as many questions as one case takes, for the running look."""
    keys = [case.pk for case in cases]
    if not keys:
        return
    for kind in _READ:
        each(kind, keys, _READ[kind])
    owners = {row.person_id for case in cases for row in roles(case) if row.role == "owner" and row.in_force}
    each("debts of people", list(owners), _debts_of)
    each("sign-offs", [review.pk for review in open_reviews], _sign_offs)


def _of(case: Initiative, kind: str) -> list:
    return each(kind, [case.pk], _READ[kind])[case.pk]


def _owned(case: Initiative, kind: str) -> list:
    rows = _of(case, kind)
    for row in rows:
        row.initiative = case
    return rows


def _by(name: str, rows) -> dict[int, list]:
    found: dict[int, list] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _roles(keys):
    rows = RoleAssignment.objects.filter(initiative__in=keys).select_related("person")
    return _by("initiative_id", rows.order_by("role", "id"))


def _reviews(keys):
    return _by("initiative_id", Review.objects.filter(initiative__in=keys).defer("findings").order_by("id"))


def _debts(keys):
    rows = Obligation.objects.unsettled().filter(initiative__in=keys).select_related("debtor")
    return _by("initiative_id", rows.order_by("due", "id"))


def _debts_of(keys):
    rows = Obligation.objects.unsettled().filter(debtor__in=keys).select_related("initiative")
    return _by("debtor_id", rows.order_by("due", "id"))


def _sign_offs(keys):
    rows = SignOff.objects.filter(review__in=keys).select_related("person")
    return _by("review_id", rows.order_by("id"))


def _answers(keys):
    rows = Answer.objects.filter(initiative__in=keys).order_by("requirement")
    columns = ("initiative_id", "requirement", "kind", "text", "version", "at", "accepted_at")
    return _by("initiative_id", rows.values_list(*columns, named=True))


def _evidence(keys):
    covered = Coverage.objects.filter(evidence=OuterRef("pk")).order_by("pk")
    named = EvidenceNames.objects.filter(evidence=OuterRef("pk")).order_by("pk")
    version = JSONObject(
        version="component_version_id",
        layer="component_version__component__layer",
        scope="scope_version_id",
    )
    rows = Evidence.objects.filter(initiative__in=keys).annotate(
        covers=ArraySubquery(covered.values(row=JSONObject(key="requirement", pk="pk"))),
        named=ArraySubquery(named.values(row=version)),
    )
    columns = (
        "initiative_id",
        "pk",
        "kind",
        "title",
        "author_id",
        "observed_on",
        "added_at",
        "sha256",
        "result",
        "condition",
        "withdrawn_at",
        "supersedes_id",
        "missing_since",
        "generated",
        "link",
        "acceptance_id",
        "clause__version_id",
        "covers",
        "named",
    )
    return _by("initiative_id", rows.order_by("id").values_list(*columns, named=True))


def _voidings(keys):
    rows = Voiding.objects.filter(evidence__initiative__in=keys).order_by("id")
    columns = ("evidence__initiative_id", "evidence_id", "requirement", "effective_at", "trigger", "cause")
    return _by("evidence__initiative_id", rows.values_list(*columns, named=True))


def _contract_versions(keys):
    rows = ContractVersion.objects.filter(contract__initiative__in=keys).order_by("number")
    columns = ("contract__initiative", "pk", "number", "digest", "state", "author_id", "starts_at", "ends_at")
    return _by("contract__initiative", rows.values_list(*columns, named=True))


def _small(keys):
    """Tables of which a case has a handful of rows, in one question: pairs of table and row, by case."""
    tables = gathered(
        {
            "stage changes": StageChange.objects.filter(initiative__in=keys),
            "holds": Hold.objects.open().filter(initiative__in=keys),
            "waivers": Waiver.objects.filter(initiative__in=keys),
            "proof items": ProofItem.objects.filter(initiative__in=keys),
            "scopes": ScopeVersion.objects.filter(initiative__in=keys),
            "component versions": ComponentVersion.objects.filter(component__initiative__in=keys).annotate(
                initiative_id=F("component__initiative_id"),
                layer=F("component__layer"),
                name=F("component__name"),
            ),
            "conditions": Condition.objects.filter(review__initiative__in=keys, met_at__isnull=True).annotate(
                initiative_id=F("review__initiative_id"), owner_name=F("owner__full_name")
            ),
        }
    )
    found: dict[int, list] = {}
    for table, rows in tables.items():
        for row in sorted(rows, key=lambda row: row.pk):
            found.setdefault(row.initiative_id, []).append((table, row))
    return found


_READ = {
    "roles": _roles,
    "reviews": _reviews,
    "debts": _debts,
    "answers": _answers,
    "evidence": _evidence,
    "voidings": _voidings,
    "contract versions": _contract_versions,
    "small": _small,
}
