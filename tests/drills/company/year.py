"""What it takes to keep initiatives in production: a sheet of days, and a simulated year of doing what is asked.

    python -m tests.drills.company.year [INITIATIVES A TIER] [--days 365] [--sheet]

The sheet: by requirement and tier how often an answer is renewed and by how many people it is verified, from the
rulebook alone. The year: initiatives reach production one after the other over a first year; in the second, whatever
goes out of date within thirty days is renewed in one batch once the first of it is asked for, and seats verify what
waits for them, nothing more. Systems send measurements every week and ask every day. An act is one answer renewed, or
one artefact verified by one person (docs/domain.md, "Load"). Bounds: BOUNDS, A_WEEK, MESSAGES.

A change in governance/rulebook, governance/gates or initiatives/lifecycle/evidence asks for it.
"""

import argparse
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from tests.drills.company import place

BOUNDS = {"minimal": 12, "limited": 60, "high": 140}  # acts an initiative and year, all roles together
A_WEEK, MESSAGES = 4, 5  # acts of a holder of a seat, and messages to a person, in a week
AHEAD = 30  # days before its last one an answer is asked for, and what one batch renews
FROM_MACHINES = {"measurements", "decisions"}


def main() -> None:
    """Print the sheet, then the year unless only the sheet is asked for."""
    asked = argparse.ArgumentParser()
    asked.add_argument(
        "initiatives", type=int, nargs="?", default=10, help="initiatives of each tier (default: 10)"
    )
    asked.add_argument("--days", type=int, default=365, help="days that are counted (default: 365)")
    asked.add_argument("--sheet", action="store_true", help="the sheet alone")
    given = asked.parse_args()
    sheet()
    if not given.sheet:
        with place.database():
            Year(given.initiatives, given.days).live()


# --- The sheet -------------------------------------------------------------------------------------------------------


def sheet() -> None:
    """Acts a year by requirement and tier, as the rulebook alone has them: renewals + verifications."""
    from governance.rulebook import parse, shipped_text
    from governance.vocabulary import Tier

    rulebook = parse(shipped_text())
    total: Counter[str] = Counter()
    print(f"{'acts an initiative and year':34}" + "".join(f"{tier:>22}" for tier in Tier))
    for key in live_in_production(rulebook):
        row = rulebook.requirements[key]
        cells = []
        for tier in Tier:
            renewed, verified = acts_a_year(rulebook, row, tier)
            total[tier] += renewed + verified
            asked = any(row.level_for(tier, gate) for gate in rulebook.gates_asking(key))
            days = f"{row.days(tier)} d" if row.days(tier) else "by trigger"
            cells.append(f"{days}: {renewed:.1f} + {verified:.1f}" if asked else "-")
        print(f"{key:34}" + "".join(f"{cell:>22}" for cell in cells))
    total[Tier.MINIMAL] += drawn_of(rulebook)
    print(f"{'in all, drawn questions with it':34}" + "".join(f"{total[tier]:>22.1f}" for tier in Tier))
    print(f"{'bound':34}" + "".join(f"{BOUNDS[tier]:>22}" for tier in Tier))


def live_in_production(rulebook) -> list[str]:
    """The blocking requirements that have to stay current in production."""
    carry = rulebook.carry
    gone = {*carry.frozen_by, *carry.ended_at_production, *carry.replaced_at_production}
    keys = [key for gate in ("prototype", "mvp", "production") for key in rulebook.gates[gate].requirements()]
    return [key for key in dict.fromkeys(keys) if key not in gone and rulebook.requirements[key].blocking]


def acts_a_year(rulebook, row, tier: str) -> tuple[float, float]:
    """Renewals and verifications of one answer a year; none of what systems send."""
    levels = {row.level_for(tier, gate) for gate in rulebook.gates_asking(row.key)} - {""}
    if not levels or not row.days(tier) or FROM_MACHINES & {*row.ways}:
        return 0.0, 0.0
    renewed = 365 / row.days(tier)
    by_people = "verified" in levels and not row.ways
    return renewed, renewed * (2 if tier == "high" else 1) if by_people else 0.0


def drawn_of(rulebook) -> int:
    """How many requirements of a minimal initiative are drawn and verified at each re-attestation."""
    return getattr(rulebook, "drawn_at_minimal", 0)


# --- The year --------------------------------------------------------------------------------------------------------


@dataclass
class Year:
    """Initiatives, their people and their systems, and what everybody did: acts as (day, tier, role, person)."""

    a_tier: int
    days: int
    acts: list[tuple[date, str, str, int]] = field(default_factory=list)
    below: Counter = field(
        default_factory=Counter
    )  # days on which an initiative stood below its approved stage, by tier
    why: Counter = field(default_factory=Counter)

    def live(self) -> None:
        """Two years: in the first initiatives arrive, in the second acts are counted."""
        from governance import clock
        from governance.rulebook import shipped_text
        from tests.support import factories
        from tests.support.initiatives import production_at_tier

        began = time.monotonic()
        self.cast = factories.make_cast()
        factories.make_rulebook(self.cast.admin, self.cast.chair, source=shipped_text())
        self.deputies = production_at_tier.second_holders(self.cast)
        self.keys, self.tiers, self.due = {}, {}, {}
        start = clock.midnight_after(clock.today()) + timedelta(hours=8)
        tiers = [tier for _ in range(self.a_tier) for tier in BOUNDS]
        apart = 360 / len(tiers)
        for day in range(365 + self.days):
            moment = start + timedelta(days=day)
            with clock.simulated(moment):
                if tiers and day >= apart * (3 * self.a_tier - len(tiers)):
                    self._arrive(tiers.pop(0))
                self._systems(clock.today())
                self._run_beat()
            with clock.simulated(moment + timedelta(hours=1)):
                self._people(clock.today(), counted=day >= 365)
        with clock.simulated(start + timedelta(days=365 + self.days)):
            self._tell(start + timedelta(days=365), time.monotonic() - began)

    def _arrive(self, tier: str) -> None:
        from tests.support import factories
        from tests.support.initiatives import production_at_tier

        initiative = production_at_tier.reach_production(
            self.cast, tier, self.deputies, title=f"{tier.title()} initiative {len(self.tiers) + 1}"
        )
        self.tiers[initiative.pk] = tier
        self.keys[initiative.pk] = factories.make_key(
            self.cast,
            initiative,
            days=300,
            scopes=["evaluate", "measurements"],
            system=f"System of {initiative.ref}",
        )[0]

    def _systems(self, day: date) -> None:
        """Each system asks every day, and sends its measurements on Mondays; keys are replaced before they expire."""
        from adoption.demo import measures
        from governance import clock
        from initiatives.models import Initiative
        from tests.support import factories
        from tests.support.servers.asking_systems import write

        for initiative in Initiative.objects.filter(pk__in=self.keys).select_related("unit", "contract"):
            if self.keys[initiative.pk].expires_at < clock.now() + timedelta(days=3):
                self.keys[initiative.pk] = factories.make_key(
                    self.cast,
                    initiative,
                    days=300,
                    scopes=["evaluate", "measurements"],
                    system=f"System of {initiative.ref}",
                )[0]
            write(initiative, 3, key=self.keys[initiative.pk])
            if day.weekday() == 0:
                measures.adopted(
                    initiative, self.cast.team, until=day - timedelta(days=1), key=self.keys[initiative.pk]
                )

    def _run_beat(self) -> None:
        from tests.drills.company import thirty_days

        thirty_days.run_beat()

    def _people(self, day: date, *, counted: bool) -> None:
        """Whatever is asked for is renewed, what waits is verified, production is accepted again."""
        from initiatives.models import Initiative, Verification

        newest = Verification.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        for initiative in Initiative.objects.filter(pk__in=self.tiers).select_related("unit", "contract"):
            tier, done = self.tiers[initiative.pk], []
            done += self._look_back(initiative, day)
            if self.due.get(initiative.pk, day) <= day:
                done += self._snapshot(initiative, day)
            self._look(initiative, day, tier, counted=counted)
            if counted:
                self.acts += [(day, tier, role, person) for role, person in done]
        if counted:
            said = Verification.objects.filter(pk__gt=newest).select_related("evidence").order_by("pk")
            seen = {(one.evidence_id, one.verifier_id): one for one in said}
            self.acts += [
                (day, self.tiers[one.evidence.initiative_id], one.seat, one.verifier_id)
                for one in seen.values()
            ]

    def _snapshot(self, initiative, day: date) -> list[tuple[str, int]]:
        """Renew what goes out of date within thirty days, once the first of it does; role and person of each."""
        from adoption.demo import artefacts, initiative_acts
        from governance.gates.requirement_state import ACCEPTED_IN_PERSON, GENERATED_ONLY
        from governance.models import Rulebook
        from initiatives.lifecycle.facts import supported_stage
        from initiatives.lifecycle.roles import actions as role_actions
        from initiatives.lifecycle.stages import actions as stage_actions
        from initiatives.models import Link, LinkAnswer, RoleAssignment
        from tests.support import factories

        cast, team = self.cast, self.cast.team
        rulebook = Rulebook.objects.current().parsed
        done: list[tuple[str, int]] = []
        for link in Link.objects.filter(initiative=initiative, ended_at__isnull=True).select_related(
            "system"
        ):
            last = LinkAnswer.objects.filter(link=link).order_by("-pk").first()
            if last is not None and (day - last.at.date()).days >= 365 - AHEAD:
                factories.agree(link)
                done.append(("owner of a system", link.system.owner_id))
        again = supported_stage.reattest_by(initiative)
        attesting = again is not None and again - timedelta(days=10) <= day
        old = self._ageing(initiative, rulebook, day, attesting)
        roles = {ACCEPTED_IN_PERSON[key] for key in old if key in ACCEPTED_IN_PERSON}
        roles |= {"owner", "support_owner"} if attesting else set()
        for row in RoleAssignment.objects.in_force().filter(initiative=initiative, role__in=roles):
            role_actions.reaccept_role(assignment=row, by=row.person)
            done.append((row.role, row.person_id))
        piles: dict[tuple, list[str]] = defaultdict(list)
        for key in old:
            if key in ACCEPTED_IN_PERSON:
                continue
            asked = rulebook.requirements[key]
            if key in GENERATED_ONLY:
                initiative_acts.ground(initiative, key, team)
            else:
                piles[initiative_acts.pile_of(asked, rulebook)].append(key)
            done.append((asked.answered_by, team.owner.pk))
        for (kind, *_), keys in piles.items():
            if artefacts.written_by_a_register(kind, rulebook):
                artefacts.from_register(initiative, kind, keys, owner=team.owner, lead=team.lead)
            else:
                initiative_acts.prove(
                    initiative_acts.fresh(initiative), keys, team, title=f"{kind} of {day}: {keys[0]}"
                )
        if old or attesting:
            for gate in ("mvp", "production"):
                artefacts.verify_gate(
                    initiative, gate, team.seats, self.deputies if self.tiers[initiative.pk] == "high" else {}
                )
        if attesting:
            stage_actions.reattest(
                initiative=initiative_acts.fresh(initiative), reason="Goes on as agreed.", by=cast.chair
            )
            done.append(("chair", cast.chair.pk))
        self.due[initiative.pk] = self._next(initiative_acts.fresh(initiative), rulebook, day)
        return done

    def _look_back(self, initiative, day: date) -> list[tuple[str, int]]:
        """The look back after go-live, written and confirmed in the week before it is due."""
        from adoption.demo.postmortems import WRITTEN
        from adoption.postmortems import actions
        from adoption.postmortems.writing import write

        team, done = self.cast.team, []
        obligations = initiative.obligations.open().filter(
            kind="retrospective", due__lte=day + timedelta(days=7)
        )
        for obligation in obligations:
            said = WRITTEN | {"lessons": [], "no_lesson_because": "Nothing that others could use."}
            row = write(
                post_mortem=actions.start(obligation=obligation, by=team.owner), **said, by=team.owner
            )
            row = actions.hand_in(post_mortem=row, version=row.version, by=team.owner)
            seat = team.seats["adoption_change"]
            actions.confirm(post_mortem=row, version=row.version, no_lesson=True, by=seat)
            done += [("look back", team.owner.pk), ("look back", seat.pk)]
        return done

    def _ageing(self, initiative, rulebook, day: date, attesting: bool) -> list[str]:
        """Answers whose last day comes within thirty days, and that no system keeps current."""
        from adoption.demo import initiative_acts
        from governance import clock
        from governance.gates.requirements import states_at
        from initiatives.lifecycle.facts import supported_stage

        states = states_at(supported_stage.facts_of(initiative_acts.fresh(initiative)), rulebook, clock.now())
        found = []
        for key in live_in_production(rulebook):
            state = states[key]
            lasts = state.last_day is None or state.last_day > day + timedelta(days=AHEAD)
            if state.satisfied and (lasts or state.state not in ("met", "below")):
                continue
            if not FROM_MACHINES & {*rulebook.requirements[key].ways}:
                found.append(key)
        return found

    def _next(self, initiative, rulebook, day: date) -> date:
        """The day on which the next answer is asked for."""
        from governance import clock
        from governance.gates.requirements import states_at
        from initiatives.lifecycle.facts import supported_stage

        states = states_at(supported_stage.facts_of(initiative), rulebook, clock.now())
        ends = [
            states[key].last_day
            for key in live_in_production(rulebook)
            if states[key].last_day and not FROM_MACHINES & {*rulebook.requirements[key].ways}
        ]
        again = supported_stage.reattest_by(initiative)
        days = [end - timedelta(days=AHEAD) for end in ends] + ([again - timedelta(days=10)] if again else [])
        return max(min(days, default=day + timedelta(days=30)), day + timedelta(days=1))

    def _look(self, initiative, day: date, tier: str, *, counted: bool) -> None:
        """Whether the initiative stands below its approved stage today, and why."""
        from governance import clock
        from initiatives.models import SupportedStagePeriod

        span = SupportedStagePeriod.objects.covering(clock.now()).filter(initiative=initiative).first()
        if counted and span is not None and span.unsupported_stages:
            self.below[tier] += 1
            self.why[initiative.ref, span.label, str(span.gaps)] += 1
            self.due[initiative.pk] = day + timedelta(days=1)

    def _tell(self, since: datetime, seconds: float) -> None:
        """The figures, against their bounds."""
        from governance import clock
        from governance.models import Delivery, User

        print(f"\n{3 * self.a_tier} initiatives, {self.days} days: {seconds:.0f} s")
        years = self.days / 365 * self.a_tier
        for tier, bound in BOUNDS.items():
            by_role = Counter(role for _, one, role, _ in self.acts if one == tier)
            told = ", ".join(f"{role} {count / years:.1f}" for role, count in by_role.most_common())
            print(
                f"{tier}: {by_role.total() / years:.1f} acts an initiative and year (bound {bound}): {told}"
            )
        seats = {member.person_id for member in self.cast.board.memberships.all()}
        weeks: Counter = Counter()
        for day, _, role, person in self.acts:
            if person in seats and role in Seats.names():
                weeks[person, day.isocalendar()[:2]] += 1
        _spread("acts of a holder of a seat a week", weeks, len(seats) * self.days / 7, A_WEEK)
        mails: Counter = Counter()
        for person, day in Delivery.objects.filter(day__gte=clock.local_day(since)).values_list(
            "person", "day"
        ):
            mails[person, day.isocalendar()[:2]] += 1
        people = User.objects.filter(deliveries__isnull=False).distinct().count()
        _spread("messages to a person a week", mails, people * self.days / 7, MESSAGES)
        print(f"days below its approved stage, by tier: {dict(self.below)}")
        for said, count in self.why.most_common(12):
            print(f"   {count} days: {' | '.join(said)}")


class Seats:
    """The words under which acts of seats are counted."""

    @staticmethod
    def names() -> set[str]:
        """The keys of the seats."""
        from governance.vocabulary import Seat

        return set(Seat)


def _spread(what: str, weeks: Counter, all_weeks: float, bound: int) -> None:
    """Mean over all weeks, the busiest week, and how many weeks are beyond the bound."""
    beyond = sum(count > bound for count in weeks.values())
    mean, most = sum(weeks.values()) / all_weeks, max(weeks.values(), default=0)
    print(f"{what}: {mean:.2f} on average, {most} at most (bound {bound}); beyond it in {beyond} weeks")


if __name__ == "__main__":
    main()
