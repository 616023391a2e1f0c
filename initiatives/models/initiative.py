"""Rows of the initiative, its roles, its stage, and its supported stage."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Case, F, Q, Value, When
from django_fsm import FSMField, Transition

from governance import clock
from governance.database.row_history import WrittenOnce, governed
from governance.database.text_search import Words
from governance.models import Contract, Unit, User
from governance.vocabulary import CLOSED_STAGES, STAGE_RANK, Role, ScaleTestOutcome, Stage, Tier
from initiatives.models.moves_of_reports import MovesOfReports
from initiatives.models.stage_machine import (
    EMERGENCY,
    PROMOTION,
    REOPENING,
    RETIREMENT,
    STEP_BACK,
    STOP,
    UNJUDGED,
    move,
    not_withdrawn,
    post_mortem_written,
    was_idea,
    was_prototype,
)

if TYPE_CHECKING:
    from initiatives.models.versions import ScopeVersion


def supported_rank(field: str) -> Case:
    """Return the rank of the stage in this field, else -1, also for an index."""
    whens = [When(**{field: stage}, then=Value(rank)) for stage, rank in STAGE_RANK.items()]
    return Case(*whens, default=Value(-1), output_field=models.IntegerField())


class InitiativeQuerySet(models.QuerySet):
    def live(self):
        """Return the initiatives that were not withdrawn as registered by mistake."""
        return self.filter(withdrawn_at__isnull=True)

    def told(self):
        """Return the initiatives that every user may know of, as not confidential."""
        return self.live().filter(confidential=False)

    def with_refs(self, refs):
        """Return the initiatives with these references. Other texts name none."""
        numbers = [ref.removeprefix("AI-") for ref in refs]
        return self.filter(number__in=[int(number) for number in numbers if number.isdecimal()])

    def own(self):
        """Return this organisation's initiatives, also those that an admin took over."""
        return self.exclude(unit__in=Unit.objects.of_external_inventories().order_by().values("pk"))

    def others(self):
        """Return the initiatives of external inventories that were not taken over."""
        return self.filter(unit__in=Unit.objects.of_external_inventories().order_by().values("pk"))

    def locked(self, pk: int) -> "Initiative":
        """Return the initiative with its unit, locked for the transaction."""
        return self.select_for_update(of=("self",)).select_related("unit").get(pk=pk)

    def all_locked(self, keys: list[int]) -> list["Initiative"]:
        """Return these initiatives, locked in the order of their keys, as everywhere."""
        return list(self.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))


class Initiative(MovesOfReports, models.Model):
    """One AI undertaking, with a reference that is never used again."""

    number = models.PositiveIntegerField(unique=True, editable=False)
    title = models.CharField(max_length=200)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="initiatives")
    problem = models.TextField()
    stage = FSMField(default=Stage.PROPOSED, choices=Stage.choices, protected=True)
    basis = models.CharField(max_length=20, default="registered", editable=False)
    since = models.DateTimeField(default=clock.now, editable=False)
    registered_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", editable=False)
    registered_at = models.DateTimeField(default=clock.now, editable=False)
    confidential = models.BooleanField(default=False)
    platform = models.CharField(max_length=120, blank=True, default="")
    proposed_tier = models.CharField(max_length=10, choices=Tier.choices, blank=True, default="")
    worst_credible_harm = models.TextField(blank=True, default="")
    tier = models.CharField(max_length=10, choices=Tier.choices, blank=True, default="", editable=False)
    tier_confirmed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    tier_confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The number of the scope that it was confirmed for: the one planned then, else the one in force, else none.
    tier_scope = models.PositiveIntegerField(null=True, blank=True, editable=False)
    # The problem that it was confirmed for, and since when the problem is another one.
    tier_purpose = models.TextField(blank=True, default="", editable=False)
    purpose_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    contract = models.OneToOneField(
        Contract, models.PROTECT, null=True, blank=True, related_name="initiative"
    )
    reattested_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_reason = models.TextField(blank=True, default="", editable=False)
    joined_to = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="joined")
    successor_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="successors")
    source_organisation = models.CharField(max_length=160, blank=True, default="", editable=False)
    source_key = models.CharField(max_length=160, blank=True, default="", editable=False)

    objects = InitiativeQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(name="stage_is_known", condition=Q(stage__in=list(Stage))),
            models.CheckConstraint(
                name="confirmed_tier_has_who_and_when",
                condition=Q(
                    tier="",
                    tier_confirmed_by__isnull=True,
                    tier_confirmed_at__isnull=True,
                    tier_scope__isnull=True,
                )
                | ~Q(tier="") & Q(tier_confirmed_by__isnull=False, tier_confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="only_ideas_are_withdrawn",
                condition=Q(withdrawn_at__isnull=True) | Q(stage=Stage.PROPOSED),
            ),
        ]
        indexes = [
            models.Index(fields=["stage"]),
            models.Index(fields=["unit"]),
            # Which stages of a board's initiatives have ended; what an import reports has no obligations.
            models.Index(
                fields=["unit", "stage", "since"], condition=~Q(basis="import"), name="stages_by_age"
            ),
            models.Index(fields=["unit"], condition=Q(withdrawn_at__isnull=True), name="live_initiatives"),
            models.Index(fields=["since", "number"], name="initiatives_by_stay"),
            GinIndex(Words("title"), name="initiatives_by_words"),
            GinIndex(Words("platform"), name="platforms_by_words"),
            # Forms of words, in English: what similar initiatives are found by (`similar.FOUND` asks in these very
            # words).
            GinIndex(
                SearchVector("title", "problem", config="english"),
                name="initiatives_by_matter",
                fastupdate=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of the page of the initiative."""
        return f"/initiatives/{self.ref}/"

    @property
    def ref(self) -> str:
        """Return the reference, such as AI-0042."""
        return self.ref_of(self.number)

    @staticmethod
    def ref_of(number: int) -> str:
        """Return the reference of the initiative with this number."""
        return f"AI-{number:04d}"

    @property
    def lowers_tier(self) -> bool:
        """Return True if the proposed risk tier is lower than the confirmed one."""
        order = list(Tier)
        return bool(self.tier) and order.index(self.proposed_tier) < order.index(self.tier)

    @property
    def name_for_all(self) -> str:
        """Return the title, or only the reference if it is confidential, for people who may not open it."""
        return self.ref if self.confidential else self.title

    @property
    def imported(self) -> bool:
        """Return True if the approved stage rests on an import and not on a decision."""
        return self.basis == "import"

    @property
    def brought_in(self) -> bool:
        """Return True if an import created it, also after decisions. A listed idea has no approved stage."""
        return bool(self.source_organisation)

    @property
    def told(self) -> bool:
        """Return True if every user may know of it, as in `Initiative.objects.told()`."""
        return not self.confidential and self.withdrawn_at is None

    def scopes_without_tier(self, scopes: Iterable["ScopeVersion"]) -> list["ScopeVersion"]:
        """Return the scopes, oldest first, that the risk tier does not cover.

        They are planned, or came into force since. The tier covers the scope it was confirmed for, the one in force at
        that moment, and all that are not wider than one of these. The result is empty without a tier.
        """
        at = self.tier_confirmed_at
        if at is None:
            return []
        known = sorted(scopes, key=lambda row: row.number)
        covered = [row for row in known if row.number == self.tier_scope or row.in_force_at(at)]
        return [
            row
            for row in known
            if (row.starts_at is None or row.starts_at > at)
            and row not in covered
            and (row.starts_at or row.ended_at is None)
            and not any(row.within(other) for other in covered)
        ]

    @property
    def high_risk(self) -> bool:
        """Return True if the confirmed tier is high: shorter freshness, larger quorum."""
        return self.tier == Tier.HIGH

    @property
    def closed(self) -> bool:
        """Return True if it was stopped, retired or withdrawn. Its obligations remain, its stage stays."""
        return self.stage in CLOSED_STAGES or self.withdrawn_at is not None

    # The machine: the one statement of where an initiative may go, when and by whom. One sentence each, no bodies:
    # `actions` are the only callers and do the saving. What its conditions read is handed in (`stage_machine.judged`).
    judgement = UNJUDGED

    @move(
        Stage.PROPOSED,
        Stage.PROTOTYPE,
        kind=PROMOTION,
        basis="decision",
        gate="prototype",
        who="raise",
        conditions=[not_withdrawn],
    )
    def promote_to_prototype(self):
        """The chair decided the prototype gate: worth exploring now, honestly described."""

    @move(Stage.PROTOTYPE, Stage.MVP, kind=PROMOTION, basis="decision", gate="mvp", who="raise")
    def promote_to_mvp(self):
        """The chair decided the MVP gate: a bounded, owned, governed trial."""

    @move(Stage.MVP, Stage.PRODUCTION, kind=PROMOTION, basis="decision", gate="production", who="raise")
    def promote_to_production(self):
        """The chair decided the production gate: the business may depend on it."""

    @move(Stage.PRODUCTION, Stage.MVP, kind=STEP_BACK, basis="step back", who="chair")
    def step_back_to_mvp(self):
        """The chair took production back to an MVP: users told, scope cut."""

    @move([Stage.MVP, Stage.PRODUCTION], Stage.PROTOTYPE, kind=STEP_BACK, basis="step back", who="chair")
    def step_back_to_prototype(self):
        """The chair took it back to a prototype: no dependence, no rollout."""

    @move(
        [Stage.PROPOSED, Stage.PROTOTYPE, Stage.MVP],
        Stage.STOPPED,
        kind=STOP,
        basis="stopped",
        who="stop",
        conditions=[not_withdrawn],
    )
    def stop(self):
        """The owner or the chair stopped it at once. Paperwork follows."""

    @move(Stage.PRODUCTION, Stage.RETIRED, kind=RETIREMENT, basis="decision", gate="retire", who="chair")
    def retire(self):
        """The chair decided the gate to retire. Production ended. Logs and decisions are kept."""

    @move(Stage.PRODUCTION, Stage.RETIRED, kind=EMERGENCY, basis="emergency", who="chair")
    def retire_in_emergency(self):
        """The chair retired production without a review. The requirements of the gate have due dates."""

    @move(
        Stage.STOPPED,
        Stage.PROTOTYPE,
        kind=REOPENING,
        basis="reopened",
        who="raise",
        conditions=[was_prototype, post_mortem_written],
    )
    def reopen_as_prototype(self):
        """The chair reopened an initiative that passed the prototype gate before its stop."""

    @move(
        Stage.STOPPED,
        Stage.PROPOSED,
        kind=REOPENING,
        basis="reopened",
        who="raise",
        conditions=[was_idea, post_mortem_written],
    )
    def reopen_as_proposed(self):
        """The chair reopened an initiative that was still an idea at its stop."""


def machine() -> list[Transition]:
    """Return every move of the machine, once for each stage that it leads out of."""
    return list(Initiative._meta.get_field("stage").get_all_transitions(Initiative))


@cache
def gate_out_of(stage: str) -> str:
    """Return the gate whose decision leads out of this stage, or ""."""
    return next((one.custom["gate"] for one in machine() if one.source == stage and one.custom["gate"]), "")


class StageChange(WrittenOnce):
    """The only way to change a stage: a row for one update in the same transaction."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="stage_changes")
    from_stage = models.CharField(max_length=20)
    to_stage = models.CharField(max_length=20)
    basis = models.CharField(max_length=20)
    review = models.OneToOneField(
        "Review", models.PROTECT, null=True, blank=True, related_name="stage_change"
    )
    reason = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    supported_then = models.CharField(max_length=20, blank=True, default="")
    entry_id = models.BigIntegerField()
    consumed = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["initiative", "id"]
        indexes = [models.Index(fields=["initiative", "-id"])]

    def __str__(self) -> str:
        return f"{self.initiative_id}: {self.from_stage} to {self.to_stage}"


class RoleQuerySet(models.QuerySet):
    def in_force(self):
        """Return the roles of active people that were accepted and have not ended."""
        return self.filter(accepted_at__isnull=False, ended_at__isnull=True, person__is_active=True)

    def open(self):
        """Return roles in force or proposed, as separation of duties needs them."""
        return self.filter(declined_at__isnull=True, ended_at__isnull=True)

    def waiting(self):
        """Return the proposals without an answer."""
        return self.open().filter(accepted_at__isnull=True)

    def to_accept(self, person: User):
        """Return the proposals that this person can answer one by one. A handover has one answer for all."""
        rows = self.waiting().filter(person=person, handover=None, initiative__withdrawn_at=None)
        return (
            rows.exclude(initiative__stage__in=CLOSED_STAGES)
            .select_related("initiative__unit", "initiative__contract", "proposed_by", "person")
            .order_by("initiative__number", "role")
        )


class RoleAssignment(models.Model):
    """A person proposed for a role, in force once the person has accepted."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="roles")
    role = models.CharField(max_length=20, choices=Role.choices)
    person = models.ForeignKey(User, models.PROTECT, related_name="roles")
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_words = models.TextField(blank=True, default="")
    declined_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")
    handover = models.ForeignKey("Handover", models.PROTECT, null=True, blank=True, related_name="roles")

    objects = RoleQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "role", "id"]
        constraints = [
            models.UniqueConstraint(
                name="one_person_in_force_per_role",
                fields=["initiative", "role"],
                condition=Q(accepted_at__isnull=False, ended_at__isnull=True),
            ),
            models.UniqueConstraint(
                name="one_open_proposal_per_person_and_role",
                fields=["initiative", "role", "person"],
                condition=Q(declined_at__isnull=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="accepted_or_declined_not_both",
                condition=Q(accepted_at__isnull=True) | Q(declined_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["person"], condition=Q(ended_at__isnull=True), name="roles_open_by_person")
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_role_display()}"

    @property
    def in_force(self) -> bool:
        """Return True if the role is one row of `RoleQuerySet.in_force`."""
        return bool(self.accepted_at and not self.ended_at and self.person.is_active)

    @property
    def open(self) -> bool:
        """Return True if the role is one row of `RoleQuerySet.open`."""
        return self.declined_at is None and self.ended_at is None


class SupportedStage(models.Model):
    """The stage that the evidence supports, as far ahead as known. Rewritten with every change."""

    derived = True
    not_governed = (
        "written by the database from the newest PastSupportedStage, which is a row of the audit log"
    )

    initiative = models.OneToOneField(Initiative, models.PROTECT, related_name="supported_stage")
    rulebook = models.ForeignKey("governance.Rulebook", models.PROTECT, related_name="+")
    computed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"supported stage of {self.initiative_id}"


class SupportedStagePeriodQuerySet(models.QuerySet):
    def covering(self, moment):
        """Return the spans that hold at `moment`, one for each initiative."""
        return self.filter(from_at__lte=moment).filter(Q(until_at__isnull=True) | Q(until_at__gt=moment))


class SupportedStagePeriod(models.Model):
    """A span in which the evidence supports a stage, if nothing changes. The last span has no end."""

    derived = True
    not_governed = (
        "written by the database from the newest PastSupportedStage, which is a row of the audit log"
    )

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="spans")
    past_supported_stage = models.ForeignKey(
        "PastSupportedStage", models.PROTECT, related_name="+", db_index=False
    )
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)
    supported = models.CharField(max_length=20)
    unsupported_stages = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=60, blank=True, default="")
    governance = models.CharField(max_length=12, choices=ScaleTestOutcome.choices)
    integration = models.CharField(max_length=12, choices=ScaleTestOutcome.choices)
    adoption = models.CharField(max_length=12, choices=ScaleTestOutcome.choices)
    # What no running system shows here: `governance.gates.gate_inputs.SHOWN_HERE`.
    runs_without = models.JSONField(default=list)
    held = models.BooleanField(default=False)
    gaps = models.JSONField(default=dict)
    # How many requirements are open for the approved stage and for the next gate, by the role whose turn it is.
    open_requirements = models.JSONField(default=dict)
    # By level, how many answers up to the approved stage stand at it, beside what is waived and until when; null where
    # that was not kept yet, or the rulebook knows no levels.
    profile = models.JSONField(null=True)
    # Answers up to the approved stage that wait to be verified: of each the seats that ask for it, and the keys of whom
    # it does not wait for, because they verified it already or added all of it. Null where none waits.
    to_verify = models.JSONField(null=True)
    next_expiry_on = models.DateField(null=True)
    seal = models.CharField(max_length=64)  # `initiatives.lifecycle.facts.supported_stage_rows.seal_of`

    objects = SupportedStagePeriodQuerySet.as_manager()

    class Meta:
        ordering = ["initiative", "from_at"]
        constraints = [
            models.UniqueConstraint(fields=["initiative", "from_at"], name="spans_do_not_start_twice")
        ]
        indexes = [
            models.Index(fields=["supported", "from_at"]),
            models.Index(fields=["next_expiry_on", "initiative"], name="spans_by_what_ages"),
            models.Index(
                supported_rank("supported").desc(),
                F("unsupported_stages").desc(),
                "initiative",
                name="spans_by_support",
            ),
            models.Index(
                fields=["initiative"],
                include=["from_at", "until_at"],
                condition=Q(unsupported_stages__gt=0),
                name="spans_that_fall_short",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.initiative_id}: {self.supported} from {self.from_at}"


class PastSupportedStage(WrittenOnce):
    """A supported stage as computed once, with its spans. Append-only."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="past_supported_stages")
    rulebook = models.ForeignKey("governance.Rulebook", models.PROTECT, related_name="+")
    computed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    spans = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["initiative", "-id"])]

    def __str__(self) -> str:
        return f"supported stage of {self.initiative_id} computed at {self.computed_at}"


# The newest supported stage of each initiative among those known by that day; `{known}` is the condition on its
# transaction. Initiatives are never deleted, so the table of today has the keys of all there ever were: each is one
# step down an index.
NEWEST = """
  FROM public.initiatives_initiative i CROSS JOIN LATERAL
       (SELECT k.id FROM public.initiatives_pastsupportedstage k WHERE k.initiative_id = i.id AND {known}
         ORDER BY k.id DESC LIMIT 1) newest JOIN public.initiatives_pastsupportedstage p ON p.id = newest.id
"""
INDEXES = {
    "initiatives_pastsupportedstage": "CREATE INDEX IF NOT EXISTS initiatives_pastsupportedstage_newest"
    " ON initiatives_pastsupportedstage (initiative_id, id, xact)"
}
VIEWS = {
    "initiatives_supportedstage": "SELECT p.id, i.id AS initiative_id, p.rulebook_id, p.computed_at, p.valid_until"
    + NEWEST,
    "initiatives_supportedstageperiod": (
        "SELECT span.id, i.id AS initiative_id, span.from_at, span.until_at, span.supported, span.unsupported_stages,"
        " span.label, span.governance, span.integration, span.adoption, span.runs_without, span.held,"
        " span.gaps,"
        " span.open_requirements, span.profile, span.to_verify, span.next_expiry_on,"
        " p.id AS past_supported_stage_id, span.seal"
        + NEWEST
        + " CROSS JOIN LATERAL jsonb_populate_recordset(NULL::public.initiatives_supportedstageperiod, p.spans) span"
    ),
}
