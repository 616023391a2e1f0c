"""Acts of people that keep one initiative of limited risk in production for a year, by hand and with machines.

    python -m tests.drills.systems.human_acts [--days 365]

Both years begin with the same initiative on its first day in production. By hand, people renew each answer shortly
before it ends: they add the evidence, enter measurements, record drills and verify. With machines, a declared pipeline
files results each quarter, and a system sends calls, measurements and signals of its monitoring. People then do what is
left. An act is one act in the audit log that a person did. Opening an item counts with its verification. Declaring
the pipeline, making keys and setting promises count in the first year. Every morning, before people act, each answer
must have the level that the rulebook asks. Exits with 1 if one is lower on any day.

A change in governance/rulebook, initiatives/integration/pipelines or adoption/measurements asks for it.
"""

import argparse
import json
import secrets
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from tests.drills.company import place
from tests.drills.company.year import Year, live_in_production

BOUND = 1 / 3
TIER = "limited"
SYSTEMS = ("Archive", "Mailroom")  # beside the ledger that the initiative has a link to already
LEAD = 14  # days before its last one on which an answer is renewed; LEAD_SHORT of what lasts less than half a year
LEAD_SHORT = 3
REVIEW_DAYS = 180  # between two reviews of a service account
EVERY = 28  # days between two runs of all tasks of the worker; the pipeline files results each third time
CALLS = 4  # of the system on each day
WEEK = 7  # days between two signals of the monitoring, and between two looks of the worker at the logs
# Tasks of the worker that run each week. The others run each EVERY days.
TASKS = ("reconcile_logs", "follow_register", "recompute_supported_stages")
FLOW_DAYS = 90  # for which a review of the sign-on counts (`resilience.process_findings`)
# Ways by which systems keep an answer measured. People renew it only once it is no longer measured.
OF_SYSTEMS = {"measurements", "decisions", "interactions", "monitoring"}
# Entries that go with another act of the same person.
GO_WITH_ANOTHER = ("evidence opened", "register found")
ON_FAILURE = {
    "timeout_seconds": 5,
    "retry": "Once, after a second.",
    "on_failure": "The list of yesterday is shown, with its day.",
    "told_users": "That the list is of yesterday.",
}


def main() -> None:
    """Live both years, print their acts, and exit with 1 if a level fell."""
    asked = argparse.ArgumentParser()
    asked.add_argument("--days", type=int, default=365, help="days that are lived (default: 365)")
    days = asked.parse_args().days
    lived = []
    for machines in (False, True):
        with place.database():
            year = OneYear(days, machines)
            year.live()
            lived.append(year)
    sys.exit(tell(*lived))


def tell(by_hand: "OneYear", with_machines: "OneYear") -> int:
    """Print the acts by kind, the ratio, and the days on which levels held. Returns 1 if one fell, else 0."""
    print(f"{'acts of people':34}{'by hand':>10}{'machines':>10}")
    for kind in sorted({*by_hand.acts, *with_machines.acts}, key=lambda one: -by_hand.acts[one]):
        print(f"{kind:34}{by_hand.acts[kind]:>10}{with_machines.acts[kind]:>10}")
    hand, left = by_hand.acts.total(), with_machines.acts.total()
    print(f"{'in all':34}{hand:>10}{left:>10}")
    word = "met" if left <= BOUND * hand else "missed"
    print(f"ratio {left / hand:.2f}, at most {BOUND:.2f} is asked: {word}")
    for year, name in ((by_hand, "by hand"), (with_machines, "with machines")):
        print(f"{name}: production was supported on {year.days - len(year.fell)} of {year.days} days")
        for day, words in list(year.fell.items())[:5]:
            print(f"  {day}: {'; '.join(words)}")
    return int(bool(by_hand.fell or with_machines.fell))


@dataclass
class OneYear:
    """An initiative in production, its people, and with `machines` its pipeline and system."""

    days: int
    machines: bool
    acts: Counter = field(default_factory=Counter)
    fell: dict = field(default_factory=dict)  # by day, the answers below their level

    def live(self) -> None:
        """Reach production on one day, then live day by day, and count what people did since."""
        from governance import clock
        from governance.models import Entry
        from tests.drills.company import thirty_days

        start = clock.midnight_after(clock.today()) + timedelta(hours=8)
        with clock.simulated(start):
            self._found()
        newest = Entry.objects.latest("pk").pk
        with clock.simulated(start + timedelta(hours=1)):
            if self.machines:
                self._connect()
        for day in range(1, self.days + 1):
            with clock.simulated(start + timedelta(days=day)):
                if self.machines:
                    self._machines(day)
                if day % EVERY == 1:
                    thirty_days.run_beat()
                elif self.machines and day % WEEK == 1:
                    run_tasks()
                self._look()
            with clock.simulated(start + timedelta(days=day, hours=1)):
                self._people()
        self.acts = acts_since(newest)

    # --- The start ---------------------------------------------------------------------------------------------------

    def _found(self) -> None:
        """An initiative with a model, three links, measures and a service account, just approved for production."""
        from adoption.demo import artefacts, initiative_acts
        from governance import clock
        from governance.models import Rulebook
        from governance.rulebook import shipped_text
        from tests.support import factories
        from tests.support.initiatives import production_at_tier

        self.cast = cast = factories.make_cast()
        self.team = cast.team
        factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
        self.rulebook = Rulebook.objects.current().parsed.at_tier(TIER)
        self.keys = [key for key in live_in_production(self.rulebook) if self._asked(key)]
        initiative = production_at_tier.at_mvp_gate(cast, TIER, alone=False, deputies={})
        systems = [factories.make_system(cast, name) for name in SYSTEMS]
        account = factories.make_account(
            cast, systems[0], review_by=clock.today() + timedelta(days=REVIEW_DAYS)
        )
        for system in systems:
            named = {"account": account} if system == systems[0] else {}
            factories.make_link(cast, initiative, system, agreed=True, **named, **ON_FAILURE)
        for gate in ("mvp", "production"):
            initiative_acts.ground_gate(initiative, gate, self.team)
            artefacts.verify_gate(initiative, gate, self.team.seats)
            missing = production_at_tier.lacking(initiative, gate)
            assert not missing, "\n".join(missing)
            initiative_acts.pass_gate(initiative, self.team)
        self.initiative = initiative_acts.fresh(initiative)
        self.look_back = Year(1, self.days)
        self.look_back.cast = cast

    def _asked(self, key: str) -> set[str]:
        """The levels that gates ask of an answer at this tier."""
        asked = self.rulebook.requirements[key]
        return {asked.level_for(TIER, gate) for gate in self.rulebook.gates_asking(key)} - {""}

    def _states(self) -> dict:
        from adoption.demo import initiative_acts
        from governance import clock
        from governance.gates.requirements import states_at
        from initiatives.lifecycle.facts import supported_stage

        facts = supported_stage.facts_of(initiative_acts.fresh(self.initiative))
        return states_at(facts, self.rulebook, clock.now())

    def _look(self) -> None:
        """Note the answers below their level this morning, and a lower supported stage."""
        from adoption.demo import initiative_acts
        from governance import clock
        from initiatives.lifecycle.facts import supported_stage

        states = self._states()
        low = [f"{key}: {states[key].words}" for key in self.keys if not states[key].satisfied]
        supported = supported_stage.judged(initiative_acts.fresh(self.initiative)).support.supported
        if low or supported != "production":
            self.fell[clock.today()] = low or [f"supported stage {supported}"]

    # --- People ------------------------------------------------------------------------------------------------------

    def _people(self) -> None:
        """Renew what is about to end and do what falls due."""
        from governance import clock

        states, today = self._states(), clock.today()
        self._renew([key for key in self.keys if self._ends(key, states[key], today)])
        self._reviews(today)
        self.look_back._look_back(self.initiative, today)

    def _ends(self, key: str, state, today) -> bool:
        """Whether a person has to renew this answer today."""
        asked = self.rulebook.requirements[key]
        if not state.satisfied:
            return True
        if self.machines and state.level == "measured" and OF_SYSTEMS & {*asked.ways}:
            return False
        lead = LEAD if asked.days(TIER) >= 180 else LEAD_SHORT
        return state.last_day is not None and state.last_day <= today + timedelta(days=lead)

    def _renew(self, old: list[str]) -> None:
        """Renew these answers: one item for what can share it, from whoever or whatever writes this kind."""
        from adoption.demo import artefacts, initiative_acts, measures
        from adoption.models.instruments import ASKED
        from governance import clock
        from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
        from initiatives.lifecycle.roles import actions as role_actions

        if not self.machines and any(key in ASKED for key in old):
            measures.adopted(self.initiative, self.team, until=clock.today() - timedelta(days=1))
        piles: dict[tuple, list[str]] = defaultdict(list)
        for key in old:
            asked = self.rulebook.requirements[key]
            if key in ACCEPTED_IN_PERSON:
                row = self.initiative.roles.in_force().get(role=ACCEPTED_IN_PERSON[key])
                role_actions.reaccept_role(assignment=row, by=row.person)
            elif key in GENERATED_ONLY:
                initiative_acts.ground(self.initiative, key, self.team)
            elif "agreement" in asked.ways:
                self._agree()
            elif item := self._filed(key):
                self._verify([item], [key])
            else:
                pile = ("telemetry",) if key in ASKED else initiative_acts.pile_of(asked, self.rulebook)
                piles[pile].append(key)
        for (kind, *_), keys in piles.items():
            newest = self.initiative.evidence.order_by("-pk").values_list("pk", flat=True).first()
            if artefacts.written_by_a_register(kind, self.rulebook):
                artefacts.from_register(
                    self.initiative, kind, keys, owner=self.team.owner, lead=self.team.lead
                )
            else:
                title = f"{kind.replace('_', ' ').capitalize()} of {clock.today()}: {keys[0]}"
                initiative_acts.prove(initiative_acts.fresh(self.initiative), keys, self.team, title=title)
            self._verify(self.initiative.evidence.filter(pk__gt=newest).order_by("pk"), keys)

    def _filed(self, key: str):
        """The newest passing result of the pipeline for this requirement, if there is one."""
        rows = self.initiative.evidence.filter(
            coverage__requirement=key, pipeline_report__isnull=False, superseded_by__isnull=True
        )
        return rows.order_by("-pk").first()

    def _verify(self, items, keys: list[str]) -> None:
        """Have the seat of each requirement verify each item that covers it, if a gate asks for that level."""
        from adoption.demo import artefacts
        from initiatives.models import Evidence

        states = self._states()
        for item in items:
            covered = {row.requirement for row in item.coverage.all()}
            for key in keys:
                if key in covered and "verified" in self._asked(key):
                    person = self.team.seats[self.rulebook.seats_asking(key)[0]]
                    opened = Evidence.objects.get(pk=item.pk)  # a file that was read is not opened again
                    artefacts.verify_item(opened, key, states[key].answer_version, person)

    def _agree(self) -> None:
        """Each owner of a system agrees again to be depended on."""
        from tests.support import factories

        for link in self.initiative.links.current():
            factories.agree(link)

    def _reviews(self, today) -> None:
        """Review the sign-on and the service account, and accept production again, if that is due soon."""
        from adoption.demo import initiative_acts
        from initiatives.integration.systems import accounts
        from initiatives.lifecycle.facts import supported_stage
        from initiatives.lifecycle.stages import actions as stage_actions
        from initiatives.models import ServiceAccount, SignOnFlow
        from tests.support import factories

        soon = today + timedelta(days=LEAD)
        reviewed = SignOnFlow.objects.current().filter(initiative=self.initiative).latest("pk").reviewed_on
        if reviewed + timedelta(days=FLOW_DAYS) <= today + timedelta(days=LEAD_SHORT):
            factories.make_flow(self.cast, self.initiative)
        for account in ServiceAccount.objects.filter(review_by__lte=soon):
            accounts.review_account(
                account=account,
                privileges="Reads customers.",
                review_by=today + timedelta(days=REVIEW_DAYS),
                by=self.cast.lead,
            )
        initiative = initiative_acts.fresh(self.initiative)
        again = supported_stage.reattest_by(initiative)
        if again is not None and again <= soon:
            stage_actions.reattest(initiative=initiative, reason="Goes on as agreed.", by=self.cast.chair)

    # --- Machines ----------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        """Declare the pipeline, make a key for the system and one for its monitoring, and set two promises."""
        from adoption.monitoring.actions import promise_monitoring
        from initiatives.interactions.promises.actions import promise
        from tests.support import factories
        from tests.support.servers import pipeline_issuers

        self.pipeline = pipeline_issuers.make_pipeline(self.cast, self.initiative, by=self.cast.lead)
        for form, [key], bar in bars(self.initiative):
            asked = self.rulebook.requirements[key]
            condition = asked.min_condition or "bounded_real"
            pipeline_issuers.make_bar(self.cast, self.pipeline, key, format=form, condition=condition, **bar)
        scopes = ["evaluate", "interactions", "measurements"]
        self.key = factories.make_key(self.cast, self.initiative, days=365, scopes=scopes)[0]
        self.monitoring = factories.make_key(
            self.cast, self.initiative, days=365, scopes=["alerts"], system="Monitoring"
        )[0]
        promise_monitoring(initiative=self.initiative, every_days=WEEK, by=self.cast.lead)
        promise(initiative=self.initiative, median=2_000, most=8_000, errors=0.1, by=self.cast.lead)

    def _machines(self, day: int) -> None:
        """What machines send on this day: calls, once a week a signal and measurements, and results each quarter."""
        from adoption.demo import measures
        from adoption.monitoring.actions import take
        from governance import clock

        self._calls()
        if day % WEEK == 1:
            take(initiative=self.initiative, key=self.monitoring, sent=())
        if clock.today().weekday() == 0:
            measures.adopted(
                self.initiative, self.team, until=clock.today() - timedelta(days=1), key=self.key
            )
        if day % (3 * EVERY) == 1:
            for form, covers, tested, body in results(self.initiative):
                self._file(form, covers, tested, body)

    def _calls(self) -> None:
        """Calls that the system asked for, was allowed, and reports whole."""
        from governance import clock
        from governance.interaction_log import loading
        from governance.interaction_log.intake import interactions
        from governance.interaction_log.shape import Interaction as Report
        from governance.interaction_log.shape import Kind, Message, ToolCall
        from governance.models import PolicyDecision
        from tests.support.servers.asking_systems import write

        at = clock.now() - timedelta(minutes=1)
        action = {"action": "summarise", "request": {"action": {"name": "summarise"}}}
        write(self.initiative, CALLS, at=at, key=self.key, **action)
        digests = PolicyDecision.objects.order_by("-id").values_list("digest", flat=True)[:CALLS]
        reports = []
        for place_, digest in enumerate(digests):
            said = {"version": "m-4", "subject": f"user:{place_}", "started": at}
            reports.append(
                Report(
                    Kind.TOOL,
                    tool=ToolCall("summarise", "{}", result="ok"),
                    id=secrets.token_hex(8),
                    decision=bytes(digest).hex(),
                    **said,
                )
            )
            reports.append(
                Report(
                    Kind.CALL,
                    operation="chat",
                    input=(Message("user", "What did we agree?"),),
                    output=(Message("assistant", "A call in May."),),
                    ended=at + timedelta(milliseconds=400),
                    id=secrets.token_hex(8),
                    **said,
                )
            )
        interactions.keep(
            reports,
            initiative=self.initiative.number,
            key=self.key.pk,
            decision_of=bytes.fromhex,
            now=clock.now(),
        )
        interactions.bring_over()
        loading.loader.bring_orphans(interactions._folder)

    def _file(self, form: str, covers: list[str], body: bytes) -> None:
        """File one result by the act of the pipeline, with a token that was read already."""
        from governance import clock
        from initiatives.integration.pipelines import actions, reports
        from initiatives.integration.pipelines.job_tokens import Read

        actions.file_result(
            pipeline=self.pipeline,
            token=Read({"sub": "a job"}, secrets.token_hex(32), clock.now().timestamp() + 300),
            report=reports.read(form, body),
            filing=actions.Filing(form, covers),
            body=body,
        )


def run_tasks() -> None:
    """Run the tasks of the worker that read logs and findings."""
    from initiatives import tasks

    for name in TASKS:
        getattr(tasks, name).apply(throw=True)


def bars(initiative) -> list[tuple[str, list[str], dict]]:
    """What the pipeline must show: format, requirement, and tests, metric or drills as its results name them."""
    from decimal import Decimal

    from initiatives.integration.pipelines import reports

    found: dict[tuple[str, str], dict] = {}
    for form, [key], body in results(initiative):
        if form in ("junit", "evaluation", "drill"):
            bar = found.setdefault((form, key), {"tests": []})
            bar["tests"] += reports.read(form, body).names
            if form == "evaluation":
                bar["threshold"] = Decimal("0.85")
    return [(form, [key], bar) for (form, key), bar in found.items()]


def results(initiative) -> list[tuple[str, list[str], bytes]]:
    """What the pipeline files in a quarter: format, requirements and body."""
    from governance import clock

    day = f"{clock.today()}"

    def junit(name: str) -> bytes:
        tests = "".join(f'<testcase name="{name} {number}"/>' for number in range(12))
        return f'<testsuites><testsuite name="{name} of {day}">{tests}</testsuite></testsuites>'.encode()

    def drill(kind: str, fault: str, happened: str, system: str = "") -> bytes:
        said = {
            "drill": kind, "fault": fault, "expected": "What the plan says.", "happened": f"{happened}, on {day}",
            "result": "pass", "system": system,
        }  # fmt: skip
        return json.dumps({name: value for name, value in said.items() if value}).encode()

    evaluation = {
        "metric": "accuracy", "value": 0.93, "threshold": 0.85, "n": 400,
        "data_set": {"name": f"notes until {day}", "sha256": "ab" * 32},
    }  # fmt: skip
    parts = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [{"type": "library", "name": "assistant", "version": day}],
    }  # fmt: skip
    deployed = {
        "version": day,
        "environment": "production",
        "deployed_at": clock.now().isoformat(),
    }
    links = initiative.links.current().select_related("system").order_by("pk")
    return [
        ("junit", ["prod.q04_exceptions"], junit("faults")),
        ("junit", ["layer.runtime"], junit("forbidden calls")),
        ("junit", ["gov.enforced"], junit("clauses")),
        ("junit", ["mvp.override"], junit("corrections")),
        ("evaluation", ["int.representative"], json.dumps(evaluation).encode()),
        ("cyclonedx", ["prod.q08_change_control"], json.dumps(parts).encode()),
        ("deployment", ["prod.q08_change_control"], json.dumps(deployed).encode()),
        *(
            (
                "drill",
                ["int.fallback"],
                drill("fallback", "gone", "The list of yesterday", link.system.name),
            )
            for link in links
        ),
        ("drill", ["layer.observability"], drill("escalation", "error", "The alert came after a minute")),
        ("drill", ["prod.q10_outage"], drill("fallback", "gone", "The team went on with the list")),
        ("drill", ["int.audit_trail"], drill("retrieval", "none", "The decision after two minutes")),
    ]


def acts_since(newest: int) -> Counter:
    """The acts of people in the audit log after this entry, by kind. A transaction of a person is one act."""
    from governance.models import Entry

    rows = (
        Entry.objects.acts().filter(pk__gt=newest, actor_id__isnull=False).exclude(kind__in=GO_WITH_ANOTHER)
    )
    last = dict(rows.order_by("pk").values_list("xact", "kind"))
    return Counter(last.values())


if __name__ == "__main__":
    main()
