"""Every figure of Insights once more, in plain Python from the rows as they lie there."""

from datetime import timedelta

from adoption.models import BehaviourReport, Incident
from governance import clock
from governance.models import ContractVersion, Rulebook
from initiatives.access import permissions as case_permissions
from initiatives.insights import figures
from initiatives.models import (
    Continuation,
    Coverage,
    Evidence,
    FundingDecision,
    Initiative,
    RoleAssignment,
    ScopeVersion,
    Span,
    StageChange,
    Voiding,
)
from initiatives.portfolio.filters import with_standing
from tests.support.cases.random_organisations import RANK


def counted_by(key: str, wanted: figures.Wanted) -> list[Initiative]:
    """The initiatives that the figure of the page counts, with what holds for them."""
    keys = figures.all_figures()[key].keys(figures.Facts(Initiative.objects.live(), wanted))
    return list(with_standing(Initiative.objects.filter(pk__in=keys), wanted.rulebook, wanted.now))


class Raw:
    """The rows as they lie there, looked at one by one; no query of the page is used."""

    def __init__(self, person, since=None, until=None, unit=None):
        self.now, self.since, self.until = clock.now(), since, until
        self.book = Rulebook.objects.current()
        seen = set(case_permissions.visible_to(person).values_list("pk", flat=True))
        self.cases = [
            case
            for case in Initiative.objects.select_related("unit")
            if case.pk in seen
            and not case.withdrawn_at
            and (unit is None or case.unit.path.startswith(unit.path))
        ]
        self.of = {
            model: self._by(model)
            for model in (
                StageChange,
                ScopeVersion,
                Evidence,
                FundingDecision,
                Continuation,
                RoleAssignment,
                Span,
                BehaviourReport,
                Incident,
            )
        }
        self.covers = {}
        for row in Coverage.objects.all():
            self.covers.setdefault(row.requirement, set()).add(row.evidence_id)
        self.void = [(row.evidence_id, row.requirement, row.effective_at) for row in Voiding.objects.all()]

    @staticmethod
    def _by(model):
        found: dict = {}
        for row in model.objects.order_by("pk"):
            found.setdefault(row.initiative_id, []).append(row)
        return found

    def rows(self, model, case):
        return self.of[model].get(case.pk, [])

    def within(self, day) -> bool:
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def span(self, case):
        if case.standing.computed_at < self.book.published_at:
            return None
        return next(
            (
                s
                for s in self.rows(Span, case)
                if s.from_at <= self.now and (not s.until_at or s.until_at > self.now)
            ),
            None,
        )

    def passes_all(self, case):
        span = self.span(case)
        return span and span.governance and span.integration and span.adoption

    def pilot(self, case):
        days = self.book.book.stages["mvp"].max_days_before_review
        continued = any(
            row.at >= case.since and row.until >= clock.today() for row in self.rows(Continuation, case)
        )
        return case.stage == "mvp" and self.now - case.since > timedelta(days=days) and not continued

    def scalable(self, case):
        return case.stage == "mvp" and bool(self.passes_all(case)) and not self.pilot(case)

    def trial(self, case):
        return case.stage == "mvp" and self.span(case) and not self.passes_all(case) and not self.pilot(case)

    def deployed(self, case):
        rolled = any(
            row.rollout and row.starts_at <= self.now and not (row.ended_at and row.ended_at <= self.now)
            for row in self.rows(ScopeVersion, case)
        )
        return case.stage == "production" or (case.stage == "mvp" and rolled)

    def used(self, case):
        readings = [
            item
            for item in self.rows(Evidence, case)
            if item.pk in self.covers.get("adopt.usage", ())
            and item.result
            and not (item.withdrawn_at or item.missing_since)
            and not any(
                key == item.pk and of == "adopt.usage" and at <= self.now for key, of, at in self.void
            )
        ]
        if not readings:
            return False
        newest = max(readings, key=lambda item: (item.observed_on, item.added_at, item.pk))
        days = self.book.book.requirements["adopt.usage"].days(case.tier)
        current = not days or newest.observed_on + timedelta(days=days) >= clock.today()
        return newest.result == "pass" and current

    def funded(self, case):
        return any(
            row.label and not row.withdrawn_at and self.within(row.decided_on)
            for row in self.rows(FundingDecision, case)
        )

    def oversold(self, case):
        span = self.span(case)
        larger = case.stage == "mvp" and case.basis != "import" and span and RANK[span.supported] < 2
        return bool(larger) or self.funded(case)

    def underdesigned(self, case):
        if case.stage != "mvp" or case.basis == "import":
            return False
        held = any(
            row.accepted_at and not row.ended_at and row.person.is_active
            for row in self.rows(RoleAssignment, case)
            if row.role == "support_owner"
        )
        span = self.span(case)
        return not held or bool(span and {"application", "integration"} & set(span.gaps))

    def too_early(self, case):
        live = [
            row
            for row in self.rows(StageChange, case)
            if row.to_stage == "production" and row.basis != "import" and self.within(clock.local_day(row.at))
        ]
        back = any(
            other.from_stage == "production"
            and other.pk > row.pk
            and other.at <= row.at + timedelta(days=180)
            for row in live
            for other in self.rows(StageChange, case)
        )
        span = self.span(case)
        return back or bool(live and case.stage == "production" and span and span.shortfall)

    def late(self, case):
        starts = [
            row.starts_at
            for row in ContractVersion.objects.filter(contract=case.contract_id)
            if row.starts_at
        ]
        accepted = [
            row.accepted_at
            for row in self.rows(RoleAssignment, case)
            if row.role == "support_owner" and row.accepted_at
        ]
        for row in self.rows(StageChange, case):
            if row.basis == "import" or not self.within(clock.local_day(row.at)):
                continue
            if (row.from_stage, row.to_stage) == ("prototype", "mvp") and not any(
                at <= row.at for at in starts
            ):
                return True
            if row.to_stage == "production" and not any(at <= row.at for at in accepted):
                return True
        return False

    def trust_lost(self, case):
        for key in (key for key in self.covers if key.startswith("adopt.")):
            items = [
                item
                for item in self.rows(Evidence, case)
                if item.pk in self.covers[key] and item.result and not item.withdrawn_at
            ]
            items.sort(key=lambda item: (item.observed_on, item.added_at, item.pk))
            passed = any(item.result == "pass" for item in items[:-1])
            if passed and items[-1].result != "pass" and self.within(items[-1].observed_on):
                return True
        return self.told_against(case) or self.went_wrong(case)

    def told_against(self, case):
        return any(
            row.kind in ("worked_around", "weaponised", "ignored")
            and row.ended_at is None
            and self.within(row.observed_on)
            for row in self.rows(BehaviourReport, case)
        )

    def went_wrong(self, case):
        return any(
            row.state in ("open", "contained", "resolved")
            and row.severity in (1, 2, 3)
            and self.within(clock.local_day(row.detected_at))
            for row in self.rows(Incident, case)
        )

    def answered_no(self, case):
        most = timedelta(days=self.book.book.stages["prototype"].max_days_before_review)
        moves = self.rows(StageChange, case)
        for place, row in enumerate(moves):
            said = row.basis == "stopped" and row.reason.startswith("Answered: it is not worth going on")
            if case.stage != "stopped" or not said or not self.within(clock.local_day(row.at)):
                continue
            began = [other.at for other in moves[:place] if other.to_stage == "prototype"]
            if row.from_stage == "proposed" or (
                row.from_stage == "prototype" and began and row.at <= began[-1] + most
            ):
                return True
        return False

    def figures(self) -> dict[str, set[int]]:
        """Every figure of the page, by its key, as the keys of its cases."""
        by_rule = {
            "scalable": self.scalable,
            "pilots": self.pilot,
            "trials": self.trial,
            "funded": self.funded,
            "oversold": self.oversold,
            "underdesigned": self.underdesigned,
            "too-early": self.too_early,
            "late": self.late,
            "trust-lost": self.trust_lost,
            "answered-no": self.answered_no,
            "mismatches": lambda case: bool(
                case.stage in RANK and (span := self.span(case)) and span.shortfall
            ),
        }
        for stage in ("mvp", "production"):
            at = lambda case, stage=stage: case.stage == stage and self.deployed(case)  # noqa: E731
            by_rule[f"deployed-{stage}"] = at
            by_rule[f"used-{stage}"] = lambda case, at=at: at(case) and self.used(case)
            by_rule[f"unused-{stage}"] = lambda case, at=at: at(case) and not self.used(case)
        return {key: {case.pk for case in self.cases if rule(case)} for key, rule in by_rule.items()}
