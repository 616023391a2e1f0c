"""What a rulebook was foretold to do, beside what it does: published for real, read from rows, taken back.

What is foretold comes from `foreseeing`; what happens is read from the spans that publishing wrote, the obligations it
opened and completed, and the snapshots of reviews that were really moved. The two share the rules and nothing else.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from governance import clock
from governance.database import request_memo
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.organisation import actions as organisation_actions
from governance.rulebook import parse
from governance.vocabulary import ReviewOutcome
from initiatives.lifecycle.initiative import review_state
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.models import Forecast, Initiative, Obligation, Review, SupportedStagePeriod
from initiatives.portfolio.rulebook_changes import forecast_actions, publication


@dataclass
class Outcome:
    """What is or will be, by key: stage, gaps by layer and hold of each initiative, sign-offs of each review,
    obligations.
    """

    initiatives: dict = field(default_factory=dict)
    obligations: dict = field(default_factory=dict)
    sign_offs: dict = field(default_factory=dict)
    decidable: dict = field(default_factory=dict)


def foretold(source: str, admin, *, grace_until=None) -> tuple[Forecast, Outcome]:
    """Have it worked out as the page does, and lay it over how things stand now."""
    draft = Rulebook(version=parse(source).version, source=source, digest=parse(source).digest)
    forecast = Forecast.objects.create(
        version=draft.version,
        source=source,
        digest=draft.digest,
        in_force=Rulebook.objects.current(),
        day=clock.today(),
        grace_until=grace_until,
        by=admin,
        asked_at=clock.now(),
    )
    forecast = forecast_actions.work_out(forecast.pk)
    found, rulebook, old = Outcome(stood().initiatives), parse(source), Rulebook.objects.current().parsed
    for row in forecast.rows.all():
        if row.what == "review":
            found.decidable[row.review_id] = bool(row.before)
            found.sign_offs |= {
                sign_off: (counts, bool(counts and not stale))
                for sign_off, _, _, counts, stale in row.sign_offs
            }
            continue
        stage, gaps, held = found.initiatives[row.initiative_id]
        assert stage == row.before, f"initiative {row.initiative_id} stands at {stage}, not {row.before}"
        gaps = Counter(gaps)
        gaps.update(rulebook.requirements[key].layer for key, _ in row.unmet)
        gaps.subtract(old.requirements[key].layer for key, _ in row.met)
        after = {layer: number for layer, number in gaps.items() if number}
        known = row.held or row.freed
        found.initiatives[row.initiative_id] = (row.after, after, None if known else held)
        if row.obligation:
            found.obligations[row.initiative_id] = (
                row.obligation,
                row.due,
                row.owner_id if row.obligation == "opened" else None,
            )
    return forecast, found


def stood() -> Outcome:
    """How things stand, from rows alone."""
    spans = SupportedStagePeriod.objects.covering(clock.now()).filter(initiative__withdrawn_at__isnull=True)
    return Outcome({row.initiative_id: (row.supported, dict(row.gaps), row.held) for row in spans})


def sign_offs() -> tuple[dict, dict]:
    """Whether each current approval counts, and whether each open review can be decided, as its page says."""
    counts, decidable = {}, {}
    for review in Review.objects.filter(outcome=ReviewOutcome.OPEN).select_related(
        "initiative__unit", "rulebook"
    ):
        with request_memo.afresh():
            snapshot = review_state.snapshot_of(review)
        decidable[review.pk] = snapshot.verdict.decidable
        for row, sign_off in zip(snapshot.sign_offs, snapshot.judged_sign_offs, strict=True):
            counts[row.pk] = sign_off.fresh
    return counts, decidable


def happened(source: str, admin, chair, *, grace_until=None) -> Outcome:
    """Publish it for real, read what came of it, move every open review, and take all of it back."""
    found = Outcome()
    before, decidable = sign_offs()
    obligations = Obligation.objects.filter(kind="step_back")
    known, open_obligations = (
        set(rows.values_list("pk", flat=True)) for rows in (obligations, obligations.open())
    )
    with transaction.atomic():
        rulebook = organisation_actions.load_rulebook(source=source, by=admin)
        organisation_actions.propose_publication(rulebook=rulebook, by=admin)
        publication.publish_rulebook(rulebook=rulebook, grace_until=grace_until, by=chair)
        found.initiatives = stood().initiatives
        for obligation in obligations.exclude(pk__in=known):
            found.obligations[obligation.initiative_id] = (
                "opened",
                obligation.due,
                obligation.responsible_id,
            )
        for obligation in obligations.filter(pk__in=open_obligations, completed_at__isnull=False):
            found.obligations[obligation.initiative_id] = ("completed", None, None)
        # Publishing alone leaves every open review as it was.
        assert sign_offs() == (before, decidable)
        found.decidable = decidable
        for review in Review.objects.filter(outcome=ReviewOutcome.OPEN):
            move(review, rulebook)
        after, _ = sign_offs()
        found.sign_offs = {key: (fresh, after[key]) for key, fresh in before.items()}
        transaction.set_rollback(True)
    from governance.models import rulebook as models_rulebook

    models_rulebook._published.cache_clear()  # the key comes again, with another text
    return found


def move(review: Review, rulebook: Rulebook) -> None:
    """Move it as its owner does; where nobody owns it, as an owner would."""
    owner = review.initiative.roles.in_force().filter(role="owner").select_related("person").first()
    if owner is not None:
        review_actions.rebase_review(review=review, by=owner.person)
    else:
        with acting(system="test", reason="Moved"):
            review.rulebook = rulebook
            review.save()


def differences(told: Outcome, came: Outcome) -> list[str]:
    """Where what was foretold is not what came, in words; empty when they agree on everything."""
    wrong = []
    for key in told.initiatives.keys() | came.initiatives.keys():
        one, other = told.initiatives.get(key), came.initiatives.get(key)
        if one is None or other is None or one[:2] != other[:2] or one[2] not in (None, other[2]):
            wrong.append(f"{_ref(key)}: foretold {one}, came {other}")
    for what, one, other in (
        ("obligation of initiative", told.obligations, came.obligations),
        ("sign-off", told.sign_offs, came.sign_offs),
        ("review", told.decidable, came.decidable),
    ):
        for key in one.keys() | other.keys():
            if one.get(key) != other.get(key):
                wrong.append(f"{what} {key}: foretold {one.get(key)}, came {other.get(key)}")
    return wrong


def _ref(key: int) -> str:
    return Initiative.objects.get(pk=key).ref
