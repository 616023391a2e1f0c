"""The inbox: what waits for whom, why, by when; a first step where nothing waits."""

from datetime import date, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Entry, Rulebook
from governance.notifications import inbox as notification_inbox
from governance.organisation import actions as organisation_actions
from governance.vocabulary import ObligationKind
from initiatives.contracts.documents import actions as contract_actions
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import ChangeRecord, Condition, Review, SupportedStagePeriod
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.database import snapshots
from tests.support.rules.plain_rulebook import plain_text


def lines(person, verb=None):
    every = [one for line in notification_inbox.tasks_for(person) for one in (line, *line.parts)]
    return [line for line in every if verb in (None, line.verb)]


def said(person, verb=None) -> str:
    return " | ".join(f"{line.text}: {line.why} [{line.button}]" for line in lines(person, verb))


@pytest.fixture
@snapshots.kept
def prototype(cast):
    """An idea whose prototype gate is ready to be signed."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    return initiative


@pytest.fixture
@snapshots.kept
def review(cast, prototype) -> Review:
    return review_actions.open_review(initiative=prototype, by=cast.owner)


def test_a_seat_signs_then_the_chair_decides(cast, review):
    assert "The gate needs 1, including business value." in said(cast.seat_value, "sign")
    assert lines(cast.seat_value, "sign")[0].link == f"/reviews/{review.pk}/"
    assert lines(cast.seat_adoption, "sign") == []  # no criterion of this seat at the gate
    assert lines(cast.chair, "decide") == []
    initiative_acts.sign_offs(review, cast.team)
    assert lines(cast.seat_value, "sign") == []
    assert "All requirements of the gate are met" in said(cast.chair, "decide")
    assert lines(cast.deputy_chair, "decide") == []
    role_actions.propose_role(initiative=review.initiative, role="sponsor", person=cast.chair, by=cast.owner)
    assert lines(cast.chair, "decide") == []
    assert lines(cast.deputy_chair, "decide")


def test_who_signs_nothing_yet_reads_from_when_and_why(cast, review):
    seat = organisation_actions.appoint(
        board=cast.board, person=cast.outsider, seat="business_value", by=cast.admin
    )
    (line,) = lines(cast.outsider, "sign")
    assert (line.button, line.link) == ("Read the review", f"/reviews/{review.pk}/")
    assert "Your seat is in its first day. You can approve a higher stage from" in line.why
    assert "ask the chair or a second admin to confirm the seat" in line.why
    assert [line.button for line in lines(cast.seat_value, "sign")] == ["Review and sign"]
    with time_machine.travel(clock.now() + timedelta(hours=25), tick=False):
        assert [line.button for line in lines(cast.outsider, "sign")] == ["Review and sign"]
    organisation_actions.confirm_seat(membership=seat, by=cast.chair)
    assert [line.button for line in lines(cast.outsider, "sign")] == ["Review and sign"]


def test_a_contract_waits_for_a_new_seat_as_a_sign_off_does(cast, review):
    initiative = review.initiative
    initiative_acts.staff(initiative, cast.team)
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(initiative), clauses=initiative_acts.CLAUSES, by=cast.owner
    )
    contract_actions.propose_contract(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    seat = organisation_actions.appoint(
        board=cast.board, person=cast.outsider, seat="business_value", by=cast.admin
    )

    def line():
        (found,) = [one for one in lines(cast.outsider, "sign") if one.text.startswith("Contract of ")]
        return found

    assert (line().button, line().link) == ("Read the contract", f"/initiatives/{initiative.ref}/contract/")
    assert "has not signed the contract. Your seat is in its first day" in line().why
    organisation_actions.confirm_seat(membership=seat, by=cast.chair)
    assert (line().button, line().link) == (
        "Review and sign",
        f"/initiatives/{initiative.ref}/contract/approve/",
    )
    assert line().why.endswith("has not signed the contract.")


def test_a_stale_sign_off_comes_back_with_what_changed(cast, review):
    initiative_acts.sign_offs(review, cast.team)
    requirement_actions.answer(
        initiative=review.initiative,
        requirement="proto.question",
        kind="answered",
        text="Another requirement altogether.",
        true_as_of=clock.today(),
        by=cast.owner,
    )
    words = said(cast.seat_value, "sign")
    assert "went stale" in words
    assert "the answer changed" in words
    assert "See what changed" in words
    assert lines(cast.chair, "decide") == []


def test_nobody_is_asked_to_sign_a_initiative_of_their_own(cast, review):
    assert lines(cast.seat_value, "sign")
    role_actions.propose_role(
        initiative=review.initiative, role="sponsor", person=cast.seat_value, by=cast.owner
    )
    assert lines(cast.seat_value, "sign") == []
    assert "Sponsor" in said(cast.seat_value, "accept")


def test_questions_of_the_board_wait_for_the_owner(cast, review):
    review_actions.ask_question(
        review=review, criterion="prototype.honest", text="On which sample?", by=cast.seat_value
    )
    assert "On which sample?" in said(cast.owner, "answer")
    role = role_actions.propose_role(
        initiative=review.initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    role_actions.accept_role(assignment=role, by=cast.lead)
    assert "On which sample?" not in said(cast.lead, "answer"), "others may answer, and are not asked to"


def test_roles_to_accept(cast):
    initiative = factories.make_initiative(cast, owner=cast.lead)
    line = lines(cast.lead, "accept")[0]
    assert line.text == "Business owner"
    assert line.link == f"/rows/roles/{initiative.roles.get().pk}/accept/"
    assert line.since == clock.today()
    assert "Marta Lindqvist" in line.why


def test_open_questions_are_counted_per_initiative_and_role(cast):
    initiative = factories.make_initiative(cast)
    assert "7 open for the next gate, of which 7 yours." in said(cast.owner, "answer")
    assert lines(cast.lead) == []
    assignment = role_actions.propose_role(
        initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    role_actions.accept_role(assignment=assignment, by=cast.lead)
    assert "7 open for the next gate, of which 1 yours." in said(cast.lead, "answer")
    assert "7 open for the next gate, of which 6 yours." in said(cast.owner, "answer")


def test_ageing_evidence_is_named_with_its_day(cast):
    initiative = factories.make_prototype(cast)
    SupportedStagePeriod.objects.filter(initiative=initiative).update(next_expiry_on=None)
    assert lines(cast.owner, "refresh") == []
    soon = clock.today() + timedelta(days=31)
    SupportedStagePeriod.objects.filter(initiative=initiative).update(next_expiry_on=soon)
    line = lines(cast.owner, "refresh")[0]
    assert line.due == clock.today() + timedelta(days=30), "the last day on which it is current"
    assert "expires" in line.why
    SupportedStagePeriod.objects.filter(initiative=initiative).update(next_expiry_on=soon + timedelta(days=1))
    assert lines(cast.owner, "refresh") == []
    SupportedStagePeriod.objects.filter(initiative=initiative).update(
        open_requirements={"approved": {"owner": 2, "technical_lead": 1}}
    )
    assert "3 open for its approved stage, of which 2 yours." in said(cast.owner, "refresh")


@pytest.mark.parametrize(
    ("key", "kind", "person", "button", "place"),
    [
        ("adopt.usage", "telemetry", "owner", "Add a measurement", "/measures/"),
        ("mvp.possibility", "test_report", "lead", "Add newer evidence", "kind=test_report"),
    ],
)
def test_evidence_that_ends_waits_for_one_person(cast, key, kind, person, button, place):
    """A measurement for who declared the measure, a test for the technical lead; nobody else is asked for it."""
    initiative = factories.make_mvp(cast)
    if kind == "telemetry":
        factories.make_measure(cast, initiative)
    days = Rulebook.objects.current().parsed.requirements[key].days(initiative.tier)
    evidence_actions.add_evidence(
        initiative=initiative,
        kind=kind,
        title="What was found",
        observed_on=clock.today() - timedelta(days=days - 5),
        covers=[key],
        result="pass",
        condition="" if kind == "telemetry" else "full_population",
        link="https://example.org/found",
        by=cast.owner,
    )
    ends = clock.today() + timedelta(days=6)
    SupportedStagePeriod.objects.filter(initiative=initiative).update(next_expiry_on=ends)
    found = {
        name: [line for line in lines(getattr(cast, name), "refresh") if "expires" in line.why]
        for name in ("owner", "lead", "support")
    }
    assert {name: len(those) for name, those in found.items() if those} == {person: 1}
    (line,) = found[person]
    assert line.button == button
    assert place in line.link


def test_what_seats_do_apart_from_reviews(cast, prototype):
    detail_actions.propose_tier(
        initiative=prototype, tier="limited", worst_credible_harm="A wrong summary.", by=cast.owner
    )
    assert "Proposed: limited" in said(cast.seat_risk, "confirm")
    assert lines(cast.seat_value, "confirm") == []
    detail_actions.confirm_tier(initiative=prototype, tier="limited", by=cast.seat_risk)
    assert lines(cast.seat_risk, "confirm") == []

    requirement_actions.answer(
        initiative=prototype,
        requirement="proto.scope",
        kind="not_applicable",
        text="There is no sample at all.",
        by=cast.owner,
    )
    holders = {seat: said(person, "agree") for seat, person in cast.seats.items()}
    assert any(
        "answered “not applicable”. The answer counts after a seat has accepted it." in words
        for words in holders.values()
    )

    initiative_acts.staff(prototype, cast.team, roles=("record_owner",))
    contract_actions.save_contract(initiative=prototype, clauses=initiative_acts.CLAUSES, by=cast.owner)
    version = contract_actions.propose_contract(initiative=prototype, by=cast.owner)
    assert "Contract of" in said(cast.seat_risk, "sign")
    assert "Contract of" in said(cast.seat_value, "sign")
    assert "Contract of" not in said(cast.seat_security, "sign")
    contract_actions.approve_contract(
        version=version, seat="risk_compliance", digest=version.digest, by=cast.seat_risk
    )
    assert "Contract of" not in said(cast.seat_risk, "sign")

    until = clock.today() + timedelta(days=30)
    waiver = WAIVERS.ask(prototype, key="proto.assumptions", reason="Next week.", until=until, by=cast.owner)
    assert "Waiver for" in said(cast.chair, "agree")
    assert "Waiver for" in said(cast.seat_risk, "agree")
    assert "Waiver for" not in said(cast.seat_value, "agree")
    WAIVERS.agree(row=waiver, by=cast.seat_risk)
    assert "Waiver for" not in said(cast.seat_risk, "agree")

    hold_deeds.hold(initiative=prototype, reason="Something smells.", by=cast.seat_security)
    assert "Something smells." in said(cast.chair, "decide")
    assert "Something smells." not in said(cast.deputy_chair)


def test_conditions_and_obligations_are_on_the_inbox_of_whoever_must_give_them(cast, review):
    initiative = review.initiative
    yesterday = clock.today() - timedelta(days=1)
    with unguarded("initiatives_condition"), acting(system="test", reason="obligations"):
        Condition(
            review=review, text="Tell the union", owner=cast.lead, due=yesterday, proposed_by=cast.seat_value
        ).save()
        hold_actions.open_obligation(
            initiative,
            "criterion",
            source="x",
            text="Hand over the logs",
            due=clock.today(),
            responsible=cast.lead,
        )
        ChangeRecord(
            initiative=initiative,
            layer="model",
            what="Model swapped",
            effective_at=clock.now(),
            recorded_at=clock.now(),
        ).save()
    condition = lines(cast.lead, "meet")[0]
    assert (condition.text, condition.late) == ("Tell the union", True)
    assert "Hand over the logs" in said(cast.lead, "complete")
    assert "Model swapped" in said(cast.owner, "complete")


def test_a_chair_publishes_a_rulebook_that_was_proposed(cast):
    draft = organisation_actions.load_rulebook(source=plain_text().replace("0.9", "1.0"), by=cast.admin)
    assert lines(cast.chair) == []
    organisation_actions.propose_publication(rulebook=draft, by=cast.admin)
    assert "Rulebook 1.0" in said(cast.chair, "decide")
    assert lines(cast.deputy_chair) == []


def test_the_page_says_how_much_waits_and_where_to_do_it(cast, as_, review):
    SupportedStagePeriod.objects.filter(initiative=review.initiative).update(
        next_expiry_on=clock.today() + timedelta(days=20)
    )
    text = as_(cast.seat_value).get("/").content.decode()
    assert "One task for you" in text
    assert f'href="/reviews/{review.pk}/"' in text
    assert "Review and sign" in text
    assert "Customer summary assistant" in text
    assert "%" not in text.split("<main")[1].split("</main>")[0]
    assert "<svg" in text.split("<main")[1]  # evidence ages within 90 days
    stranger = as_(cast.outsider).get("/").content.decode()
    assert review.initiative.ref not in stranger


@pytest.mark.parametrize(
    ("who", "first"),
    [
        ("outsider", "Register an initiative"),
        ("owner", "Register an initiative"),
        ("seat_risk", "Read the rulebook"),
        ("chair", "Read the rulebook"),
        ("auditor", "Open an initiative as it was on an earlier day"),
    ],
)
def test_whoever_has_nothing_to_do_is_shown_one_first_step(cast, as_, who, first):
    response = as_(getattr(cast, who)).get("/")
    text = response.content.decode()
    assert "You have no tasks" in text
    assert response.context["steps"][0].text == first
    assert f"<h2>{first}</h2>" in text
    for step in response.context["steps"]:
        assert as_(getattr(cast, who)).get(step.link).status_code == 200, step.link


def steps_of(client) -> dict[str, tuple[str, bool]]:
    return {step.key: (step.state, step.done) for step in client.get("/").context["setup"]}


def test_the_first_admin_is_led_from_the_units_to_the_first_initiative(db, as_):
    admin = factories.make_person("root", is_admin=True)
    client = as_(admin)
    page = client.get("/")
    assert page.context["setup_next"].key == "units"
    assert "Set up Plumbline" in page.content.decode()
    assert steps_of(client) == {
        "units": ("no units", False),
        "people": ("1 account", False),
        "board": ("no boards", False),
        "seats": ("7 seats missing", False),
        "rulebook": ("no rulebook is loaded", False),
        "initiative": ("no initiatives", False),
    }
    for step in page.context["setup"]:
        assert not step.link or client.get(step.link).status_code == 200, step.link
    assert page.context["setup"][-1].whose == "waiting for the rulebook"


def test_each_step_says_how_far_it_is_and_all_go_when_all_are_done(cast, as_):
    client = as_(cast.admin)
    assert steps_of(client)["seats"] == ("all seats are filled", True)
    leaving.revoke_membership(
        membership=cast.board.memberships.get(seat="risk_compliance"), reason="Left", by=cast.admin
    )
    assert steps_of(client)["seats"] == ("1 seat missing", False)
    assert client.get("/").context["setup_next"].key == "seats"
    organisation_actions.appoint(board=cast.board, person=cast.sponsor, seat="risk_compliance", by=cast.admin)
    assert client.get("/").context["setup_next"].key == "initiative"
    assert as_(cast.owner).get("/").context["setup"] == []
    factories.make_initiative(cast)
    page = client.get("/")
    assert page.context["setup"] == []
    assert page.context["steps"][0].text == "See the accounts"


def test_a_rulebook_that_waits_for_its_chair_is_said_to(cast, as_):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come is not altered
        cursor.execute("ALTER TABLE governance_rulebook DISABLE TRIGGER USER")
        cursor.execute("UPDATE governance_rulebook SET published_at = NULL, chair_id = NULL, admin_id = NULL")
        cursor.execute("ALTER TABLE governance_rulebook ENABLE TRIGGER USER; SET CONSTRAINTS ALL DEFERRED")
    client = as_(cast.admin)
    assert steps_of(client)["rulebook"] == ("0.9 is loaded, but no one has proposed it", False)
    client.post("/rulebook/0.9/propose/")
    step = next(step for step in client.get("/").context["setup"] if step.key == "rulebook")
    assert (step.state, step.whose) == ("0.9 is proposed", "waiting for a chair to publish it")
    assert "Rulebook 0.9" in said(cast.chair, "decide")


def test_the_count_in_the_frame_is_right_after_every_act(cast, as_):
    client = as_(cast.lead)
    assert notification_inbox.count_for(cast.lead) == 0
    initiative = factories.make_initiative(cast, owner=cast.lead)
    assert notification_inbox.count_for(cast.lead) == 1
    assert ">1<span" in client.get("/help/").content.decode()
    role_actions.decline_role(assignment=initiative.roles.get(), by=cast.lead)
    assert notification_inbox.count_for(cast.lead) == 0


def test_only_an_act_that_may_change_a_count_has_it_counted_again(cast, monkeypatch):
    counted, count = [], notification_inbox.tasks_for
    monkeypatch.setattr(
        notification_inbox, "tasks_for", lambda person: counted.append(person) or count(person)
    )

    def says(person, number, *, anew: bool) -> None:
        before = len(counted)
        assert notification_inbox.count_for(person) == number
        assert (len(counted) > before) == anew

    def answer(initiative) -> None:
        requirement_actions.answer(
            initiative=initiative,
            requirement="proto.question",
            kind="answered",
            text=f"Which, the {len(counted)}th time?",
            true_as_of=clock.today(),
            by=cast.owner,
        )

    initiative = factories.make_initiative(cast)
    says(cast.lead, 0, anew=True)
    answer(initiative)
    says(cast.lead, 0, anew=False)  # somebody else's initiative
    assignment = role_actions.propose_role(
        initiative=initiative, role="technical_lead", person=cast.lead, by=cast.owner
    )
    says(cast.lead, 1, anew=True)
    role_actions.accept_role(assignment=assignment, by=cast.lead)
    says(cast.lead, 1, anew=True)  # a requirement of theirs
    answer(initiative)
    says(cast.lead, 1, anew=True)  # their own initiative now
    says(cast.seat_value, 0, anew=True)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    says(cast.seat_value, 0, anew=True)
    review_actions.open_review(initiative=initiative, by=cast.owner)
    says(cast.seat_value, 1, anew=True)  # before their board
    says(cast.seat_value, 1, anew=False)


def test_a_inbox_takes_the_same_queries_however_much_is_on_it(cast, as_):
    def count(person):
        client = as_(person)
        client.get("/")
        with CaptureQueriesContext(connection) as queries:
            notification_inbox.tasks_for(person)
        return len(queries)

    def one(number):
        initiative = factories.make_initiative(cast, title=f"Initiative {number}")
        initiative_acts.parts(initiative, cast.team)
        initiative_acts.ground_gate(initiative, "prototype", cast.team)
        detail_actions.propose_tier(
            initiative=initiative, tier="limited", worst_credible_harm="None.", by=cast.owner
        )
        review_actions.open_review(initiative=initiative, by=cast.owner)

    busy = (cast.owner, cast.seat_value, cast.seat_risk, cast.chair)
    one(0)
    few = [count(person) for person in busy]
    for number in range(1, 3):
        one(number)
    many = [count(person) for person in busy]
    assert many == few
    *others, chair = many
    # Seven for incidents and reports, one each for open reviews near them, for counts of evidence that differ, for
    # surveys that are over, and for what is snoozed.
    assert max(others) <= 15, many
    assert chair <= 13, "whoever chairs is asked for new seats too"
    assert len(lines(cast.seat_value)) >= 3
    assert Entry.objects.acts().filter(kind="refused").count() == 0


def test_measures_that_age_are_read_together_for_all_initiatives(cast):
    def count() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            tasks = notification_inbox.all_tasks(cast.owner)
        assert [task.verb for task in tasks].count("refresh") == len(made)
        return len(asked)

    made = []
    counted = []
    for title in ("One", "Two", "Three"):
        made.append(factories.make_production(cast, title=title))
        counted.append(count())
    assert counted[1] == counted[2], counted


# By when it is due, and snoozed


def inbox(client, **query) -> BeautifulSoup:
    return BeautifulSoup(client.get("/", query).content, "html.parser")


def headings(page: BeautifulSoup) -> list[str]:
    return [" ".join(one.get_text().split()) for one in page.select("main details>summary h3")]


def test_what_waits_is_grouped_by_its_day_and_one_act_is_the_first(cast, as_):
    initiative = factories.make_initiative(cast)
    with acting(system="test"):
        for days, text in ((-3, "Overdue"), (2, "Soon"), (20, "In this month"), (80, "In spring")):
            hold_actions.open_obligation(
                initiative,
                ObligationKind.CRITERION,
                source=f"test:{days}",
                text=text,
                due=clock.today() + timedelta(days=days),
                responsible=cast.lead,
            )
    page = inbox(as_(cast.lead))
    assert headings(page) == ["Overdue (1)", "Now (1)", "This month (1)", "Later (1)"]
    assert len(page.select("main .todo .btn.go")) == 1, "one primary act"
    assert page.select("main .todo .btn.go")[0].find_parent("section").h3.get_text().strip() == "Overdue (1)"
    assert not page.select("main details")[-1].has_attr("open")


def test_what_others_wait_for_is_for_now_however_late_its_review_ends(cast, as_, review):
    """The seat's signature and the owner's answer, months before the review ends, and nothing of it is folded."""
    assert (review.expires_at.date() - clock.today()).days > 60
    (waits,) = (line for line in notification_inbox.all_tasks(cast.seat_value) if line.verb == "sign")
    assert (waits.due - clock.today()).days > 60
    assert headings(inbox(as_(cast.seat_value))) == ["Now (1)"]
    review_actions.ask_question(
        review=review, criterion="prototype.honest", text="On which sample?", by=cast.seat_value
    )
    now = inbox(as_(cast.owner)).select_one("main details")
    assert now.h3.get_text().strip().startswith("Now")
    assert "On which sample?" in now.get_text()


def test_what_is_anothers_to_do_comes_last_and_waits_for_nobody_else(cast, as_, review):
    """A hold near a seat: the chair lifts it, the owner fixes it, the seat is told under what it has to sign."""
    held = factories.make_mvp(cast, title="Held")
    hold_deeds.hold(initiative=held, reason="Something smells.", by=cast.chair)
    page = inbox(as_(cast.seat_value))
    assert headings(page) == ["Now (1)"]
    assert page.h1.get_text().strip() == "One task for you"
    assert notification_inbox.count_for(cast.seat_value) == 1
    assert "Held is held" in page.select_one("#to-know").get_text()
    known = inbox(as_(cast.owner)).select_one("#to-know")
    assert known is None or "Held is held" not in known.get_text(), "the owner's own"


def test_a_line_is_snoozed_until_a_day_and_comes_back(cast, as_):
    initiative = factories.make_initiative(cast)
    with acting(system="test"):
        obligation = hold_actions.open_obligation(
            initiative,
            ObligationKind.CRITERION,
            source="test:1",
            text="Write it down",
            due=clock.today() + timedelta(days=20),
            responsible=cast.lead,
        )
    (line,) = lines(cast.lead)
    client, counted = as_(cast.lead), notification_inbox.count_for(cast.lead)

    def send(until, key=line.key) -> str:
        sent = {"task": key, "until": until.isoformat() if until else ""}
        return client.post("/snooze/", sent, follow=True).content.decode()

    late = send(obligation.due + timedelta(days=1))
    assert "Choose that day or an earlier one" in late, "never past its due day"
    assert "Choose a day after today." in send(clock.today())
    assert "is no longer in your inbox" in send(clock.today() + timedelta(days=1), key="complete /nowhere/")
    assert lines(cast.lead) == [line]
    until = clock.today() + timedelta(days=5)
    shown = send(until)
    assert "Snoozed (1)" in shown
    assert lines(cast.lead) == []
    assert notification_inbox.count_for(cast.lead) == counted - 1
    assert as_(cast.owner).post("/snooze/", {"task": line.key, "until": ""}, follow=True).status_code == 200
    assert lines(cast.lead) == [], "nobody else brings it back"
    with time_machine.travel(clock.now() + timedelta(days=5), tick=False):
        assert lines(cast.lead) == [line], "its day has come"
    cast.lead.snoozed_tasks.update(until=obligation.due + timedelta(days=9))
    with time_machine.travel(clock.now() + timedelta(days=20), tick=False):
        assert lines(cast.lead) == [line], "its due day has come, whatever a row says"
    send(None)
    assert lines(cast.lead) == [line]
    cast.lead.snoozed_tasks.create(task="complete /gone/", until=clock.today())
    send(until)
    assert cast.lead.snoozed_tasks.count() == 1, "what is over goes"


def test_holds_are_never_snoozed_and_what_fell_due_comes_back(cast, as_):
    initiative = factories.make_prototype(cast)
    hold_deeds.hold(initiative=initiative, reason="Wrong answers were sent to customers.", by=cast.chair)
    found = {
        person: next(line for line in lines(person) if line.is_hold) for person in (cast.chair, cast.owner)
    }
    assert [line.verb for line in found.values()] == ["decide", "see"], (
        "the chair's to lift, the owner's to know"
    )
    for person, line in found.items():
        with pytest.raises(ValidationError, match="cannot snooze this task"):
            notification_inbox.snooze(person, line.key, date(2999, 1, 1))
        person.snoozed_tasks.create(task=line.key, until=date(2999, 1, 1))
        assert line in lines(person), "whatever a row says"
    due = notification_inbox.InboxTask(
        "complete",
        "Due",
        "/there/",
        "Resolve",
        due=clock.today() + timedelta(days=2),
        since=clock.today(),
    )
    assert due.may_snooze
    with time_machine.travel(clock.now() + timedelta(days=2), tick=False):
        assert not due.may_snooze, "a day that was brought forward ends the snooze"
