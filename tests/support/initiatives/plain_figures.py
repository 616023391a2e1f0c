"""Every figure of Insights once more, in plain Python from the rows as they lie there."""

from datetime import timedelta

from adoption.models import BehaviourReport, Incident
from governance import clock
from governance.models import ContractVersion, Rulebook
from initiatives.lifecycle.access import visibility
from initiatives.models import (
    Continuation,
    Coverage,
    Evidence,
    FundingDecision,
    Initiative,
    RoleAssignment,
    ScopeVersion,
    StageChange,
    SupportedStagePeriod,
    Voiding,
)
from initiatives.portfolio.initiative_list.filters import with_supported_stage
from initiatives.portfolio.insights import figures
from tests.support.initiatives.random_organisations import RANK


def counted_by(key: str, wanted: figures.Wanted) -> list[Initiative]:
    """The initiatives that the figure of the page counts, with what holds for them."""
    keys = figures.all_figures()[key].keys(figures.Facts(Initiative.objects.live(), wanted))
    return list(with_supported_stage(Initiative.objects.filter(pk__in=keys), wanted.rulebook, wanted.now))


class Raw:
    """The rows as they lie there, looked at one by one; no query of the page is used."""

    def __init__(self, person, since=None, until=None, unit=None):
        self.now, self.since, self.until = clock.now(), since, until
        self.rulebook = Rulebook.objects.current()
        seen = set(visibility.visible_to(person).values_list("pk", flat=True))
        self.initiatives = [
            initiative
            for initiative in Initiative.objects.select_related("unit")
            if initiative.pk in seen
            and not initiative.withdrawn_at
            and (unit is None or initiative.unit.path.startswith(unit.path))
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
                SupportedStagePeriod,
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

    def rows(self, model, initiative):
        return self.of[model].get(initiative.pk, [])

    def within(self, day) -> bool:
        return not ((self.since and day < self.since) or (self.until and day > self.until))

    def span(self, initiative):
        if initiative.supported_stage.computed_at < self.rulebook.published_at:
            return None
        return next(
            (
                s
                for s in self.rows(SupportedStagePeriod, initiative)
                if s.from_at <= self.now and (not s.until_at or s.until_at > self.now)
            ),
            None,
        )

    def passes_all(self, initiative):
        span = self.span(initiative)
        return span and "not_yet" not in (span.governance, span.integration, span.adoption)

    def pilot(self, initiative):
        days = self.rulebook.parsed.stages["mvp"].max_days_before_review
        continued = any(
            row.at >= initiative.since and row.until >= clock.today()
            for row in self.rows(Continuation, initiative)
        )
        return (
            initiative.stage == "mvp" and self.now - initiative.since > timedelta(days=days) and not continued
        )

    def scalable(self, initiative):
        return initiative.stage == "mvp" and bool(self.passes_all(initiative)) and not self.pilot(initiative)

    def trial(self, initiative):
        return (
            initiative.stage == "mvp"
            and self.span(initiative)
            and not self.passes_all(initiative)
            and not self.pilot(initiative)
        )

    def deployed(self, initiative):
        rolled = any(
            row.rollout and row.starts_at <= self.now and not (row.ended_at and row.ended_at <= self.now)
            for row in self.rows(ScopeVersion, initiative)
        )
        return initiative.stage == "production" or (initiative.stage == "mvp" and rolled)

    def used(self, initiative):
        readings = [
            item
            for item in self.rows(Evidence, initiative)
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
        days = self.rulebook.parsed.requirements["adopt.usage"].days(initiative.tier)
        current = not days or newest.observed_on + timedelta(days=days) >= clock.today()
        return newest.result == "pass" and current

    def funded(self, initiative):
        return any(
            row.label and not row.withdrawn_at and self.within(row.decided_on)
            for row in self.rows(FundingDecision, initiative)
        )

    def oversold(self, initiative):
        span = self.span(initiative)
        larger = (
            initiative.stage == "mvp" and initiative.basis != "import" and span and RANK[span.supported] < 2
        )
        return bool(larger) or self.funded(initiative)

    def underdesigned(self, initiative):
        if initiative.stage != "mvp" or initiative.basis == "import":
            return False
        held = any(
            row.accepted_at and not row.ended_at and row.person.is_active
            for row in self.rows(RoleAssignment, initiative)
            if row.role == "support_owner"
        )
        span = self.span(initiative)
        return not held or bool(span and {"application", "integration"} & set(span.gaps))

    def too_early(self, initiative):
        live = [
            row
            for row in self.rows(StageChange, initiative)
            if row.to_stage == "production" and row.basis != "import" and self.within(clock.local_day(row.at))
        ]
        back = any(
            other.from_stage == "production"
            and other.pk > row.pk
            and other.at <= row.at + timedelta(days=180)
            for row in live
            for other in self.rows(StageChange, initiative)
        )
        span = self.span(initiative)
        return back or bool(live and initiative.stage == "production" and span and span.unsupported_stages)

    def late(self, initiative):
        starts = [
            row.starts_at
            for row in ContractVersion.objects.filter(contract=initiative.contract_id)
            if row.starts_at
        ]
        accepted = [
            row.accepted_at
            for row in self.rows(RoleAssignment, initiative)
            if row.role == "support_owner" and row.accepted_at
        ]
        for row in self.rows(StageChange, initiative):
            if row.basis == "import" or not self.within(clock.local_day(row.at)):
                continue
            if (row.from_stage, row.to_stage) == ("prototype", "mvp") and not any(
                at <= row.at for at in starts
            ):
                return True
            if row.to_stage == "production" and not any(at <= row.at for at in accepted):
                return True
        return False

    def trust_lost(self, initiative):
        for key in (key for key in self.covers if key.startswith("adopt.")):
            items = [
                item
                for item in self.rows(Evidence, initiative)
                if item.pk in self.covers[key] and item.result and not item.withdrawn_at
            ]
            items.sort(key=lambda item: (item.observed_on, item.added_at, item.pk))
            passed = any(item.result == "pass" for item in items[:-1])
            if passed and items[-1].result != "pass" and self.within(items[-1].observed_on):
                return True
        return self.told_against(initiative) or self.went_wrong(initiative)

    def told_against(self, initiative):
        return any(
            row.kind in ("worked_around", "weaponised", "ignored")
            and row.ended_at is None
            and self.within(row.observed_on)
            for row in self.rows(BehaviourReport, initiative)
        )

    def went_wrong(self, initiative):
        return any(
            row.state in ("open", "contained", "resolved")
            and row.severity in (1, 2, 3)
            and self.within(clock.local_day(row.detected_at))
            for row in self.rows(Incident, initiative)
        )

    def answered_no(self, initiative):
        most = timedelta(days=self.rulebook.parsed.stages["prototype"].max_days_before_review)
        moves = self.rows(StageChange, initiative)
        for place, row in enumerate(moves):
            said = row.basis == "stopped" and row.reason.startswith(
                "Answered: the idea is not worth going on"
            )
            if initiative.stage != "stopped" or not said or not self.within(clock.local_day(row.at)):
                continue
            began = [other.at for other in moves[:place] if other.to_stage == "prototype"]
            if row.from_stage == "proposed" or (
                row.from_stage == "prototype" and began and row.at <= began[-1] + most
            ):
                return True
        return False

    def figures(self) -> dict[str, set[int]]:
        """Every figure of the page, by its key, as the keys of its initiatives."""
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
            "mismatches": lambda initiative: bool(
                initiative.stage in RANK and (span := self.span(initiative)) and span.unsupported_stages
            ),
        }
        for stage in ("mvp", "production"):
            at = lambda initiative, stage=stage: initiative.stage == stage and self.deployed(initiative)  # noqa: E731
            by_rule[f"deployed-{stage}"] = at
            by_rule[f"used-{stage}"] = lambda initiative, at=at: at(initiative) and self.used(initiative)
            by_rule[f"unused-{stage}"] = lambda initiative, at=at: (
                at(initiative) and not self.used(initiative)
            )
        return {
            key: {initiative.pk for initiative in self.initiatives if rule(initiative)}
            for key, rule in by_rule.items()
        }
