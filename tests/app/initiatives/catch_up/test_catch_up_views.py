"""Pages of catch-up plans: of one initiative, over all of them, many at once."""

import csv
import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from governance import clock
from initiatives.catch_up import actions, queries, waves
from initiatives.models import CatchUpPlan, Initiative
from initiatives.registration import actions as registration_actions
from tests.app.initiatives.catch_up.test_catch_up_plans import plan_of
from tests.support import factories
from tests.support.cases.imported_portfolio import give_owner, make_portfolio

pytestmark = pytest.mark.django_db


def fields_of(page) -> dict:
    """What the form of a page would send as it stands."""
    form = page.context["form"]
    return {field.html_name: "" if field.value() is None else field.value() for field in form}


def test_the_owner_proposes_the_chair_sends_back_and_agrees(cast, as_):
    (case,) = make_portfolio(cast, titles=["Claims triage"])
    give_owner(cast, case, cast.owner)
    overview = as_(cast.owner).get(case.get_absolute_url()).content.decode()
    url = reverse("case-catch-up", args=[case.ref])
    assert url in overview
    page = as_(cast.owner).get(url).content.decode()
    assert "Nobody dated anything yet" in page
    propose = reverse("case-catch-up-propose", args=[case.ref])
    assert propose in page
    form = as_(cast.owner).get(propose)
    sent = fields_of(form)
    wrong = sent | {"day_1": (clock.today() - timedelta(days=1)).isoformat()}
    back = as_(cast.owner).post(propose, wrong)
    assert back.status_code == 422
    assert "lies ahead" in back.content.decode()
    assert as_(cast.owner).post(propose, sent).status_code == 302
    page = as_(cast.owner).get(url).content.decode()
    assert "dated, not agreed" in page
    assert "Answer the dates" not in page
    answer = reverse("case-catch-up-answer", args=[case.ref])
    assert as_(cast.owner).get(answer).status_code == 403
    assert answer in as_(cast.chair).get(url).content.decode()
    read = fields_of(as_(cast.chair).get(answer))
    silent = as_(cast.chair).post(answer, read | {"outcome": "back"})
    assert "what should change" in silent.content.decode()
    as_(cast.chair).post(answer, read | {"outcome": "back", "words": "Wave 1 a week sooner."})
    assert "Wave 1 a week sooner." in as_(cast.owner).get(propose).content.decode()
    sooner = (clock.today() + timedelta(days=23)).isoformat()
    again = fields_of(as_(cast.owner).get(propose)) | {"day_1": sooner, "reason": "As the board asked."}
    assert as_(cast.owner).post(propose, again).status_code == 302
    # What was read is agreed to, not what was proposed since.
    stale = as_(cast.chair).post(answer, read)
    assert stale.status_code == 409
    as_(cast.chair).post(answer, fields_of(as_(cast.chair).get(answer)))
    page = as_(cast.owner).get(url).content.decode()
    assert "agreed by the board" in page
    assert "Earlier versions (1)" in page
    assert "Wave 1 a week sooner." in page


def test_a_case_of_ones_own_has_nothing_to_plan(cast, as_):
    case = factories.make_case(cast)
    assert (
        "nothing to plan" in as_(cast.owner).get(reverse("case-catch-up", args=[case.ref])).content.decode()
    )
    assert as_(cast.owner).get(reverse("case-catch-up-propose", args=[case.ref])).status_code == 403
    assert as_(cast.chair).get(reverse("case-catch-up-answer", args=[case.ref])).status_code == 404
    assert as_(cast.owner).get(reverse("catch-ups")).status_code == 403
    assert as_(cast.outsider).get(reverse("catch-ups")).status_code == 403


def test_what_comes_first_is_the_higher_risk_and_the_page_says_why(cast, as_):
    cases = make_portfolio(cast, titles=["Alpha", "Beta", "Gamma"])
    give_owner(cast, cases[2], cast.owner)
    registration_actions.propose_tier(
        case=cases[2], tier="high", worst_credible_harm="Wrong care.", by=cast.owner
    )
    registration_actions.confirm_tier(case=cases[2], tier="high", by=cast.seat_risk)
    plan = plan_of(Initiative.objects.get(pk=cases[2].pk), cast.owner)
    page = as_(cast.chair).get(reverse("catch-ups"))
    rows = list(page.context["page"])
    assert [row.case.title for row in rows] == ["Gamma", "Alpha", "Beta"]
    assert rows[0].why == "high risk; use not recorded; claims Production, shown: nothing yet"
    assert page.context["total"].states == {"none": 2, "dated": 1, "sent back": 0, "agreed": 0}
    assert rows[0].now.plan == plan
    filtered = as_(cast.chair).get(reverse("catch-ups"), {"plan": "none"})
    assert [row.case.title for row in filtered.context["page"]] == ["Alpha", "Beta"]
    assert not as_(cast.chair).get(reverse("catch-ups"), {"late": "on"}).context["page"]
    units = as_(cast.chair).get(reverse("catch-ups"), {"view": "units"})
    assert [(one.name, one.initiatives) for one in units.context["page"]] == [("Fleet Ltd", 3)]


def test_a_wave_past_its_day_is_overdue_while_something_is_missing(cast, as_, time_machine):
    cases = make_portfolio(cast, titles=["Alpha", "Beta"])
    for case in cases:
        plan_of(case, cast.admin)
    actions.answer_plan(plan=queries.plans_of(cases)[cases[0].pk], agreed=True, by=cast.chair)
    time_machine.move_to(clock.now() + timedelta(days=31))
    total = as_(cast.chair).get(reverse("catch-ups")).context["total"]
    first = total.by_wave[0]
    assert (first["late"], first["late_agreed"], first["met"]) == (2, 1, 0)
    assert [wave["late"] for wave in total.by_wave[1:]] == [0, 0]
    assert len(as_(cast.chair).get(reverse("catch-ups"), {"late": "on"}).context["page"]) == 2
    page = as_(cast.chair).get(reverse("case-catch-up", args=[cases[0].ref])).content.decode()
    assert "overdue" in page


def test_many_plans_are_proposed_over_a_filter_and_agreed_to_by_ticks(cast, as_):
    cases = make_portfolio(cast, titles=[f"System {number}" for number in range(30)])
    give_owner(cast, cases[0], cast.owner)
    url = reverse("catch-ups-propose")
    page = as_(cast.admin).get(url)
    assert len(page.context["preview"].takes) == 29
    assert "Left out: 1 (the owner proposes the plan)." in page.content.decode()
    assert not CatchUpPlan.objects.exists()
    assert as_(cast.chair).get(url).status_code == 403
    sent = fields_of(page)
    back = as_(cast.admin).post(url, sent | {"day_2": (clock.today() - timedelta(days=3)).isoformat()})
    assert back.status_code == 422
    assert as_(cast.admin).post(url, sent).status_code == 302
    assert CatchUpPlan.objects.count() == 29
    assert len(as_(cast.owner).get(url).context["preview"].takes) == 1
    listed = as_(cast.chair).get(reverse("catch-ups"), {"plan": "dated"})
    ticked = [row.now.plan.pk for row in listed.context["page"]]
    assert len(ticked) == 29
    every = as_(cast.chair).get(reverse("catch-ups"), {"plan": "dated", "tick": "all"}).content.decode()
    assert every.count(" checked") == 29
    ticked = ticked[:20]
    assert "Agree to the ticked dates" in listed.content.decode()
    assert "Agree to the ticked dates" not in as_(cast.auditor).get(reverse("catch-ups")).content.decode()
    done = as_(cast.chair).post(
        reverse("catch-ups-agree"), {"plan": ticked, "query": "plan=dated"}, follow=True
    )
    assert "You agreed to the dates of 20 plans." in done.content.decode()
    assert done.context["total"].states["dated"] == 9
    nothing = as_(cast.chair).post(reverse("catch-ups-agree"), {}, follow=True)
    assert "Nothing is ticked" in nothing.content.decode()
    refused = as_(cast.auditor).post(reverse("catch-ups-agree"), {"plan": ticked[:1]}, follow=True)
    assert "Left out: 1 (answered already)." in refused.content.decode()


def test_the_file_holds_what_the_page_shows(cast, as_):
    cases = make_portfolio(cast, titles=["Alpha", "=Beta"])
    actions.answer_plan(plan=plan_of(cases[0], cast.admin), agreed=True, by=cast.chair)
    answer = as_(cast.auditor).get(reverse("catch-ups-export"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["Title"] for row in rows] == ["Alpha", "'=Beta"]
    assert rows[0]["Plan"] == "agreed"
    assert rows[0]["Agreed by"] == cast.chair.full_name
    assert rows[1]["Plan"] == "no plan yet"
    gaps = queries.gaps_of(cases)[cases[0].pk]
    opened = sum(int(rows[0][name]) for name in rows[0] if name.endswith("open"))
    assert opened == len(gaps) == int(rows[0]["Missing now"])


def test_the_overview_asks_as_much_for_many_as_for_few(cast, as_):
    client = as_(cast.auditor)

    def questions() -> int:
        client.get(reverse("catch-ups"))
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("catch-ups"))
        return len(asked)

    cases = make_portfolio(cast, titles=[f"System {number}" for number in range(3)])
    days = waves.default_days(clock.today())
    actions.propose_plans(cases=[case.pk for case in cases], days=days, by=cast.admin)
    few = questions()
    more = make_portfolio(cast, titles=[f"System {number}" for number in range(3, 40)])
    actions.propose_plans(cases=[case.pk for case in more], days=days, by=cast.admin)
    assert questions() <= few
