"""make_*: plain functions that build what a test needs through the real actions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from django.core.files.base import ContentFile

from adoption.demo import initiative_acts
from adoption.lessons import actions as lesson_actions
from adoption.measurements.actions import record_measurements
from adoption.measurements.measurement_validation import Fate, Sent
from adoption.measures.actions import declare_measure
from adoption.models import Lesson, Measure, PostMortem
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.writing import write
from governance import clock
from governance.api_tokens import actions as token_actions
from governance.audit_log import entries
from governance.authorization import approval_previews
from governance.authorization.decision import Approval, Decision
from governance.contracts.cedar_policies import Rule
from governance.database.row_history import acting
from governance.events import actions as event_actions
from governance.events import deliveries
from governance.events.event_types import EVENT_TYPES
from governance.models import Board, EventDelivery, Membership, Notification, Rulebook, ServiceKey, Unit, User
from governance.models.sign_in import SERVICE_SCOPES
from governance.organisation import actions as organisation_actions
from governance.people import cooling_off
from governance.rulebook import shipped_text
from governance.sign_in import account_notifications
from governance.vocabulary import BoardRole, DecisionOutcome, Seat, Stage
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.enforcement import system_keys
from initiatives.integration.components import actions as component_actions
from initiatives.integration.components.evaluations import actions as evaluation_actions
from initiatives.integration.components.register import actions as register_actions
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.resilience import drills, process_actions, traces
from initiatives.integration.systems import accounts
from initiatives.integration.systems import actions as system_actions
from initiatives.integration.systems import findings as system_findings
from initiatives.lifecycle.risks.accepted_risks import ACCEPTED_RISKS
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import (
    AcceptedRisk,
    ApprovalRequest,
    ComponentVersion,
    Deployment,
    Drill,
    Initiative,
    Link,
    ModelEvaluation,
    Obligation,
    ProcessRecord,
    ScopeVersion,
    ServiceAccount,
    SignOnFlow,
    System,
    Term,
    TraceSample,
    Vendor,
)
from initiatives.portfolio.registration import actions as registration_actions
from initiatives.portfolio.rulebook_changes import publication
from tests.support.database import snapshots
from tests.support.rules.plain_rulebook import plain_text

PASSWORD = "correct horse battery staple"
NAMES = {
    "admin": "Per Dahl",
    "owner": "Marta Lindqvist",
    "support": "Karim Haddad",
    "lead": "Ravi Menon",
    "steward": "Hanna Vogel",
    "seat-value": "Amara Diallo",
    "seat-risk": "Ines Okafor",
    "seat-security": "Olu Adeyemi",
    "seat-architecture": "Tomas Ek",
    "seat-operations": "Grace Kim",
    "seat-adoption": "Luis Ortega",
    "chair": "Elena Novak",
    "deputy-chair": "Jonas Weber",
    "auditor": "Mei Tan",
    "outsider": "Sam Brook",
    "sponsor": "Ada Moreau",
    "second-admin": "Noor Aziz",
}
SEAT_LOGINS = {
    "business_value": "seat-value",
    "risk_compliance": "seat-risk",
    "security_privacy": "seat-security",
    "architecture_integration": "seat-architecture",
    "service_operations": "seat-operations",
    "adoption_change": "seat-adoption",
}


@dataclass
class Cast:
    """Everybody, by login, and where they work."""

    people: dict[str, User]
    unit: Unit
    elsewhere: Unit
    board: Board
    team: initiative_acts.Team
    seats: dict[str, User] = field(default_factory=dict)

    def __getattr__(self, name: str) -> User:
        try:
            return self.__dict__["people"][name.replace("_", "-")]
        except KeyError:
            raise AttributeError(name) from None


def from_today(fields: dict) -> dict:
    """Fields in which a span stands for the day that lies so far from today.

    Values that pytest collects are made before the first test runs, and midnight may lie between the two.
    """
    return {
        name: clock.today() + value if isinstance(value, timedelta) else value
        for name, value in fields.items()
    }


def make_person(login: str, unit: Unit | None = None, **fields) -> User:
    """An account with the common password, added by the system."""
    rights = {name for name in ("is_admin", "is_auditor", "is_privacy_officer") if fields.get(name)}
    founding = cooling_off.first_setup()
    admin = None
    if rights and not founding:
        admin = User.objects.active().filter(is_admin=True).first()
    if "is_admin" in rights and not founding:
        fields.setdefault("signs_from", clock.now() + cooling_off.LASTS)
    with acting(by=admin, system="" if admin else "test", reason="Cast"):
        person = User.objects.create_user(
            login,
            PASSWORD,
            full_name=fields.pop("full_name", NAMES.get(login, login.replace("-", " ").title())),
            email=f"{login}@example.org",
            unit=unit,
            **fields,
        )
        entries.record("account added", person=person.full_name, person_id=person.pk, login=login)
    return person


def make_seat(cast: Cast, person: User, seat: str, *, by: User | None = None, **fields) -> Membership:
    """A seat of the board, granted by an admin and confirmed by the chair or deputy: it signs at once."""
    row = organisation_actions.appoint(
        board=cast.board, person=person, seat=seat, by=by or cast.admin, **fields
    )
    if cooling_off.seat_until(row, clock.now()) is not None and row.signs_from > row.starts_at:
        row = organisation_actions.confirm_seat(
            membership=row, by=cast.deputy_chair if person == cast.chair else cast.chair
        )
    return row


def make_rulebook(admin: User, chair: User, source: str | None = None, **published) -> Rulebook:
    """A published rulebook: loaded, proposed by the admin, published by the chair. `published`: as the act takes it."""

    def build() -> Rulebook:
        rulebook = organisation_actions.load_rulebook(source=text, by=admin)
        organisation_actions.propose_publication(rulebook=rulebook, by=admin)
        return publication.publish_rulebook(rulebook=rulebook, by=chair, **published)

    text = source or plain_text()
    return snapshots.remembered(f"rulebook {sorted(published.items())} {admin.pk} {chair.pk} {text}", build)


def make_cast() -> Cast:
    """The cast: an organisation with one board, its people, and the default rulebook in force."""
    if User.objects.exists():
        return _make_cast()
    return snapshots.remembered("cast", _make_cast)


def _make_cast() -> Cast:
    admin = make_person("admin", is_admin=True)
    company = organisation_actions.add_unit(name="Northgate", code="northgate", by=admin)
    retail = organisation_actions.add_unit(name="Retail", code="retail", parent=company, by=admin)
    unit = organisation_actions.add_unit(name="Account management", code="accounts", parent=retail, by=admin)
    elsewhere = organisation_actions.add_unit(name="Logistics", code="logistics", parent=company, by=admin)
    people = {"admin": admin}
    people["second-admin"] = make_person("second-admin", is_admin=True)
    for login in NAMES:
        if login not in people:
            where = (
                elsewhere
                if login == "outsider"
                else (unit if login in ("owner", "support", "lead", "steward") else None)
            )
            people[login] = make_person(login, where, is_auditor=login == "auditor")
    board = organisation_actions.add_board(name="Retail board", unit=retail, by=admin)
    for seat, login in SEAT_LOGINS.items():
        organisation_actions.appoint(board=board, person=people[login], seat=seat, by=admin)
    organisation_actions.appoint(board=board, person=people["chair"], seat=BoardRole.CHAIR, by=admin)
    organisation_actions.appoint(
        board=board, person=people["deputy-chair"], seat=BoardRole.DEPUTY_CHAIR, by=admin
    )
    make_rulebook(admin, people["chair"])
    Notification.objects.filter(
        kind=account_notifications.KIND
    ).delete()  # of their seats they were told long ago
    return _cast_of(people, unit, elsewhere, board)


def cast_again() -> Cast:
    """The cast that is in the database already."""
    people = {
        person.login: person for person in User.objects.filter(login__in=[*NAMES, "admin", "second-admin"])
    }
    unit, elsewhere = Unit.objects.get(code="accounts"), Unit.objects.get(code="logistics")
    return _cast_of(people, unit, elsewhere, Board.objects.get(name="Retail board"))


def _cast_of(people: dict[str, User], unit: Unit, elsewhere: Unit, board: Board) -> Cast:
    team = initiative_acts.team_for(
        unit, owner=people["owner"], support=people["support"], lead=people["lead"], steward=people["steward"]
    )
    return Cast(
        people=people,
        unit=unit,
        elsewhere=elsewhere,
        board=board,
        team=team,
        seats={seat: people[login] for seat, login in SEAT_LOGINS.items()},
    )


def make_initiative(cast: Cast, title: str = "Customer summary assistant", **fields) -> Initiative:
    """An idea, registered by its owner."""
    return registration_actions.register(
        title=title,
        unit=fields.pop("unit", cast.unit),
        problem=fields.pop("problem", "Preparing a call takes account managers forty minutes."),
        owner=fields.pop("owner", cast.owner),
        by=fields.pop("by", cast.owner),
        **fields,
    )


def make_prototype(cast: Cast, **fields) -> Initiative:
    """A prototype, through its gate."""
    return _remembered(
        "prototype",
        cast,
        fields,
        lambda: initiative_acts.to_prototype(make_initiative(cast, **fields), cast.team),
    )


def make_mvp(cast: Cast, **fields) -> Initiative:
    """An MVP, through two gates."""
    return _remembered(
        "mvp", cast, fields, lambda: initiative_acts.to_mvp(make_prototype(cast, **fields), cast.team)
    )


def make_production(cast: Cast, **fields) -> Initiative:
    """Production, through three gates."""
    return _remembered(
        "production", cast, fields, lambda: initiative_acts.to_production(make_mvp(cast, **fields), cast.team)
    )


def make_minimal(cast: Cast) -> Initiative:
    """An MVP of minimal risk under the shipped rulebook, with a paper for everything that production asks."""
    if Rulebook.objects.current().version != "1.0":
        make_rulebook(cast.admin, cast.chair, source=shipped_text())

    def build() -> Initiative:
        initiative = make_initiative(cast)
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        initiative_acts.pass_gate(initiative, cast.team)
        initiative_acts.staff(initiative, cast.team)
        initiative_acts.plan_scope(initiative, cast.team)
        initiative_acts.propose_and_confirm_tier(initiative_acts.fresh(initiative), cast.team, "minimal")
        initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
        make_link(
            cast,
            initiative,
            agreed=True,
            timeout_seconds=5,
            retry="Once, after a second.",
            on_failure="The list of yesterday is shown, with its day.",
            told_users="That the list is of yesterday.",
        )
        make_flow(cast, initiative)
        initiative_acts.ground_gate(initiative, "mvp", cast.team)
        initiative_acts.pass_gate(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "production", cast.team)
        return initiative_acts.fresh(initiative)

    return _remembered("minimal", cast, {}, build)


def ask_risk(
    cast: Cast, initiative: Initiative, *, days: int = 30, by: User | None = None, **said
) -> AcceptedRisk:
    """A request to accept a risk for so many days, by the owner or somebody else; `said` in place of its words."""
    about = {
        "title": "Old prices",
        "happens": "A customer reads last month's price.",
        "limits": "Each answer shows the day of its price list.",
        "reason": "Prices change once a month.",
        "until": clock.today() + timedelta(days=days),
        "review_days": min(days, 10),
    }
    return ACCEPTED_RISKS.ask(initiative, **{**about, **said}, by=by or cast.owner)


def make_contract(cast: Cast, initiative: Initiative, clauses: list, vocabulary=()) -> Initiative:
    """The initiative with this contract in force: written by its owner, approved by the two seats.

    A prototype without a scope declares whom the tests ask for (TEST_SUBJECTS).
    """

    def build() -> Initiative:
        if not initiative.roles.in_force().filter(role="record_owner").exists():
            initiative_acts.staff(initiative, cast.team, ("record_owner",))
        initiative_acts.contract(initiative_acts.fresh(initiative), cast.team, clauses, vocabulary)
        if initiative.stage == Stage.PROTOTYPE and not initiative.scopes.exists():
            declare_test_subjects(cast, initiative)
        return initiative

    said = {"of": initiative.pk, "clauses": clauses, "vocabulary": vocabulary}
    return _remembered("contract", cast, said, build)


# Who asks in the tests of the decision API.
TEST_SUBJECTS = ["user:alice", "user:bob", "user:a*", "user:b*", "user:C*", "agent:*-*"]


def declare_test_subjects(
    cast: Cast, initiative: Initiative, subjects: Sequence[str] = TEST_SUBJECTS
) -> ScopeVersion:
    """The scope in force of a prototype, which says for whom its systems may act."""
    return scope_actions.record_scope(
        initiative=initiative,
        users="The testers of the lab",
        user_count=len(subjects),
        test_subjects=list(subjects),
        by=cast.owner,
    )


def make_ready(cast: Cast, initiative: Initiative, gate: str) -> Initiative:
    """The initiative with everything shown that a gate asks for."""

    def build() -> Initiative:
        initiative_acts.ground_gate(initiative, gate, cast.team)
        return initiative

    return _remembered("ready", cast, {"of": initiative.pk, "gate": gate}, build)


def make_key(cast: Cast, initiative: Initiative, *, days: int = 30, **fields):
    """A key for a system of the initiative, as (row, token)."""
    return system_keys.make_key(
        initiative=initiative,
        system=fields.pop("system", "Account assistant"),
        scopes=fields.pop("scopes", ["evaluate", "approvals"]),
        principal=fields.pop("principal", cast.lead),
        expires_at=clock.now() + timedelta(days=days),
        by=cast.owner,
        **fields,
    )


def make_token(person: User, *, kind: str = "personal", days: int = 30, **fields):
    """A token of the read API of this person, as (row, token)."""
    scopes = fields.pop("scopes", list(SERVICE_SCOPES))
    return token_actions.make_token(
        kind=kind, name=fields.pop("name", "Weekly report"), days=days, scopes=scopes, by=person
    )


def make_system(cast: Cast, name: str = "Customer ledger", **fields) -> System:
    """A system of the register that its owner looks after and that was worked on today; `fields` as the act takes them.

    Described by the technical lead unless `by` says otherwise; owned by the outsider unless `owner` does.
    """
    return system_actions.describe_system(
        name=name,
        kind=fields.pop("kind", "bought"),
        owner=fields.pop("owner", cast.outsider),
        regions=fields.pop("regions", ["eu-west"]),
        last_updated_on=fields.pop("last_updated_on", clock.today()),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def make_term(cast: Cast, name: str = "customer", meaning: str = "") -> Term:
    """A business term of the glossary, named by the architecture seat where it is new."""
    known = Term.objects.filter(name__iexact=name).first()
    return known or definition_actions.name_term(name=name, meaning=meaning, by=cast.seat_architecture)


def make_account(cast: Cast, system: System, name: str = "svc-assistant", **fields) -> ServiceAccount:
    """A service account in the system: owned by the technical lead, reviewed within ninety days."""
    return accounts.open_account(
        system=system,
        name=name,
        owner=fields.pop("owner", cast.lead),
        privileges=fields.pop("privileges", "Reads customers."),
        review_by=fields.pop("review_by", clock.today() + timedelta(days=90)),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def make_link(
    cast: Cast, initiative: Initiative, system: System | None = None, *, agreed: bool = False, **fields
) -> Link:
    """A link of the initiative to a system, a new one where none is given; `agreed`: its owner agreed to it in person.

    `transfers`: rows of `actions.Place`. Where the initiative has evidence already, a system more ends what lists
    `data_source`.
    """
    link = link_actions.add_link(
        initiative=initiative,
        system=system or make_system(cast),
        pattern=fields.pop("pattern", "feed"),
        direction=fields.pop("direction", "reads"),
        access=fields.pop("access", "api"),
        data_classes=fields.pop("data_classes", ["customer notes"]),
        by=fields.pop("by", cast.owner),
        **fields,
    )
    return agree(link) if agreed else link


def make_drill(cast: Cast, initiative: Initiative, **fields) -> Drill:
    """A drill of the outage, passed today, on the initiative as a whole unless `link` says otherwise, with its
    trace.
    """
    result = fields.pop("result", "pass")
    return drills.add_drill(
        initiative=initiative,
        kind=fields.pop("kind", "fallback"),
        fault=fields.pop("fault", "timeout"),
        expected=fields.pop("expected", "The list of yesterday within five seconds, and users are told."),
        happened=fields.pop("happened", "The list of yesterday after three seconds."),
        result=result,
        observed_on=fields.pop("observed_on", clock.today()),
        covers=fields.pop("covers", ["prod.q10_outage"]),
        file=fields.pop("file", ContentFile(b'{"fault": "timeout"}\n', "trace.jsonl")),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def make_lesson(cast: Cast, **fields) -> Lesson:
    """A lesson from outside, entered by an admin and, unless `confirmed` is false, confirmed by the adoption seat."""
    confirmed = fields.pop("confirmed", True)
    row = lesson_actions.enter(
        text=fields.pop("text", "Read the vendor's terms on stored prompts before the first trial."),
        instead=fields.pop("instead", "Have retention switched off in writing."),
        layer=fields.pop("layer", "policy"),
        source=fields.pop("source", "Public incident: a summariser kept what it was sent"),
        by=fields.pop("by", cast.admin),
        **fields,
    )
    return lesson_actions.confirm(lesson=row, by=cast.seat_adoption) if confirmed else row


def make_process(
    cast: Cast, initiative: Initiative, name: str = "Approvals above a limit", **fields
) -> ProcessRecord:
    """A process that is written down, unless `fields` say otherwise."""
    steps = [{"who": "Team lead", "what": "approves above 500 EUR"}]
    return process_actions.record_process(
        initiative=initiative,
        name=name,
        status=fields.pop("status", "documented"),
        as_is=fields.pop("as_is", steps),
        by=fields.pop("by", cast.owner),
        **fields,
    )


def make_flow(cast: Cast, initiative: Initiative, **fields) -> SignOnFlow:
    """A sign-on flow that the technical lead can explain, gone through today."""
    return process_actions.record_flow(
        initiative=initiative,
        steps=fields.pop("steps", [{"who": "Assistant", "what": "asks the directory for a token"}]),
        explainer=fields.pop("explainer", cast.lead),
        reviewed_on=fields.pop("reviewed_on", clock.today()),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def make_trace_sample(cast: Cast, initiative: Initiative, content: str = "", **fields) -> TraceSample:
    """A sample of two outputs, drawn today, checked against the register and kept."""
    text = content or "output,source\nA-1,Customer ledger: 12\nA-2,Old wiki\n"
    return traces.add_trace_sample(
        initiative=initiative,
        title=fields.pop("title", "Two answers"),
        taken_on=fields.pop("taken_on", clock.today()),
        result=fields.pop("result", "partial"),
        file=fields.pop("file", ContentFile(text.encode(), "sample.csv")),
        by=fields.pop("by", cast.lead),
        **fields,
    )


def stop_and_reopen(cast, initiative: Initiative) -> Initiative:
    """The initiative, stopped by its owner and reopened by the chair once its post-mortem is confirmed."""
    stage_actions.stop(initiative=initiative, reason_code="cost", reason="Too dear.", by=cast.owner)
    obligation = initiative_acts.fresh(initiative).obligations.get(kind="post_mortem")
    make_written(obligation, by=cast.owner, confirmed_by=cast.seat_adoption)
    return stage_actions.reopen(initiative=initiative, reason="A cheaper model.", by=cast.chair)


def make_written(obligation: Obligation, *, by: User, confirmed_by: User) -> PostMortem:
    """The post-mortem that completes an obligation: written whole, handed in and confirmed."""
    row = postmortem_actions.start(obligation=obligation, by=by)
    found = {
        "side": "failure",
        "said": "found",
        "layer": "application",
        "grounds": "Nobody was asked about the work.",
    }
    lesson = {
        "text": "Ask who does the work before you build.",
        "instead": "Sit beside two people for a day.",
        "layer": "application",
        "pattern": "workflow",
    }
    row = write(
        post_mortem=row,
        expected="Two teams would paste half of their answers.",
        timeline="2 March: it began. 4 May: nobody used it.",
        impact="Six weeks of work of two teams.",
        detected="The usage report of May was empty.",
        made_easy="No form asks how the work is done today.",
        no_gaps_because="Nothing else used it here.",
        causes=[found],
        lessons=[lesson],
        by=by,
    )
    row = postmortem_actions.hand_in(post_mortem=row, version=row.version, by=by)
    return postmortem_actions.confirm(post_mortem=row, version=row.version, by=confirmed_by)


def agree(link: Link) -> Link:
    """The owner of the link's system agrees, in person, to be depended on as the link reads now."""
    link = Link.objects.select_related("system__owner").get(pk=link.pk)
    transfers = list(link.transfers.filter(ended_at__isnull=True).order_by("position"))
    link_actions.answer_link(
        link=link, accepts=True, digest=system_findings.digest(link, transfers)[1], by=link.system.owner
    )
    return link


def _remembered(key: str, cast: Cast, fields: dict, build) -> Initiative:
    """An initiative as `build` makes it, which a later test on the same ground gets without the acts."""
    said = [(name, getattr(value, "pk", value)) for name, value in sorted(fields.items())]
    return initiative_acts.fresh(snapshots.remembered(f"{key} {said} {cast.team}", build))


def make_evaluation_request(**changed) -> dict:
    """A call that the demonstration's contract wants a person for; `changed` replaces its parts."""
    return {
        "subject": {
            "type": "user",
            "id": "dana",
            "properties": {
                "groups": ["account_managers"],
                "department": "Account management",
                "place": "Zurich",
            },
        },
        "action": {"name": "send_reply", "properties": {"amount": 12000, "currency": "EUR"}},
        "resource": {
            "type": "ticket",
            "id": "4711",
            "properties": {"language": "de", "data_class": "customer notes"},
        },
        "context": {"channel": "mail"},
    } | changed


def make_request(
    initiative: Initiative, key: ServiceKey, evaluation_request: dict | None = None, **fields
) -> ApprovalRequest:
    """A call put before the support owner and the owner, for four hours, unless `fields` say otherwise."""
    version = initiative.contract.versions.get(state="in_force")
    asking = version.clauses.filter(kind="human_approval")
    evaluation_request, preview = approval_previews.sealed(evaluation_request or make_evaluation_request())
    decision = Decision(
        DecisionOutcome.NEEDS_APPROVAL,
        "needs_approval",
        "A person must approve this call.",
        tuple(Rule(clause.number, clause.kind, clause.said, clause.sentence) for clause in asking),
        approval=Approval(
            fields.pop("approvers", ("support_owner", "owner")),
            fields.pop("minutes", 240),
            fields.pop("four_eyes", False),
        ),
    )
    return approval_actions.request_approval(
        initiative=initiative.pk,
        key=key.pk,
        version=version.pk,
        evaluation_request=evaluation_request,
        preview=preview,
        decision=decision,
        **fields,
    )


assert set(SEAT_LOGINS) == set(Seat)


def make_measure(cast: Cast, initiative: Initiative, instrument: str = "usage.new_way", **fields) -> Measure:
    """A measure that the owner declares; `fields` as the act takes them."""
    goal = {"target": 0.5, "intended": 40} | fields
    return declare_measure(
        initiative=initiative,
        instrument=instrument,
        words=goal.pop("words", "Work done with it"),
        population=goal.pop("population", "The users in scope"),
        source=goal.pop("source", "Log of the application"),
        by=cast.owner,
        **goal,
    )


def make_delivery(cast: Cast, **fields) -> EventDelivery:
    """A receiver of every kind of event at an address that the rules allow, and a test event that waits for it."""
    values = {"address": "https://1.1.1.1/events", "event_types": sorted(EVENT_TYPES), "owner": cast.owner}
    row, _ = event_actions.add_receiver(name="Tickets", kind="hmac", by=cast.admin, **(values | fields))
    waiting = deliveries.test_row(row, f"msg_{row.pk:032d}")
    waiting.save()
    return waiting


def make_measurement(cast: Cast, measure: Measure, **fields) -> Fate:
    """A measurement of the last seven days that the owner types: 80 of 100, unless `fields` say otherwise."""
    today = clock.today()
    sent = {"starts_on": today - timedelta(days=6), "ends_on": today, "n": 100, "hits": 80} | fields
    sent.setdefault("key", f"made:{measure.measurements.count()}")
    (fate,) = record_measurements(
        initiative=measure.initiative_id, sent=[Sent(measure.pk, **sent)], came="typed", by=cast.owner
    )
    return fate


def make_model(cast: Cast, **fields) -> ComponentVersion:
    """A model of the register, added by an admin; without an end of life unless one is given."""
    vendor = fields.pop("vendor", "Modelwright")
    known = Vendor.objects.filter(name=vendor).first()
    if "end_of_life" in fields:
        fields.setdefault("end_of_life_source", "The vendor's calendar")
    return register_actions.keep_component(
        layer="model",
        vendor=known or residency_actions.add_vendor(name=vendor, by=cast.admin),
        name=fields.pop("name", "Scribe"),
        version=fields.pop("version", "4"),
        by=fields.pop("by", cast.admin),
        **fields,
    )


def make_use(cast: Cast, initiative: Initiative, listed: ComponentVersion, **fields) -> Deployment:
    """That an initiative runs a row of the register, from now on unless told otherwise, in place of one of its
    layer.
    """
    before = initiative.deployments.filter(version__layer=listed.layer, runs_to__isnull=True)
    return component_actions.record_component(
        initiative=initiative,
        listed=listed,
        replaces=before.select_related("version").first(),
        by=fields.pop("by", cast.owner),
        **fields,
    )


def make_evaluation(cast: Cast, initiative: Initiative, **fields) -> ModelEvaluation:
    """An evaluation of the model that an initiative runs: accuracy of at least 0.9, declared by the technical lead."""
    models = initiative.deployments.filter(version__layer="model").select_related("version")
    return evaluation_actions.declare_evaluation(
        initiative=initiative,
        deployment=fields.pop("deployment", None) or models.latest("runs_from"),
        data_set=fields.pop("data_set", "Letters of May, v2"),
        metric=fields.pop("metric", "accuracy"),
        comparison=fields.pop("comparison", "at_least"),
        threshold=fields.pop("threshold", Decimal("0.9")),
        by=fields.pop("by", cast.lead),
    )
