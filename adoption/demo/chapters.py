"""The chapters every life is made of: idea, prototype, MVP, production; each act on its day, by the right person."""

from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from adoption.demo import artefacts, initiative_acts
from adoption.demo.initiatives import INITIATIVES
from adoption.demo.measures import adopted
from adoption.demo.people import Company
from adoption.demo.texts import (
    ANSWERS,
    ATTESTED,
    DECLARED,
    EVIDENCE,
    OUTCOMES,
    RESULT_KINDS,
    SCREENED,
    SOURCES,
    PlannedEvidence,
    Words,
)
from adoption.models.instruments import ASKED
from governance import clock
from governance.contracts.clauses import Terms
from governance.models import Rulebook
from governance.transparency_log import sealing
from governance.vocabulary import EvidenceKind, Tested
from initiatives.contracts.documents.actions import Written
from initiatives.integration.components import actions as components_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.links.actions import Place
from initiatives.integration.resilience import process_actions
from initiatives.integration.systems import accounts
from initiatives.integration.systems.findings import digest
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.initiative.act import act, rewrite_supported_stage, together
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.reviews.drawn_requirements.actions import draw_due
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import ComponentVersion, Initiative, Link, Review, System
from initiatives.portfolio.registration import actions as registration_actions

MVP_SIGN_OFFS = ("business_value", "risk_compliance", "security_privacy")
# Of so many initiatives, one has a document refused before its MVP gate.
REFUSED_EVERY = 4
AHEAD = timedelta(days=45)  # for which evidence is renewed before its production gate


class Tale:
    """One initiative being told: its words, its team, and the days, which are counted back from `today`."""

    def __init__(self, company: Company, key: str):
        self.company = company
        self.words: Words = INITIATIVES[key]
        self.team = company.team(self.words.unit, self.words.owner, self.words.crew)
        self.random = Random(key)  # the same life on every machine
        self.today = clock.today()
        self.last: datetime | None = None
        self.initiative: Initiative | None = None

    @contextmanager
    def day(self, ago: int, hour: int | None = None):
        """Let it be some hour of the day `ago` days before today, and later than everything told so far.

        What happens then is one transaction, known from that moment on: whoever looks back finds day after day.
        """
        moment = self._moment(ago, self.random.randrange(8, 17) if hour is None else hour)
        if self.last is not None:
            moment = max(moment, self.last + timedelta(minutes=self.random.randrange(3, 12)))
        self.last = moment
        with clock.simulated(moment), together():
            yield

    def evening(self, ago: int):
        """Let it be the evening of the day `ago` days before today, around everything that is told."""
        return clock.simulated(self._moment(ago, 22))

    def _moment(self, ago: int, hour: int) -> datetime:
        midnight = clock.midnight_before(self.today - timedelta(days=ago))
        return midnight + timedelta(hours=hour, minutes=self.random.randrange(60))

    @property
    def ref(self) -> str:
        """The reference of the initiative."""
        return self.initiative.ref

    def again(self) -> Initiative:
        """The initiative, read again."""
        self.initiative = initiative_acts.fresh(self.initiative)
        return self.initiative

    # --- Idea and prototype -----------------------------------------------------------------------------

    def idea(self, ago: int) -> Initiative:
        """Somebody registers it."""
        words = self.words
        with self.day(ago):
            self.initiative = registration_actions.register(
                title=words.title,
                unit=self.company.units[words.unit],
                problem=words.problem,
                owner=self.team.owner,
                by=self.team.owner,
            )
        return self.initiative

    def describe(self, ago: int, keys=ATTESTED["prototype"]) -> None:
        """The owner answers what the prototype gate asks."""
        with self.day(ago):
            for key in keys:
                self._answer(key, attested=True)
        if keys == ATTESTED["prototype"] and SCREENED in Rulebook.objects.current().parsed.requirements:
            with self.day(ago):
                self._answer(SCREENED)
                for evidence in EVIDENCE["prototype"]:
                    self.add(evidence)

    def prototype(self, ago: int, model: ComponentVersion | None = None) -> None:
        """It passes the prototype gate. `model`: the one of the register that it runs, where it is listed there."""
        words = self.words
        model_named = {
            "layer": "model", "name": words.part, "version": words.version, "vendor": words.vendor,
            "region": words.region,
        }  # fmt: skip
        application = {"layer": "application", "name": words.title, "version": "0.1"}
        with self.day(ago + 6):
            for part in ({"listed": model} if model else model_named, application):
                components_actions.record_component(initiative=self.initiative, by=self.team.owner, **part)
        self.describe(ago + 4)
        review = self.submit(ago + 3)
        self.sign_one(review, ago + 1, "business_value")
        self.decide(review, ago, "Worth exploring beside the other ideas of the unit.")

    # --- MVP --------------------------------------------------------------------------------------------

    def staff(self, ago: int, roles=initiative_acts.WORKING_ROLES) -> None:
        """The working roles are proposed, and accepted in person."""
        with self.day(ago):
            initiative_acts.staff(self.again(), self.team, roles)

    def vocabulary(self) -> list[tuple[str, str, str]]:
        """The words of its contract."""
        words = self.words
        return [
            ("action", "assist", words.task),
            ("action", "pass_on", "let anything leave the team"),
            ("audience", "trial_users", f"{words.users} in {words.place}"),
        ]

    def clauses(self) -> list[Written]:
        """The clauses of its contract."""
        who = ("trial_users",)
        edges = [one for one in initiative_acts.CLAUSES if one.kind == "edge_policy"]
        return [
            Written("autonomy", terms=Terms(action="assist", audience=who)),
            Written("human_approval", terms=Terms(action="pass_on", audience=who, **initiative_acts.ASKED)),
            *edges,
            Written("record_owner"),
            Written("audience", terms=Terms(audience=who)),
            Written("residency", terms=Terms(regions=(self.words.region,))),
        ]

    def contract(self, ago: int) -> None:
        """Its contract is written, approved by the two seats and in force."""
        with self.day(ago):
            initiative_acts.contract(self.again(), self.team, self.clauses(), self.vocabulary())

    def tier(self, ago: int) -> None:
        """The owner proposes the risk tier, the risk seat confirms it."""
        self.propose_tier(ago)
        with self.day(ago - 1):
            detail_actions.confirm_tier(
                initiative=self.initiative, tier=self.words.tier, by=self.team.seats["risk_compliance"]
            )

    def propose_tier(self, ago: int) -> None:
        """The owner proposes the risk tier."""
        with self.day(ago):
            detail_actions.propose_tier(
                initiative=self.again(),
                tier=self.words.tier,
                worst_credible_harm=self.words.harm,
                by=self.team.owner,
            )

    def sponsor(self, ago: int, login: str, *, accepts: bool = True) -> None:
        """The owner asks somebody to sponsor it, who accepts at once, or has not answered yet."""
        with self.day(ago):
            person = self.company[login]
            asked = role_actions.propose_role(
                initiative=self.again(), role="sponsor", person=person, by=self.team.owner
            )
            if accepts:
                role_actions.accept_role(assignment=asked, by=person)

    def stopped(self, ago: int, code: str, reason: str) -> None:
        """The owner stops it."""
        with self.day(ago):
            stage_actions.stop(initiative=self.again(), reason_code=code, reason=reason, by=self.team.owner)

    def bound(self, ago: int, stage: str = "mvp", days: int | None = 200, users: int | None = None) -> None:
        """The bound of the next stage is planned."""
        words = self.words
        with self.day(ago):
            scope_actions.record_scope(
                initiative=self.again(),
                for_stage=stage,
                users=words.users[:1].upper() + words.users[1:],
                departments=[self.company.units[words.unit].name],
                places=[words.place],
                data_classes=[words.data],
                user_count=users or words.count,
                ends_on=clock.today() + timedelta(days=days) if days else None,
                rollout=True,
                live_data=True,
                by=self.team.owner,
            )

    def prepare_mvp(self, ago: int, skip=()) -> None:
        """Everything the MVP gate asks for, ready on this day: people, contract, tier, bound, declaration, evidence."""
        self.staff(ago + 20)
        self.contract(ago + 17)
        self.bound(ago + 14)
        self.tier(ago + 12)
        if not self.initiative.links.current().exists():
            self.link_to_source(ago + 11)
        with self.day(ago + 5):
            for key, text in DECLARED.items():
                requirement_actions.declare(
                    initiative=self.initiative, key=key, text=self.words.fill(text), by=self.team.owner
                )
        self.prove("mvp", ago, skip=skip)

    def mvp(self, ago: int, *, conditions=(), skip=()) -> None:
        """It passes the MVP gate."""
        self.prepare_mvp(ago + 8, skip)
        review = self.submit(ago + 7)
        self.sign(review, ago + 3, MVP_SIGN_OFFS)
        self.decide(
            review, ago, f"A bounded trial with {self.words.count} {self.words.users}.", conditions=conditions
        )
        self.go_live(ago)

    def link_to_source(self, ago: int) -> None:
        """It is linked to the system that its unit works with, whose owner reads the link and agrees to it."""
        with self.day(ago):
            system = System.objects.get(name=SOURCES[self.words.unit][0])
            link_actions.add_link(
                initiative=self.again(),
                system=system,
                pattern="anchor",
                direction="reads",
                access="api",
                purpose=self.words.sources[:1].upper() + self.words.sources[1:],
                account=accounts.open_account(
                    system=system,
                    name=f"svc-{self.ref.lower()}",
                    owner=self.team.lead,
                    privileges="Reads what the trial needs; writes nothing.",
                    review_by=self.today + timedelta(days=120),
                    by=system.owner,
                ),
                data_classes=[self.words.data],
                timeout_seconds=8,
                retry="Twice, then it gives up",
                on_failure=f"Users go on with {self.words.fallback}.",
                told_users="“The source did not answer.”",
                transfers=[Place("Integration gateway", region=self.words.region)],
                by=self.team.owner,
            )
        with self.day(ago):
            self.agree_to_links()

    def agree_to_links(self) -> None:
        """The owner of each system reads its link as it stands, and agrees in person."""
        for link in Link.objects.current().filter(initiative=self.initiative).select_related("system__owner"):
            if link.system.owner is None:
                continue
            transfers = list(link.transfers.filter(ended_at__isnull=True).order_by("position"))
            link_actions.answer_link(
                link=link,
                accepts=True,
                words="Nightly loads have priority until six.",
                digest=digest(link, transfers)[1],
                by=link.system.owner,
            )

    def go_live(self, ago: int) -> None:
        """From the trial on its links carry data of production; the owners of the systems read them once more."""
        with self.day(ago):
            for link in Link.objects.current().filter(initiative=self.again()):
                link_actions.change_link(link=link, live=True, by=self.team.owner)
        with self.day(ago):
            self.agree_to_links()

    def explain_sign_on(self, ago: int) -> None:
        """The technical lead goes through the sign-on flow, and can explain it."""
        with self.day(ago):
            process_actions.record_flow(
                initiative=self.again(),
                steps=[
                    {"who": "Assistant", "what": "asks the directory for a token of its service account"},
                    {"who": "Gateway", "what": "trades it for one that its systems know"},
                ],
                explainer=self.team.lead,
                reviewed_on=clock.today(),
                by=self.team.lead,
            )

    # --- Production -------------------------------------------------------------------------------------

    def prepare_production(self, ago: int, skip=()) -> None:
        """Everything the production gate asks for, ready on this day."""
        self.accept_again(ago + 6)
        with self.day(ago + 6):
            for key, text in OUTCOMES.items():
                requirement_actions.report_outcome(
                    initiative=self.initiative,
                    key=key,
                    result="met",
                    outcome=self.words.fill(text),
                    by=self.team.owner,
                )
        self.bound(ago + 5, "production", None)
        with self.day(ago + 5):
            initiative_acts.propose_and_confirm_tier(self.again(), self.team)
        if not self.initiative.sign_on_flows.exists():
            self.explain_sign_on(ago + 4)
        self.prove("production", ago, skip=skip)
        with self.day(ago):
            aging = artefacts.unmet(self.again(), "production", clock.now() + AHEAD)
        self.renew_mvp(ago, aging)

    def accept_again(self, ago: int) -> None:
        """Owner, support owner and record owner accept their roles again."""
        with self.day(ago):
            for role in ("owner", "support_owner", "record_owner"):
                held = self.initiative.roles.in_force().select_related("person").get(role=role)
                role_actions.reaccept_role(assignment=held, by=held.person)

    def renew_mvp(self, ago: int, aged: set[str] | None = None) -> None:
        """The evidence of the MVP gate is added anew: that of these requirements alone, where they are given."""
        with self.day(ago):
            for evidence in EVIDENCE["mvp"]:
                if aged is None or aged & set(evidence.covers):
                    self.add(evidence)

    def production(self, ago: int) -> None:
        """It passes the production gate."""
        self.prepare_production(ago + 6)
        review = self.submit(ago + 5)
        self.draw(review, ago + 5)
        self.sign(review, ago + 2, tuple(self.team.seats))
        self.decide(review, ago, f"The unit may depend on it: {self.words.measure} fell as declared.")

    # --- Acts that many chapters share --------------------------------------------------------------------

    def prove(self, gate: str, ago: int, skip=()) -> None:
        """Answer everything a gate asks for and add its evidence, some days before `ago`."""
        with self.day(ago + 3):
            for key in ATTESTED[gate]:
                if key not in skip:
                    self._answer(key, attested=True)
            for key in dict.fromkeys(key for evidence in EVIDENCE[gate] for key in evidence.covers):
                if key not in skip:
                    self._answer(key)
        measured = {key for evidence in EVIDENCE[gate] for key in evidence.covers} & set(ASKED) - set(skip)
        if measured:
            with self.day(ago):
                adopted(self.initiative, self.team, measured)
        with self.day(ago):
            for evidence in EVIDENCE[gate]:
                self.add(evidence, skip)

    def submit(self, ago: int) -> Review:
        """The owner opens the review that is next."""
        with self.day(ago):
            return review_actions.open_review(initiative=self.again(), by=self.team.owner)

    def draw(self, review: Review, ago: int) -> None:
        """At minimal risk the audit log is sealed, and what its seed draws is to be verified."""
        if review.parsed_rulebook.drawn_at(self.initiative.tier):
            sealing.seal()
            with self.day(ago):
                draw_due([self.initiative.pk])

    def verify(self, gate: str, ago: int) -> None:
        """The seats open what the gate asks them to verify, and say that it shows it."""
        with self.day(ago):
            self.last = artefacts.verify_gate(
                self.initiative, gate, self.team.seats, self.team.deputies, reading=True
            )

    def sign(self, review: Review, ago: int, seats) -> None:
        """The seats verify, and approve, over two days; at minimal risk those that sign there at all."""
        here = review.parsed_rulebook.gates[review.gate].seats
        seats = seats if set(seats) <= set(here) else here
        if review.gate == "mvp" and self.initiative.number % REFUSED_EVERY == 0:
            self._refused_first(ago)
        # What was renewed of the gate before is verified anew as well.
        for gate in ("mvp", "production") if review.gate == "production" else (review.gate,):
            self.verify(gate, ago)
        for place, seat in enumerate(seats):
            self.sign_one(review, ago - place * 2 // len(seats), seat)

    def sign_one(self, review: Review, ago: int, seat: str) -> None:
        """One seat approves, and signs the statement: by its passkey where it has one, else by password."""
        with self.day(ago):
            initiative_acts.sign_off(review, seat, self.team.seats[seat], hold=self.company.signatures.hold)

    def _refused_first(self, ago: int) -> None:
        """A seat refuses a document of the MVP gate, and its author adds a version with what was missing."""
        with self.day(ago):
            item = artefacts.refuse_one(self.initiative, "mvp", self.team.seats)
        if item is None:
            return
        with self.day(ago):
            sentences = [self._sentence(ANSWERS[row.requirement]) for row in item.coverage.all()]
            newer = artefacts.add_second_version(item, [*sentences, f"{self.team.owner} answers for this."])
            initiative_acts.complete(self.again(), newer, self.team)

    def decide(self, review: Review, ago: int, reason: str, *, conditions=(), outcome: str = "") -> None:
        """The chair decides."""
        outcome = outcome or ("approved_with_conditions" if conditions else "approved")
        with self.day(ago, 17):
            review_actions.decide(
                review=review, outcome=outcome, reason=reason, conditions=list(conditions), by=self.team.chair
            )
        self.again()

    def night(self, ago: int) -> None:
        """What the nightly recount does on the day `ago`: support that has fallen opens the days of grace."""
        with (
            self.day(ago, 0),
            act(
                "recompute supported stage", system="supported stage job", initiative=self.initiative
            ) as initiative,
        ):
            rewrite_supported_stage(initiative)
        self.again()

    def _answer(self, key: str, *, attested: bool = False) -> None:
        requirement_actions.answer(
            initiative=self.initiative,
            requirement=key,
            kind="answered",
            text=self._sentence(ANSWERS[key]),
            true_as_of=clock.today() if attested else None,
            by=self.team.owner,
        )

    def _sentence(self, template: str) -> str:
        text = self.words.fill(template)
        return text[:1].upper() + text[1:]

    def add(self, evidence: PlannedEvidence, skip=()) -> None:
        """Add planned evidence, today, for what it covers and is not skipped."""
        rulebook = Rulebook.objects.current().parsed
        takes = {key for key, asked in rulebook.requirements.items() if evidence.kind in asked.evidence}
        covers = [key for key in evidence.covers if key in takes and key not in skip]
        if not covers or evidence.tier not in ("", self.words.tier):
            return
        if artefacts.written_by_a_register(evidence.kind, rulebook):
            artefacts.from_register(
                self.again(),
                evidence.kind,
                covers,
                owner=self.team.owner,
                lead=getattr(self.team, evidence.by),
                drill=tuple(
                    self._sentence(part) if place == 2 else part for place, part in enumerate(evidence.drill)
                ),
            )
            return
        for tested, about in artefacts.apart(evidence.kind, covers, rulebook).items():
            self._add_one(evidence, tested, about)

    def _add_one(self, evidence: PlannedEvidence, tested: str, covers: list[str]) -> None:
        rulebook, observed = Rulebook.objects.current().parsed, clock.today()
        title = self._sentence(evidence.title) + (f": {Tested.word(tested).lower()}" if tested else "")
        fields = {}
        if evidence.clause:
            version = self.initiative.contract.in_force_at(clock.now())
            fields["clause"] = version.clauses.filter(kind=evidence.clause).first()
            title = f"{title}, contract version {version.number}"
        elif evidence.kind == EvidenceKind.LOG_SAMPLE:
            of = evidence.count or 4, self.words.task, self.words.version
            fields["file"] = artefacts.log_of(f"{title} ({self.ref})", observed, *of)
        else:
            fields["file"] = artefacts.pdf(
                f"{title} ({self.ref})", [self._sentence(ANSWERS[key]) for key in covers], observed
            )
        if evidence.kind in rulebook.detailed_kinds:
            fields["details"] = artefacts.details_of(
                evidence.kind, observed, str(self.team.chair), tested, evidence.count, self.words.data
            )
        if evidence.kind in RESULT_KINDS:
            fields["result"] = "pass"
        if evidence.kind in ("test_report", "user_research"):
            fields["condition"] = evidence.condition
        item = evidence_actions.add_evidence(
            initiative=self.initiative,
            kind=evidence.kind,
            title=title[:200],
            observed_on=observed,
            covers=covers,
            by=getattr(self.team, evidence.by),
            **fields,
        )
        initiative_acts.complete(self.again(), item, self.team)


@contextmanager
def telling(company: Company, key: str, until: int):
    """Tell one initiative up to the day `until` days ago; what is not told on a day of its own happens that evening."""
    tale = Tale(company, key)
    with tale.evening(until):
        yield tale
