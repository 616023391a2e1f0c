"""Rows that gates, permissions and pages need often, for one or many.

A page reads each row once. An act reads anew (`governance.database.request_memo`).
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from textwrap import shorten
from typing import NamedTuple

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, Subquery, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject

from governance import clock
from governance.database.batch_read import Batch, Given, JSONList, Rows
from governance.gates.gate_inputs import WRITTEN_ANEW, first_days
from governance.gates.remarks import KnownNames
from governance.models import Clause, ContractVersion, Delegation, Rulebook
from governance.people.boards import PERSON
from governance.vocabulary import ObligationKind, ReviewOutcome, Role, SignOffVerdict
from initiatives.models import (
    AcceptedRisk,
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
    ModelEvaluation,
    Obligation,
    Profile,
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

# The longest piece of a purpose that a sentence quotes, in letters.
QUOTED = 160
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
    "seat",
    "place",
    "opening__at",
    "second_to_id",
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
_clauses = Clause.objects.filter(version=OuterRef("pk")).order_by("position", "pk")
_said = JSONObject(number="number", sentence="sentence")
_excuses = Excuse.objects.filter(obligation=OuterRef("pk")).order_by("pk")
_excuse = JSONObject(initiative="initiative", number="initiative__number", at="at", reason="reason")
_open_obligations = Obligation.objects.open().annotate(let_pass=ArraySubquery(_excuses.values(row=_excuse)))
# Of a step back: what its owner said, or that nothing was said yet.
_answers = Obligation.objects.filter(
    kind=ObligationKind.STEPPED_BACK,
    initiative=OuterRef("initiative"),
    source=Concat(Value(f"{ObligationKind.STEPPED_BACK}:"), Cast(OuterRef("pk"), TextField())),
)
_answer = JSONObject(at="completed_at", note="completed_note", by="completed_by__full_name")
_proposed = SignOff.objects.filter(
    review=OuterRef("review"), person=OuterRef("proposed_by"), condition__isnull=False
).order_by("-pk")
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
            drilled=F("drill__link"),
            of_pipeline=F("pipeline_report__pipeline"),
            measures=F("pipeline_report__measures"),
        ),
        "initiative",
        without=("note",),
    ),
    voidings=Rows(Voiding.objects.all(), "evidence__initiative"),
    contract_versions=Rows(
        ContractVersion.objects.annotate(
            unmapped=ArraySubquery(_unmapped.values(row=_said)),
            clause_kinds=ArraySubquery(_clauses.values("kind")),
        ),
        "contract__initiative",
    ),
    architecture_decisions=Rows(
        ArchitectureDecision.objects.filter(withdrawn_at__isnull=True), "initiative", without=("text",)
    ),
    stage_changes=Rows(
        StageChange.objects.annotate(
            by_name=F("by__full_name"), answers=ArraySubquery(_answers.values(row=_answer))
        ),
        "initiative",
    ),
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
    links=Rows(
        Link.objects.annotate(system_name=F("system__name")),
        "initiative",
        only=("id", "initiative_id", "at", "ended_at"),
    ),
    profiles=Rows(Profile.objects.all(), "initiative", only=("id", "initiative_id", "data_set")),
    evaluations=Rows(
        ModelEvaluation.objects.filter(withdrawn_at__isnull=True),
        "initiative",
        only=("id", "initiative_id", "data_set"),
    ),
    switched_off=Rows(
        KillSwitch.objects.filter(released_at__isnull=True), "initiative", joined={"pressed_by": PERSON}
    ),
    waivers=Rows(Waiver.objects.all(), "initiative"),
    accepted_risks=Rows(
        AcceptedRisk.objects.granted(),
        "initiative",
        joined={"risk": PERSON},
        without=("happens", "limits", "reason"),
    ),
    declared_goals=Rows(DeclaredGoal.objects.all(), "initiative"),
    scopes=Rows(ScopeVersion.objects.all(), "initiative"),
    deployments=Rows(
        Deployment.objects.all(),
        "initiative",
        joined={"version": ("id", "layer", "name", "version")},
    ),
    unmet_conditions=Rows(
        Condition.objects.filter(met_at__isnull=True).annotate(
            owner_name=F("owner__full_name"), seat=Subquery(_proposed.values("seat")[:1])
        ),
        "review__initiative",
    ),
    objections=Rows(
        SignOff.objects.latest().filter(verdict=SignOffVerdict.OBJECT, review__outcome=ReviewOutcome.OPEN),
        "review__initiative",
        only=("id", "seat", "criteria", "reason"),
    ),
)
_NAMED = ("profiles", "evaluations", "links")  # what names are compared with
_OFPERSON = Batch(
    obligations=Rows(
        _open_obligations.annotate(
            initiative_number=F("initiative__number"), of_confidential=F("initiative__confidential")
        ),
        "responsible",
    )
)
_OF_REVIEW = Batch(
    sign_offs=Rows(SignOff.objects.all(), "review", joined={"person": PERSON}),
    questions=Rows(Question.objects.all(), "review", joined={"asked_by": PERSON, "answered_by": PERSON}),
)


def roles(initiative: Initiative) -> list[RoleAssignment]:
    """Return every role ever proposed on the initiative, with its person."""
    return sorted(_owned(initiative, "roles"), key=lambda row: (row.role, row.pk))


def roles_of_each(initiatives: Iterable[int]) -> dict[int, list[RoleAssignment]]:
    """Return these roles by initiative, for many initiatives in one query."""
    found: dict[int, list[RoleAssignment]] = {}
    for row in _OF_INITIATIVE.ask(initiatives, "roles")["roles"]:
        found.setdefault(row.initiative_id, []).append(row)
    return found


def beyond_tier(initiative: Initiative, scopes: Iterable[ScopeVersion]) -> str:
    """Return in words what the confirmed tier covered beside the present, or ""."""
    known, told = list(scopes), []
    confirmed = f"{initiative.get_tier_display()} risk was confirmed for"
    new = next((row for row in initiative.scopes_without_tier(known) if row.ended_at is None), None)
    if new is not None:
        old = next((row.in_words for row in known if row.number == initiative.tier_scope), "no scope")
        when = "planned" if new.starts_at is None else "in force"
        told.append(f"{confirmed} {old}. The new {new.in_words} is {when}.")
    if initiative.purpose_changed_at is not None:
        was, now = (
            shorten(words, QUOTED, placeholder=" …")
            for words in (initiative.tier_purpose, initiative.problem)
        )
        told.append(f"{confirmed} the purpose “{was}”. The purpose is now “{now}”.")
    return " ".join(told)


class _Content(NamedTuple):
    id: int
    fingerprint: str
    observed_on: date
    added_at: datetime
    withdrawn_at: datetime | None
    anew: bool


def first_days_of(initiatives: Iterable[Initiative | int]) -> dict[int, date]:
    """Return by key of each file of evidence the day from which its age counts, for many initiatives in one query."""
    rows = Evidence.objects.filter(initiative__in=initiatives).exclude(sha256="")
    dated = ("observed_on", "added_at", "withdrawn_at")
    told = rows.values_list(
        "pk", "initiative", "sha256", *dated, "generated", "pipeline_report__pipeline", "details__register"
    )
    return first_days(
        _Content(
            pk, f"{of}:{sha}", seen, added, withdrawn, made or run is not None or register in WRITTEN_ANEW
        )
        for pk, of, sha, seen, added, withdrawn, made, run, register in told
    )


def first_day_of(item: Evidence) -> date:
    """Return the day from which the age of one item counts. An item without content counts from its own day."""
    if not item.sha256:
        return item.observed_on
    return first_days_of([item.initiative_id]).get(item.pk, item.observed_on)


def known_names(initiative: Initiative) -> KnownNames:
    """Return the names of data sets and linked systems that evidence is compared with."""
    return _known(initiative.ref, *(rows(initiative, table) for table in _NAMED))


def known_names_of_each(initiatives: dict[int, Initiative]) -> dict[int, KnownNames]:
    """Return these names by key, for many initiatives in one query."""
    asked = _OF_INITIATIVE.ask(list(initiatives), *_NAMED) if initiatives else {}
    return {
        key: _known(row.ref, *([one for one in asked[table] if one.initiative_id == key] for table in _NAMED))
        for key, row in initiatives.items()
    }


def _known(ref: str, profiles, evaluations, links) -> KnownNames:
    return KnownNames(
        ref,
        frozenset(row.data_set for row in (*profiles, *evaluations)),
        frozenset(row.system_name for row in links),
    )


def scope_ahead(initiative: Initiative) -> ScopeVersion | None:
    """Return the scope planned for the next stage, else the one in force."""
    live = [row for row in rows(initiative, "scopes") if row.ended_at is None]
    return max(live, key=lambda row: (row.starts_at is None, row.number), default=None)


def scopes_of_each(initiatives: Iterable[int]) -> dict[int, list[ScopeVersion]]:
    """Return every scope ever recorded, by initiative, in one query."""
    found: dict[int, list[ScopeVersion]] = {}
    for row in _OF_INITIATIVE.ask(initiatives, "scopes")["scopes"]:
        found.setdefault(row.initiative_id, []).append(row)
    return found


def standing_in(role: RoleAssignment) -> set[int]:
    """Return the keys of people who stand in now for this role's holder. `role` is a row of `roles`."""
    return _standing_in_at(role, clock.now()) if role.in_force else set()


def _standing_in_at(role: RoleAssignment, moment: datetime) -> set[int]:
    return {
        row["by"]
        for row in role.stand_ins
        if datetime.fromisoformat(row["since"]) <= moment < datetime.fromisoformat(row["until"])
    }


def inside(initiative: Initiative, person: int, then: datetime) -> bool:
    """Return True if the person holds or is proposed for a role, now or at `then`, or accepted one since.

    Standing in at `then` counts too. A role that ended before, or a proposal made later that ended unaccepted, does
    not count.
    """
    return any(
        (
            row.person_id == person
            and (row.open or _open_at(row, then) or (row.accepted_at is not None and row.accepted_at > then))
        )
        or (_open_at(row, then) and row.accepted_at and person in _standing_in_at(row, then))
        for row in roles(initiative)
    )


def _open_at(role: RoleAssignment, moment: datetime) -> bool:
    over = role.declined_at or role.ended_at
    return role.proposed_at <= moment and (over is None or over > moment)


def reviews(initiative: Initiative) -> list[Review]:
    """Return every review of the initiative, oldest first, without findings."""
    return _owned(initiative, "reviews")


def obligations(initiative: Initiative) -> list[Obligation]:
    """Return the open obligations of the initiative, by their last day."""
    return sorted(_owned(initiative, "obligations"), key=lambda row: (row.due, row.pk))


def rows(initiative: Initiative, table: str) -> list:
    """Return the rows of one table of `_OF_INITIATIVE`, oldest first. The initiative itself is left out."""
    return _OF_INITIATIVE.of(initiative.pk, table)


def around(initiative: Initiative) -> dict[str, list]:
    """Return the rows of every table around the initiative, in one query."""
    return _OF_INITIATIVE.around(initiative.pk)


def sign_offs(review: Review) -> list[SignOff]:
    """Return all sign-offs of the review, even replaced, oldest first."""
    found = _OF_REVIEW.of(review.pk, "sign_offs")
    for row in found:
        row._state.fields_cache["review"] = review
    return found


def questions(review: Review) -> list[Question]:
    """Return the board's questions of the review with people, oldest first."""
    return _OF_REVIEW.of(review.pk, "questions")


def current_sign_offs(review: Review) -> list[SignOff]:
    """Return the current sign-off of each seat, as `SignOff.objects.latest()` does."""
    signed = sign_offs(review)
    replaced = {row.replaces_id for row in signed}
    return [row for row in signed if row.pk not in replaced and row.verdict != SignOffVerdict.WITHDRAWN]


def objections(review: Review | None) -> list[SignOff]:
    """Return the current objections that block the review, or none without a review."""
    if review is None:
        return []
    gate = Rulebook.objects.kept(review.rulebook_id).parsed.gates[review.gate]
    return [row for row in current_sign_offs(review) if row.objects_to(gate)]


def last_sign_off(review: Review, seat: str) -> SignOff | None:
    """Return the newest row of the seat, even if withdrawn. The next sign-off replaces it."""
    signed = sign_offs(review)
    replaced = {row.replaces_id for row in signed}
    return next((row for row in signed if row.seat == seat and row.pk not in replaced), None)


def answering(initiative: Initiative) -> list:
    """Return the people whose obligations block decisions on the initiative.

    They are its owner, and the active owner at the opening of its review. Otherwise a handover during the review
    would avoid an obligation (docs/domain.md, invariant 14).
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
    """Return the person's open obligations of these kinds on any initiative, by day."""
    open_obligations = _OFPERSON.of(person.pk, "obligations")
    return sorted(
        (obligation for obligation in open_obligations if obligation.kind in kinds),
        key=lambda row: (row.due, row.pk),
    )


def last_decision(initiative: Initiative) -> datetime | None:
    """Return when the last review was approved or refused, or None. Other ends of a review decide nothing."""
    decided = [row.ended_at for row in reviews(initiative) if row.decided and row.ended_at]
    return max(decided, default=None)


def excused(obligation: Obligation, initiative: Initiative) -> bool:
    """Return True if the next decision here may pass this obligation.

    The chair allowed it since the last decision. A returned, withdrawn or expired review decided nothing and does not
    use up the permission.
    """
    last = last_decision(initiative)
    given = [
        datetime.fromisoformat(one["at"]) for one in obligation.let_pass if one["initiative"] == initiative.pk
    ]
    return any(last is None or at > last for at in given)


def read_together(initiatives: list[Initiative], open_reviews: Sequence[Review] = ()) -> None:
    """Read all rows of this module for these initiatives, for one look.

    The number of queries is that of one initiative.
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
