"""Every URL by every member of the cast: who opens what. A URL that is not in the table fails.

Strangers cannot tell a case they may not see from one that does not exist: 404, whether they read or send.
"""

import re
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from adoption.actions import clocks, incidents, problems
from adoption.actions.attachments import attach
from adoption.actions.meetings import add_point, place_point
from adoption.actions.meetings import plan as plan_meeting
from adoption.actions.postmortems import start
from adoption.actions.signals import report_signal
from adoption.demo import life
from adoption.models import PulseComment, ReportingDuty, SectionComment
from governance import actions as people
from governance import clock, samples, seals
from governance.audit import Search
from governance.history import acting
from governance.models import Entry, KeyAttempt, Rulebook
from governance.rulebook import load_default
from governance.told import Place
from initiatives import actions
from initiatives.actions.absences import Asked
from initiatives.actions.changes import record_component
from initiatives.actions.holds import owe
from initiatives.models import ChangeRecord, Condition, ImportRow, Profile, Review
from tests import factories
from tests.access import BOARD, CAST, INSIDE, STRANGERS, TABLE, WATCHERS
from tests.adoption import pulsing
from tests.initiatives.asking import System, logged
from tests.policy import trouble_with

pytestmark = pytest.mark.django_db

REFUSED_IN_TURN = 6  # of those who may not see a page one in so many is asked, in the suite
# Files of evidence have a policy of their own, stricter still: tests/test_hostile_files.py.
BODIES = ("evidence-file", "evidence-content", "attachment-file")


def urls(patterns=None):
    """Every named URL of the project except Django's own admin."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from urls(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield pattern.name


@pytest.fixture
def world(cast):
    """One case with one of everything, so that every address leads somewhere."""
    case = factories.make_mvp(cast)
    item = case.evidence.filter(kind="document").first()
    proposed = actions.propose_role(case=case, role="sponsor", person=cast.second_admin, by=cast.owner)
    review = actions.open_review(case=life.fresh(case), by=cast.owner)
    criterion = "production.behaviour"
    vote = life.vote(
        review, "adoption_change", cast.seat_adoption, "object", reason="No.", criteria=(criterion,)
    )
    question = actions.ask_question(review=review, criterion=criterion, text="Who?", by=cast.seat_adoption)
    hold = actions.hold(case=case, reason="Wait.", by=cast.seat_security)
    record_component(case=case, layer="application", name="Assistant", version="2.0", by=cast.owner)
    control = actions.map_clause(
        case=case,
        clause=case.contract.in_force_at(clock.now()).clauses.first(),
        layer="policy",
        control="What is not allowed is denied.",
        evidence=item,
        by=cast.lead,
    )
    decision = actions.record_architecture_decision(
        case=case, title="One queue", text="Fewer parts.", decided_on=clock.today(), by=cast.lead
    )
    dependant = actions.add_dependant(
        case=case,
        who="Sales",
        for_what="Calls",
        bearable_outage_hours=4,
        executive=cast.second_admin,
        by=cast.owner,
    )
    today = clock.today()
    event = actions.record_event(case=case, kind="demo", happened_on=today, words="Shown.", by=cast.lead)
    money = actions.record_funding(
        case=case, decided_on=today, decided_by="Steering", basis="The demo", by=cast.owner
    )
    seen = actions.observe(case=case, layer="model", observed_on=today, words="Slow.", by=cast.steward)
    effort = actions.note_effort(case=case, layer="integration", week=today, hours=2, by=cast.lead)
    drill = factories.make_drill(cast, case)
    process = factories.make_process(cast, case)
    sampled = factories.make_trace_sample(cast, case)
    tomorrow = clock.today() + timedelta(days=1)
    waiver = actions.request_waiver(
        case=case, key="production.mvp_proof", reason="Later.", until=tomorrow, by=cast.owner
    )
    gap = actions.open_gap(
        case=case, text="Two lists.", owner=cast.steward, due=tomorrow, downstream=[], by=cast.owner
    )
    with acting(system="test", reason="One of everything"):
        debts = [
            owe(case, "post_mortem", source=f"test:{n}", text="Post-mortem", due=tomorrow, debtor=cast.owner)
            for n in (1, 2)
        ]
        past = Review.objects.filter(initiative=case, gate="mvp").get()
        condition = Condition(
            review=past, text="Log more", owner=cast.owner, due=tomorrow, proposed_by=cast.chair
        )
        condition.save()
    contract = actions.save_contract(case=case, clauses=life.CLAUSES, by=cast.owner)
    clause = contract.clauses.first()
    comment = actions.comment_on_clause(
        case=life.fresh(case), number=clause.number, text="Why?", by=cast.seat_risk
    )
    key, token = factories.make_key(cast, case)
    System(token.text).ask("summarise")
    (asked,) = logged()
    pressed = actions.switch_off(case=case, reason="A trial", by=cast.owner)
    actions.switch_on(case=case, reason="It is over", by=cast.owner)
    account = start(obligation=debts[0], by=cast.owner)
    log = ContentFile(b"12:00 nothing came back\n", "log.txt")
    attached = attach(post_mortem=account, title="The log", file=log, by=cast.owner)
    with acting(system="test", reason="One of everything"):
        said = SectionComment(post_mortem=account, text="Which two?", by=cast.seat_risk, at=clock.now())
        said.save()
    copy = actions.copy_rulebook(base=Rulebook.objects.current(), version="2026.3", by=cast.admin)
    forecast = actions.ask_forecast(of=copy, by=cast.admin)
    known = factories.make_lesson(cast)
    draft = people.load_rulebook(source=load_default().replace('"2026.1"', '"2026.2"'), by=cast.admin)
    batch = actions.upload_batch(
        content=b"agency,id,use_case_name,development_stage\nNASA,N-1,Crater finder,\n",
        file_name="small.csv",
        source="us-2025",
        by=cast.admin,
    )
    vendor = actions.add_vendor(name="Acme Cloud", by=cast.seat_risk)
    bound = {"reference": "4.2", "starts_on": today, "allowed": ["EU"], "by": cast.seat_risk}
    policy = actions.set_unit_policy(unit=cast.elsewhere, **bound)
    estate, _ = actions.read_estate(
        content=b"Name,Kind\nShare,wiki\n", file_name="estate.csv", kind="systems", by=cast.admin
    )
    newcomer = factories.make_person("newly-seated")
    seat = people.appoint(board=cast.board, person=newcomer, seat="service_operations", by=cast.admin)
    absence = actions.plan_absence(first=tomorrow, last=tomorrow, asked=[Asked(cast.lead)], by=cast.owner)
    shared = factories.make_system(cast, "Customer ledger", owner=cast.second_admin, editable=False)
    with acting(system="test", reason="One of everything"):
        source = f"system:{shared.pk}"
        feed = owe(case, "feed", source=source, text="Shut?", due=tomorrow, debtor=cast.second_admin)
    service = factories.make_account(cast, shared)
    link = factories.make_link(
        cast, case, shared, agreed=True, account=service, hops=[actions.Place("Gateway", "eu-west")]
    )
    factories.make_term(cast, "customer")
    use = actions.use_term(case=case, name="customer", by=cast.lead)
    says = {"term": use.term, "system": shared, "field": "customer_id", "by": cast.lead}
    year = today.replace(month=1, day=1)
    actions.define(meaning="contract", counted_unit="contract", valid_to=year - timedelta(days=1), **says)
    definition = actions.define(meaning="payer", counted_unit="payer", valid_from=year, **says)
    conflict = case.conflicts.get()
    unconfirmed = actions.file_vendor_term(vendor=vendor, kind="region", **bound)
    with acting(system="test", reason="As a case files it"):
        unconfirmed.awaits_confirmation, unconfirmed.confirmed_by, unconfirmed.confirmed_at = True, None, None
        unconfirmed.save()
    proposed_change = actions.propose_change(
        kind="system_retired", about=shared, reason="Nobody uses it.", by=cast.lead
    )
    changed = actions.add_customisation(system=shared, team="Claims", what="Two fields", by=cast.lead)
    with acting(system="test", reason="One of everything"):
        source = factories.make_system(cast, "Warehouse")
        looked_at = [
            Profile(
                initiative=case,
                system=source,
                title=f"Sample {n}",
                file_name="a.csv",
                sha256="0" * 64,
                size=1,
                taken_on=today,
                state="measured",
                rows=10,
                by=cast.lead,
                at=clock.now(),
                measured_at=clock.now(),
            )
            for n in (1, 2)
        ]
        for one in looked_at:
            one.save()
    asked_users, _ = pulsing.opened(cast, case)
    remark = PulseComment.objects.create(pulse=asked_users, text="It helps.")
    signal = report_signal(
        case=case,
        kind="ignored",
        group="Team North",
        words="They forgot it.",
        source="seen",
        observed_on=today,
        by=cast.steward,
    )
    incident = incidents.open_incident(case=case, severity=4, title="Slow answers", by=cast.lead)
    clocks.lay_out_duties(by=cast.admin)
    running = clocks.start_clock(incident=incident, duty=ReportingDuty.objects.earliest("pk"), by=cast.owner)
    problem, problem_secret = problems.report_problem(
        link=problems.open_link(case=case, by=cast.owner), what="It was slow."
    )
    measure = factories.make_measure(cast, case)
    factories.make_reading(cast, measure)
    meeting = plan_meeting(board=cast.board, held_on=today, by=cast.chair)
    add_point(meeting=meeting, words="Dates", by=cast.chair)
    point = place_point(meeting=meeting, key=f"r{review.pk}", place=1, reason="First.", by=cast.chair)
    seals.seal()
    sample = samples.draw_sample(
        name="Votes", purpose="A look", search=Search(kind="signed off"), size=1, by=cast.auditor
    )
    return {
        "ref": case.ref,
        "samples": sample.pk,
        "meetings": meeting.pk,
        "point": point.key,
        "figure": "pilots",
        "place": 1,
        "entries": sample.drawn.get().entry_id,
        "receipts": Entry.objects.filter(kind="board added").earliest("pk").pk,
        "profiles": looked_at[0].pk,
        "earlier": looked_at[0].pk,
        "later": looked_at[1].pk,
        "key": "mvp.workflow",
        "seat": "adoption_change",
        "number": clause.number,
        "comments": comment.pk,
        "words": contract.contract.vocabulary.first().pk,
        "starter": "triage",
        "version": draft.version,
        "rulebook-drafts": copy.pk,
        "rulebook-effects": forecast.pk,
        "part": "requirement",
        "evidence": item.pk,
        "roles": proposed.pk,
        "away": absence.pk,
        "seats": seat.pk,
        "delegations": absence.delegations.get().pk,
        "reference": factories.make_request(case, factories.make_key(cast, case)[0]).reference,
        "people": cast.owner.pk,
        "changes": ChangeRecord.objects.latest("pk").pk,
        "map": control.clause_id,
        "mappings": control.pk,
        "architecture": decision.pk,
        "dependants": dependant.pk,
        "drills": drill.pk,
        "processes": process.pk,
        "traces": sampled.pk,
        "events": event.pk,
        "funding": money.pk,
        "observations": seen.pk,
        "efforts": effort.pk,
        "holds": hold.pk,
        "obligations": debts[1].pk,
        "feeds": feed.pk,
        "gaps": gap.pk,
        "reviews": review.pk,
        "questions": question.pk,
        "conditions": condition.pk,
        "sign-offs": vote.pk,
        "waivers": waiver.pk,
        "estates": estate.pk,
        "imports": batch.pk,
        "rows": ImportRow.objects.filter(batch=batch).first().pk,
        "post-mortems": account.pk,
        "post-mortem-comments": said.pk,
        "attachments": attached.pk,
        "pulses": asked_users.pk,
        "pulse-comments": remark.pk,
        "language": "de",
        "measures": measure.pk,
        "reading": measure.readings.get().pk,
        "lessons": known.pk,
        "keys": key.pk,
        "systems": shared.pk,
        "service-accounts": service.pk,
        "links": link.pk,
        "term-uses": use.pk,
        "definitions": definition.pk,
        "conflicts": conflict.pk,
        "glossary": use.term_id,
        "customisations": changed.pk,
        "moment": str(Place.of(asked)),
        "switch": pressed.pk,
        "notices": 10**9,
        "accounts": cast.lead.pk,
        "vendors": vendor.pk,
        "vendor-terms": unconfirmed.pk,
        "proposals": proposed_change.pk,
        "policies": policy.pk,
        "signals": signal.pk,
        "incidents": incident.pk,
        "deadlines": running.pk,
        "problems": problem.pk,
        "problem_token": case.problem_links.get().token,
        "problem_secret": problem_secret,
        "token": "1.forged~key",
        "secret": "nobody-has-this",
    }


def address(name: str, world: dict) -> str:
    """The address of a named URL with the world's one of everything: a key belongs to the noun before it."""
    pattern, wanted = next(iter(get_resolver().reverse_dict.getlist(name)))[0][0]
    noun = "keys" if name.startswith("key-") else pattern.split("/%(pk)s")[0].split("/")[-1]
    return reverse(name, kwargs={field: world[noun if field == "pk" else field] for field in wanted})


def test_every_url_is_in_the_table():
    assert set(urls()) == set(TABLE)


def test_who_opens_what(world, cast, rounds):
    """Of those who may see a page one is asked, of those who may not a sixth, and a stranger looks or sends, each time
    others; with `--rounds 500` all of them.
    """
    clients = {}
    for who in CAST:
        clients[who] = Client()
        clients[who].force_login(getattr(cast, who))
    wrong = []

    def expect(name, who, got, wanted):
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        if got not in wanted:
            wrong.append(f"{name}: {who} got {got}, the table says {wanted}")

    for place, (name, row) in enumerate(TABLE.items()):
        KeyAttempt.objects.all().delete()  # so many wrong keys of one address would be turned away for that
        url = address(name, world)
        expect(name, "somebody signed out", Client().get(url).status_code, row.signed_out)
        seen = False
        may = [who for who in INSIDE if who in row.opens]
        may_not = [who for who in INSIDE if who not in row.opens]
        if rounds < 500:
            may = may[place % len(may) :][:1] if may else []
            may_not = may_not[place % REFUSED_IN_TURN :: REFUSED_IN_TURN]
        for who in [*may, *may_not]:
            answer = clients[who].get(url)
            expect(name, who, answer.status_code, 200 if who in row.opens else row.closed)
            if answer.status_code == 200 and not seen and name not in BODIES:
                seen = True
                wrong += [f"{name}: {trouble}" for trouble in trouble_with(answer)]
        for number, who in enumerate(STRANGERS):
            if rounds >= 500 or (place + number) % 2:
                expect(name, who, clients[who].get(url).status_code, row.strangers)
            if name != "sign-out" and (rounds >= 500 or (place + number) % 2 == 0):
                expect(name, f"{who} (sending)", clients[who].post(url).status_code, row.sent)
    assert not wrong, "\n".join(wrong)


def test_a_case_that_is_not_yours_looks_like_one_that_is_not_there(world, cast, as_):
    """Same status, same words: nothing tells a stranger that the case exists."""
    stranger = as_(cast.outsider)
    hidden, absent = stranger.get(f"/cases/{world['ref']}/"), stranger.get("/cases/AI-9999/")
    assert hidden.status_code == absent.status_code == 404
    token = re.compile(rb"[A-Za-z0-9]{64}")
    assert token.sub(b"", hidden.content) == token.sub(b"", absent.content)


def test_a_confidential_case_is_for_its_people_and_board(cast, as_):
    case = factories.make_case(cast)
    actions.change_details(case=case, problem=case.problem, platform="", confidential=True, by=cast.owner)
    seen = {who: as_(getattr(cast, who)).get(f"/cases/{case.ref}/").status_code for who in CAST}
    assert {who for who, code in seen.items() if code == 200} == {"owner", *BOARD, *WATCHERS}
