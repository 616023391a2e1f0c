"""Catch-up plans: proposed, changed, agreed to; and that nothing of it moves what an initiative claims or supports."""

import json
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from governance import clock
from governance.database.row_history import acting
from governance.gates import sign_off_statement
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.catch_up import actions, queries, waves
from initiatives.checklist import actions as checklist_actions
from initiatives.facts import supported_stage
from initiatives.imports.inventories import actions as inventory_actions
from initiatives.models import CatchUpPlan, Initiative, PastStanding
from initiatives.registration import actions as registration_actions
from tests.acceptance.input.test_inventories import text_upload
from tests.support import factories
from tests.support.cases.imported_portfolio import give_owner, make_portfolio

pytestmark = pytest.mark.django_db
UNTOUCHED = (
    "initiatives_initiative",
    "initiatives_historicalinitiative",
    "initiatives_standing",
    "initiatives_span",
    "initiatives_paststanding",
    "initiatives_stagechange",
    "initiatives_hold",
    "initiatives_gap",
    "initiatives_obligation",
    "initiatives_shortcoming",
    "initiatives_measurement",
    "initiatives_review",
    "initiatives_signoff",
    "initiatives_answer",
    "initiatives_evidence",
    "initiatives_waiver",
    "initiatives_condition",
)


def plan_of(case, by, **changes):
    """The default plan of a case, as its page proposes it."""
    (now,) = queries.progress_of([case])
    book = supported_stage.judged(case).rulebook.book
    days = changes.pop("days", waves.default_days(clock.today()))
    keys = changes.pop("keys", waves.proposed(book, now.gaps, case.tier))
    return actions.propose_plan(case=case, days=days, keys=keys, by=by, **changes)


def as_it_stands(cases) -> bytes:
    """Everything that is claimed, supported, lacking and decided of these cases: rows, facts and gaps, as bytes."""
    rows = {}
    with connection.cursor() as cursor:
        for table in UNTOUCHED:
            cursor.execute(f"SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM {table} t")
            rows[table] = cursor.fetchone()[0]
    judged = {case.pk: supported_stage.judged(Initiative.objects.get(pk=case.pk)) for case in cases}
    facts = {pk: repr(one.facts) for pk, one in judged.items()}
    support = {pk: repr((one.support, one.states)) for pk, one in judged.items()}
    gaps = {pk: list(found) for pk, found in queries.gaps_of(cases).items()}
    return json.dumps([rows, facts, support, gaps], sort_keys=True, default=str).encode()


def test_a_plan_moves_nothing_that_is_claimed_supported_or_decided(cast, as_):
    cases = make_portfolio(cast)
    give_owner(cast, cases[0], cast.owner)
    pages = [f"{case.get_absolute_url()}" for case in cases]
    badges = [
        as_(cast.auditor).get("/cases/?view=table").content,
        *(as_(cast.auditor).get(p).content for p in pages),
    ]
    before, said = as_it_stands(cases), PastStanding.objects.count()
    with transaction.atomic():
        plan = plan_of(cases[0], cast.owner)
        actions.propose_plans(
            cases=[case.pk for case in cases], days=waves.default_days(clock.today()), by=cast.admin
        )
        actions.answer_plan(plan=plan, agreed=False, words="A month later, please.", by=cast.chair)
        later = {
            number: day + timedelta(days=30) for number, day in waves.default_days(clock.today()).items()
        }
        plan_of(cases[0], cast.owner, days=later, reason="The board asked for a month more.")
        newest = CatchUpPlan.objects.current()
        actions.agree_plans(plans=newest.values_list("pk", flat=True), by=cast.chair)
    assert {queries.state_of(one) for one in queries.plans_of(cases).values()} == {"agreed"}
    assert as_it_stands(cases) == before
    assert PastStanding.objects.count() == said
    after = [
        as_(cast.auditor).get("/cases/?view=table").content,
        *(as_(cast.auditor).get(p).content for p in pages),
    ]
    assert list(map(_badges, after)) == list(map(_badges, badges))


def _badges(page: bytes) -> list[str]:
    """What a page says of stages, support and gaps: its badges, and how many things are missing."""
    text = page.decode()
    found = re.findall(r'<(?:span|b) class="(?:tag|badge|stage)[^"]*"[^>]*>[^<]*', text)
    found += re.findall(r"\d+ things? (?:is|are) missing", text)
    assert found
    return found


def test_the_owner_proposes_and_an_admin_only_while_there_is_none(cast):
    case, other = make_portfolio(cast)
    for person in (cast.owner, cast.chair, cast.auditor):
        with pytest.raises(Refused):
            plan_of(case, person)
    first = plan_of(other, cast.admin)
    assert (first.number, first.reason) == (1, "")
    give_owner(cast, case, cast.owner)
    with pytest.raises(Refused, match="Ask Marta Lindqvist"):
        plan_of(case, cast.admin)
    plan = plan_of(case, cast.owner)
    (now,) = queries.progress_of([case])
    assert now.plan == plan
    assert (now.state, now.met, now.outside) == ("dated", 0, [])
    assert now.planned == len(now.gaps) > 20
    entry = Entry.objects.filter(case_ref=case.ref).latest("pk")
    assert entry.kind == "catch-up plan proposed"
    assert sum(map(len, entry.facts["facts"]["requirements"].values())) == now.planned


def test_a_case_whose_stage_was_decided_here_has_no_such_plan(cast):
    with pytest.raises(Refused, match="import claims"):
        plan_of(factories.make_case(cast), cast.owner)


def test_every_gap_is_in_one_wave_and_every_wave_has_its_day(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"], status="Pilot")
    (now,) = queries.progress_of([case])
    days, today = waves.default_days(clock.today()), clock.today()
    with pytest.raises(ValidationError, match="stand in no wave"):
        plan_of(case, cast.admin, keys={1: now.gaps[1:]})
    with pytest.raises(ValidationError, match="changed meanwhile"):
        plan_of(case, cast.admin, keys={1: now.gaps, 2: now.gaps[:1]})
    with pytest.raises(ValidationError, match="changed meanwhile"):
        plan_of(case, cast.admin, keys={1: [*now.gaps, "adopt.trust"]})
    with pytest.raises(ValidationError) as wrong:
        plan_of(case, cast.admin, days={1: today - timedelta(days=1), 2: None, 3: today})
    assert set(wrong.value.message_dict) == {"day_1", "day_2"}
    assert not CatchUpPlan.objects.exists()
    assert plan_of(case, cast.admin, keys={2: now.gaps}, days=days).waves.get().number == 2


def test_a_changed_plan_is_a_new_version_with_its_reason_and_the_old_one_is_kept(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    first = plan_of(case, cast.admin)
    actions.answer_plan(plan=first, agreed=True, by=cast.chair)
    with pytest.raises(ValidationError, match="Nothing is changed"):
        plan_of(case, cast.admin, reason="Only to try.")
    later = {number: day + timedelta(days=9) for number, day in waves.default_days(clock.today()).items()}
    with pytest.raises(ValidationError, match="Say why"):
        plan_of(case, cast.admin, days=later)
    second = plan_of(case, cast.admin, days=later, reason="The vendor is late.")
    assert (second.number, second.reason) == (2, "The vendor is late.")
    (now,) = queries.progress_of([case])
    # What was agreed was the earlier version: the new one is dated and not agreed.
    assert (now.plan, now.state) == (second, "dated")
    assert queries.state_of(first) == "agreed"
    with pytest.raises(Conflict, match="newer version"):
        actions.answer_plan(plan=first, agreed=True, by=cast.chair)
    for row in (first, first.waves.first(), first.answer):
        with pytest.raises(DatabaseError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(plan_id=second.pk) if row is not first else type(
                row
            ).objects.filter(pk=row.pk).update(reason="Another.")


def test_the_chair_answers_once_and_not_on_their_own_proposal(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    plan = plan_of(case, cast.admin)
    for person in (cast.admin, cast.auditor, cast.deputy_chair):
        with pytest.raises(Refused):
            actions.answer_plan(plan=plan, agreed=True, by=person)
    with pytest.raises(ValidationError, match="what should change"):
        actions.answer_plan(plan=plan, agreed=False, by=cast.chair)
    actions.answer_plan(plan=plan, agreed=False, words="Too late for wave 1.", by=cast.chair)
    with pytest.raises(Conflict, match="answered already"):
        actions.answer_plan(plan=plan, agreed=True, by=cast.chair)
    give_owner(cast, case, cast.owner)
    later = {number: day + timedelta(days=1) for number, day in waves.default_days(clock.today()).items()}
    mine = plan_of(case, cast.owner, days=later, reason="As the board asked.")
    assert queries.state_of(queries.plans_of([case])[case.pk]) == "dated"
    actions.answer_plan(plan=mine, agreed=True, by=cast.chair)
    kinds = list(
        Entry.objects.filter(case_ref=case.ref, kind__startswith="catch-up").values_list("kind", flat=True)
    )
    assert sorted(kinds) == sorted(
        f"catch-up plan {word}" for word in ("proposed", "sent back", "changed", "agreed")
    )


def test_a_chair_who_is_an_admin_does_not_agree_to_their_own_proposal(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    with acting(system="test", reason="A small company"):
        cast.chair.is_admin = True
        cast.chair.save()
    plan = plan_of(case, cast.chair)
    with pytest.raises(Refused, match="somebody else agrees"):
        actions.answer_plan(plan=plan, agreed=True, by=cast.chair)
    assert actions.agree_plans(plans=[plan.pk], by=cast.chair).left == {"not yours to agree to": 1}
    later = {number: day + timedelta(days=1) for number, day in waves.default_days(clock.today()).items()}
    other = plan_of(case, cast.admin, days=later, reason="Proposed by the other admin.")
    assert actions.answer_plan(plan=other, agreed=True, by=cast.chair).agreed


def test_progress_follows_what_is_met(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    give_owner(cast, case, cast.owner)
    plan_of(case, cast.owner)
    (before,) = queries.progress_of([case])
    checklist_actions.answer(
        case=case,
        requirement="proto.question",
        kind="answered",
        text="Can letters be sorted by topic?",
        true_as_of=clock.today(),
        by=cast.owner,
    )
    (now,) = queries.progress_of([Initiative.objects.get(pk=case.pk)])
    assert queries.progress_of([now.case], shown=True)[0].gaps == now.gaps
    assert now.met == before.met + 1
    assert "proto.question" not in now.waves[0].open
    assert now.planned == before.planned
    # What was met stays in its wave when the plan is changed.
    keys = {wave.number: wave.keys for wave in now.waves}
    later = {number: day + timedelta(days=9) for number, day in waves.default_days(clock.today()).items()}
    plan_of(case, cast.owner, keys=keys, days=later, reason="The vendor is late.")
    (again,) = queries.progress_of([Initiative.objects.get(pk=case.pk)])
    assert (again.met, again.planned) == (now.met, now.planned)


def test_many_are_proposed_and_agreed_at_once_and_what_is_left_out_is_counted(cast):
    cases = make_portfolio(cast, titles=[f"System {number}" for number in range(60)])
    give_owner(cast, cases[0], cast.owner)
    plan_of(cases[1], cast.admin)
    days, keys = waves.default_days(clock.today()), [case.pk for case in cases]
    done = actions.propose_plans(cases=keys, days=days, by=cast.admin)
    assert (done.done, done.left) == (58, {"the owner proposes the plan": 1, "a plan stands already": 1})
    assert actions.propose_plans(cases=keys[:1], days=days, by=cast.owner).done == 1
    found = queries.plans_of(cases)
    assert len(found) == 60
    actions.answer_plan(plan=found[keys[2]], agreed=False, words="Sooner.", by=cast.chair)
    read = [plan.pk for plan in found.values()]
    assert actions.agree_plans(plans=read, by=cast.auditor).left == {
        "not yours to agree to": 59,
        "answered already": 1,
    }
    done = actions.agree_plans(plans=read, by=cast.chair)
    assert (done.done, done.left) == (59, {"answered already": 1})
    assert Entry.objects.filter(kind="catch-up plan agreed").count() == 59


def test_a_plan_changed_since_it_was_read_is_not_agreed_to(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    read = plan_of(case, cast.admin)
    later = {number: day + timedelta(days=9) for number, day in waves.default_days(clock.today()).items()}
    plan_of(case, cast.admin, days=later, reason="The vendor is late.")
    assert actions.agree_plans(plans=[read.pk], by=cast.chair).left == {"changed since you read it": 1}


def test_the_facts_that_seats_sign_say_nothing_of_a_plan(cast):
    (case,) = make_portfolio(cast, titles=["Claims triage"], status="Prototype")

    at = clock.now()

    def digests():
        judged = supported_stage.judged(Initiative.objects.get(pk=case.pk))
        book = judged.rulebook.book
        return {
            seat: repr(sign_off_statement.seat_facts(judged.facts, book, "mvp", seat, at, judged.states))
            for seat in book.gates["mvp"].seats
        }

    before = digests()
    actions.answer_plan(plan=plan_of(case, cast.admin), agreed=True, by=cast.chair)
    assert digests() == before


@pytest.mark.parametrize("status", ["Prototype", "Pilot", "In production"])
@pytest.mark.parametrize("tier", ["", "minimal", "limited", "high"])
def test_what_can_be_missing_at_the_most_is_what_an_untouched_import_lacks(cast, status, tier, monkeypatch):
    (case,) = make_portfolio(cast, titles=["Claims triage"], status=status)
    if tier:
        give_owner(cast, case, cast.owner)
        registration_actions.propose_tier(
            case=case, tier=tier, worst_credible_harm="Late letters.", by=cast.owner
        )
        registration_actions.confirm_tier(case=case, tier=tier, by=cast.seat_risk)
    case = Initiative.objects.get(pk=case.pk)
    judged = supported_stage.judged(case)
    most = queries.most_gaps(judged.rulebook.book, case.tier, case.stage)
    lacking = queries.gaps_of([case])[case.pk]
    assert set(lacking) <= set(most.keys)
    assert queries.gaps_shown([case])[case.pk] == lacking
    if not tier:
        assert most.keys == lacking
        # Nothing is judged for it: the standing says already that all is missing.
        monkeypatch.setattr(queries, "gaps_of", lambda cases: pytest.fail("judged") if cases else {})
        assert queries.gaps_shown([case])[case.pk] == lacking


def test_what_lists_of_others_name_has_no_plan(cast, as_):
    batch = text_upload(cast.admin, "Name;Organisation;Status\nTheirs;Fleet Ltd;Pilot\n", source="fleet-2026")
    inventory_actions.confirm_batch(batch=batch, by=cast.admin)
    theirs = Initiative.objects.get(title="Theirs")
    assert theirs not in queries.catching_up(cast.admin)
    with pytest.raises(Refused, match="list of others"):
        plan_of(theirs, cast.admin)
    page = as_(cast.admin).get("/catch-up/").content.decode()
    assert theirs.ref not in page
