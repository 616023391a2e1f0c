"""The rows that gates, permissions and pages ask for again and again, read for one initiative or for many at once.

While a page is looked at each is read once; an act reads anew (`governance.database.request_memo`).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import JSONObject

from governance import clock
from governance.database.batch_read import Batch, Given, JSONList, Rows
from governance.models import Clause, ContractVersion, Delegation
from governance.people.boards import PERSON
from governance.vocabulary import Role, SignOffVerdict
from initiatives.models import (
    Answer,
    ArchitectureDecision,
    ClauseEnforcement,
    Condition,
    Continuation,
    Coverage,
    DeclaredGoal,
    Deployment,
    DrawnRequirement,
    Evidence,
    EvidenceNames,
    Excuse,
    FormerTitle,
    Hold,
    Initiative,
    KillSwitch,
    Link,
    MeasuredAnswer,
    Obligation,
    Question,
    RequirementFinding,
    Review,
    RoleAssignment,
    ScopeVersion,
    SignOff,
    StageChange,
    StandaloneDeclaration,
    Verification,
    Voiding,
    Waiver,
)

_covers = Coverage.objects.filter(evidence=OuterRef("pk")).order_by("pk")
_named = EvidenceNames.objects.filter(evidence=OuterRef("pk")).order_by("pk")
_verifications = Verification.objects.filter(evidence=OuterRef("pk")).order_by("pk")
_verdict = JSONList(
    "verifier_id",
    "verifier__full_name",
    "at",
    "requirement",
    "answer_version",
    "fingerprint",
    "shows",
    "words",
)
_replies = Answer.objects.filter(initiative=OuterRef("pk")).order_by("pk")
_reply = JSONList(
    "requirement", "kind", "text", "version", "at", "accepted_at", "by_id", "accepted_by_id", "second_by_id"
)
_version = JSONList("deployment_id", "scope_version_id")
_stand_in = Delegation.objects.agreed().for_roles().filter(absence__person=OuterRef("person")).order_by("pk")
_times = JSONObject(by="delegate_id", since="absence__starts_at", until="absence__ends_at")
_controls = ClauseEnforcement.objects.counting().filter(
    clause__version__contract=OuterRef("version__contract"), clause__fingerprint=OuterRef("fingerprint")
)
_binding = Q(version__ends_at__isnull=True) | Q(version__ends_at__gt=Given("now"))
# Of versions that bind now or are to, what nothing enforces: clauses that have their control stay where they are.
_unmapped = Clause.objects.filter(
    _binding, ~Exists(_controls), version=OuterRef("pk"), version__starts_at__isnull=False
).order_by("position", "pk")
_said = JSONObject(number="number", sentence="sentence")
_excuses = Excuse.objects.filter(obligation=OuterRef("pk")).order_by("pk")
_excuse = JSONObject(initiative="initiative", number="initiative__number", at="at", reason="reason")
_open_obligations = Obligation.objects.open().annotate(let_pass=ArraySubquery(_excuses.values(row=_excuse)))
_OF_INITIATIVE = Batch(
    roles=Rows(
        RoleAssignment.objects.annotate(stand_ins=ArraySubquery(_stand_in.values(row=_times))),
        "initiative",
        joined={"person": PERSON},
    ),
    reviews=Rows(Review.objects.all(), "initiative", without=("findings",)),
    drawn=Rows(
        DrawnRequirement.objects.annotate(size=F("checkpoint__size"), instead_of=F("replaces__requirement")),
        "initiative",
    ),
    obligations=Rows(_open_obligations, "initiative", joined={"responsible": PERSON}),
    # Sixty to an initiative: as rows of their own they would cost as much as everything else together.
    answers=Rows(
        Initiative.objects.annotate(replies=ArraySubquery(_replies.values(row=_reply))),
        "pk",
        only=("id",),
    ),
    evidence=Rows(
        Evidence.objects.annotate(
            covers=ArraySubquery(_covers.values(row=JSONList("requirement", "pk"))),
            named=ArraySubquery(_named.values(row=_version)),
            verdicts=ArraySubquery(_verifications.values(row=_verdict)),
            clause_of=F("clause__version_id"),
            clause_kind=F("clause__kind"),
        ),
        "initiative",
        without=("note",),
    ),
    voidings=Rows(Voiding.objects.all(), "evidence__initiative"),
    contract_versions=Rows(
        ContractVersion.objects.annotate(unmapped=ArraySubquery(_unmapped.values(row=_said))),
        "contract__initiative",
    ),
    architecture_decisions=Rows(
        ArchitectureDecision.objects.filter(withdrawn_at__isnull=True), "initiative", without=("text",)
    ),
    stage_changes=Rows(StageChange.objects.all(), "initiative"),
    continuations=Rows(Continuation.objects.all(), "initiative"),
    former_titles=Rows(FormerTitle.objects.all(), "initiative"),
    holds=Rows(Hold.objects.open(), "initiative"),
    requirement_findings=Rows(RequirementFinding.objects.current(), "initiative"),
    measured_answers=Rows(MeasuredAnswer.objects.current(), "initiative"),
    standalone=Rows(
        StandaloneDeclaration.objects.filter(accepted_at__isnull=False),
        "initiative",
        joined={"accepted_by": PERSON, "second_by": PERSON},
    ),
    links=Rows(Link.objects.all(), "initiative", only=("id", "at", "ended_at")),
    switched_off=Rows(
        KillSwitch.objects.filter(released_at__isnull=True), "initiative", joined={"pressed_by": PERSON}
    ),
    waivers=Rows(Waiver.objects.all(), "initiative"),
    declared_goals=Rows(DeclaredGoal.objects.all(), "initiative"),
    scopes=Rows(ScopeVersion.objects.all(), "initiative"),
    deployments=Rows(
        Deployment.objects.all(),
        "initiative",
        joined={"version": ("id", "layer", "name", "version")},
    ),
    unmet_conditions=Rows(
        Condition.objects.filter(met_at__isnull=True).annotate(owner_name=F("owner__full_name")),
        "review__initiative",
    ),
)
_OFPERSON = Batch(
    obligations=Rows(_open_obligations.annotate(initiative_number=F("initiative__number")), "responsible")
)
_OF_REVIEW = Batch(
    sign_offs=Rows(SignOff.objects.all(), "review", joined={"person": PERSON}),
    questions=Rows(Question.objects.all(), "review", joined={"asked_by": PERSON, "answered_by": PERSON}),
)


def roles(initiative: Initiative) -> list[RoleAssignment]:
    """Every role ever proposed on the initiative, each with its person, in force or not."""
    return sorted(_owned(initiative, "roles"), key=lambda row: (row.role, row.pk))


def roles_of_each(initiatives: Iterable[int]) -> dict[int, list[RoleAssignment]]:
    """The same by initiative, for many initiatives in one query."""
    found: dict[int, list[RoleAssignment]] = {}
    for row in _OF_INITIATIVE.ask(initiatives, "roles")["roles"]:
        found.setdefault(row.initiative_id, []).append(row)
    return found


def standing_in(role: RoleAssignment) -> set[int]:
    """Keys of who stands in now for whoever holds this role in force, one of the rows of `roles`."""
    return _standing_in_at(role, clock.now()) if role.in_force else set()


def _standing_in_at(role: RoleAssignment, moment: datetime) -> set[int]:
    return {
        row["by"]
        for row in role.stand_ins
        if datetime.fromisoformat(row["since"]) <= moment < datetime.fromisoformat(row["until"])
    }


def inside(initiative: Initiative, person: int, then: datetime) -> bool:
    """Whether the person holds a role on the initiative or is proposed for one, now or at `then`, or stood in for one
    then.

    A role that ended before, or that began after and has ended since, leaves them outside.
    """
    return any(
        (row.person_id == person and (row.open or _open_at(row, then)))
        or (_open_at(row, then) and row.accepted_at and person in _standing_in_at(row, then))
        for row in roles(initiative)
    )


def _open_at(role: RoleAssignment, moment: datetime) -> bool:
    over = role.declined_at or role.ended_at
    return role.proposed_at <= moment and (over is None or over > moment)


def reviews(initiative: Initiative) -> list[Review]:
    """Every review of the initiative, oldest first, without the findings that were frozen."""
    return _owned(initiative, "reviews")


def obligations(initiative: Initiative) -> list[Obligation]:
    """What is still due on the initiative, by its last day."""
    return sorted(_owned(initiative, "obligations"), key=lambda row: (row.due, row.pk))


def rows(initiative: Initiative, table: str) -> list:
    """The rows of one table around the initiative (named in `_OF_INITIATIVE`), oldest first, without the initiative
    itself.
    """
    return _OF_INITIATIVE.of(initiative.pk, table)


def around(initiative: Initiative) -> dict[str, list]:
    """The rows of every table around the initiative, each as `rows` has them, in one query."""
    return _OF_INITIATIVE.around(initiative.pk)


def sign_offs(review: Review) -> list[SignOff]:
    """Every sign-off ever signed at the review, replaced and withdrawn ones too, oldest first."""
    found = _OF_REVIEW.of(review.pk, "sign_offs")
    for row in found:
        row._state.fields_cache["review"] = review
    return found


def questions(review: Review) -> list[Question]:
    """What the board asked about criteria of the review, with who asked and who answered, oldest first."""
    return _OF_REVIEW.of(review.pk, "questions")


def current_sign_offs(review: Review) -> list[SignOff]:
    """The sign-off that stands for each seat, as `SignOff.objects.latest()` has it."""
    signed = sign_offs(review)
    replaced = {row.replaces_id for row in signed}
    return [row for row in signed if row.pk not in replaced and row.verdict != SignOffVerdict.WITHDRAWN]


def last_sign_off(review: Review, seat: str) -> SignOff | None:
    """The newest row of the seat, a withdrawn one too: the one that the next sign-off replaces."""
    signed = sign_offs(review)
    replaced = {row.replaces_id for row in signed}
    return next((row for row in signed if row.seat == seat and row.pk not in replaced), None)


def answering(initiative: Initiative) -> list:
    """Whose obligations hold up the initiative: its owner, and who owned it when its open review was opened and is
    still here.

    Handing an initiative over while its review runs would else be a way past what one has to do (docs/domain.md,
    invariant 14).
    """
    opened = next((row.opened_at for row in reviews(initiative) if row.is_open), None)
    people = {
        row.person_id: row.person
        for row in sorted(roles(initiative), key=lambda row: not row.in_force)
        if row.role == Role.OWNER
        and row.person.is_active
        and row.accepted_at
        and (
            row.in_force
            or (
                opened is not None
                and row.accepted_at <= opened
                and (row.ended_at is None or row.ended_at > opened)
            )
        )
    }
    return list(people.values())


def obligations_of(person, kinds: Iterable[str]) -> list[Obligation]:
    """What the person still has to write of these kinds, on any initiative (`initiative_number`), by its last day."""
    open_obligations = _OFPERSON.of(person.pk, "obligations")
    return sorted(
        (obligation for obligation in open_obligations if obligation.kind in kinds),
        key=lambda row: (row.due, row.pk),
    )


def excused(obligation: Obligation, initiative: Initiative) -> bool:
    """Whether the next decision on this initiative may pass the obligation, one of `obligations_of`: the chair said so
    since the last.

    A review that was returned, withdrawn or expired decided nothing, and uses nothing up.
    """
    decided = [row.ended_at for row in reviews(initiative) if row.decided and row.ended_at]
    last = max(decided, default=None)
    given = [
        datetime.fromisoformat(one["at"]) for one in obligation.let_pass if one["initiative"] == initiative.pk
    ]
    return any(last is None or at > last for at in given)


def read_together(initiatives: list[Initiative], open_reviews: Sequence[Review] = ()) -> None:
    """Read everything above for all these initiatives now, in as many queries as one initiative takes, for the
    running look.
    """
    _OF_INITIATIVE.together([initiative.pk for initiative in initiatives])
    _OFPERSON.together({person.pk for initiative in initiatives for person in answering(initiative)})
    _OF_REVIEW.together([review.pk for review in open_reviews])


def _owned(initiative: Initiative, table: str) -> list:
    found = rows(initiative, table)
    if found and found[0]._state.fields_cache.get("initiative") is not initiative:
        for row in found:
            row._state.fields_cache["initiative"] = initiative
    return found
