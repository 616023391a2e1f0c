"""Every URL by every member of the cast: who opens what. A URL that is not in the table fails.

Strangers cannot tell an initiative they may not see from one that does not exist: 404, whether they read or send.
"""

import re
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from adoption.audit_log_export import actions as export_actions
from adoption.demo import initiative_acts
from adoption.incidents import actions as incident_actions
from adoption.incidents import reporting_clocks
from adoption.meetings.actions import add_point, place_point
from adoption.meetings.actions import plan as plan_meeting
from adoption.models import ReportingDuty, SectionComment, SurveyComment
from adoption.postmortems.actions import start
from adoption.postmortems.attachments import attach
from adoption.reports import public_link
from adoption.reports.actions import report_behaviour_report
from governance import clock
from governance.audit import audit_samples
from governance.audit.search import Search
from governance.authorization.decision_queries import Place
from governance.database.row_history import acting
from governance.identity import actions as identity_actions
from governance.models import Entry, KeyAttempt, ManagedGroup, Rulebook
from governance.organisation import actions as organisation_actions
from governance.rulebook import shipped_text
from governance.transparency_log import sealing
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.documents import comments, control_mapping
from initiatives.contracts.enforcement import kill_switch
from initiatives.inbox.absences import actions as absence_actions
from initiatives.inbox.absences.actions import Asked
from initiatives.integration.components.actions import record_component
from initiatives.integration.definitions import actions as definition_actions
from initiatives.integration.links import actions as link_actions
from initiatives.integration.residency import actions as residency_actions
from initiatives.integration.systems import actions as system_actions
from initiatives.interactions.comparison import reconciling
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.holds import dependant_deeds
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PLAIN_ACTS, ROW_ACTS
from initiatives.lifecycle.requirements.waivers import WAIVERS
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import (
    ChangeRecord,
    Condition,
    FoundModel,
    ImportRow,
    Profile,
    Review,
)
from initiatives.portfolio.efforts import actions as effort_actions
from initiatives.portfolio.efforts import notes
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from initiatives.portfolio.rulebook_changes import draft_actions, forecast_actions
from tests.support import factories
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.initiatives import alerts, answered_surveys, boards
from tests.support.rules.plain_rulebook import plain_text
from tests.support.servers import pipeline_issuers
from tests.support.servers.asking_systems import System, logged, reported
from tests.support.servers.directories import GROUP, Sender
from tests.support.web import undefined_names
from tests.support.web.access_table import BOARD, CAST, INSIDE, STRANGERS, TABLE, WATCHERS
from tests.support.web.security_policy import trouble_with

pytestmark = pytest.mark.django_db

REFUSED_IN_TURN = 6  # of those who may not see a page one in so many is asked, in the suite
# Files of evidence have a policy of their own, stricter still: tests/acceptance/input/test_hostile_files.py.
BODIES = ("evidence-file", "evidence-content", "attachment-file", "access-signing-key")


# Of each address that many acts share, these acts: rows and verb, as they stand in it.
SHARED = {
    "row-act": ROW_ACTS,
    "initiative-act": INITIATIVE_ACTS,
    "plain-act": PLAIN_ACTS,
}


def address_name(name: str) -> str:
    """The name of the address under which the table has this name: its own, or that of the address it shares."""
    return next((address for address, names in SHARED.items() if name in names), name)


def urls(patterns=None):
    """Every named URL of the project except Django's own admin; of one that many acts share, each of them."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from urls(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            yield from SHARED.get(pattern.name, [pattern.name])


@pytest.fixture
def world(cast):
    """One initiative with one of everything, so that every address leads somewhere."""
    initiative = factories.make_mvp(cast)
    item = initiative.evidence.filter(kind="document").first()
    proposed = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.second_admin, by=cast.owner
    )
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    criterion = "production.behaviour"
    sign_off = initiative_acts.sign_off(
        review, "adoption_change", cast.seat_adoption, "object", reason="No.", criteria=(criterion,)
    )
    question = review_actions.ask_question(
        review=review, criterion=criterion, text="Who?", by=cast.seat_adoption
    )
    hold = hold_deeds.hold(initiative=initiative, reason="Wait.", by=cast.seat_security)
    record_component(
        initiative=initiative, layer="application", name="Assistant", version="2.0", by=cast.owner
    )
    control = control_mapping.map_clause(
        initiative=initiative,
        clause=initiative.contract.in_force_at(clock.now()).clauses.first(),
        layer="policy",
        control="What is not allowed is denied.",
        evidence=item,
        by=cast.lead,
    )
    decision = control_mapping.record_architecture_decision(
        initiative=initiative, title="One queue", text="Fewer parts.", decided_on=clock.today(), by=cast.lead
    )
    dependant = dependant_deeds.add_dependant(
        initiative=initiative,
        who="Sales",
        for_what="Calls",
        bearable_outage_hours=4,
        executive=cast.second_admin,
        by=cast.owner,
    )
    today = clock.today()
    event = notes.record_event(
        initiative=initiative, kind="demo", happened_on=today, words="Shown.", by=cast.lead
    )
    money = notes.record_funding(
        initiative=initiative, decided_on=today, decided_by="Steering", basis="The demo", by=cast.owner
    )
    seen = notes.observe(
        initiative=initiative, layer="model", observed_on=today, words="Slow.", by=cast.steward
    )
    effort = effort_actions.note_effort(
        initiative=initiative, layer="integration", week=today, hours=2, by=cast.lead
    )
    export = export_actions.ask_export(initiative=initiative, by=cast.auditor)
    directory = Sender(cast.admin)
    directory.send("POST", "Groups", {"schemas": [GROUP], "displayName": "Claims"})
    delivery = factories.make_delivery(cast)
    drill = factories.make_drill(cast, initiative)
    process = factories.make_process(cast, initiative)
    sampled = factories.make_trace_sample(cast, initiative)
    tomorrow = clock.today() + timedelta(days=1)
    waiver = WAIVERS.ask(
        initiative, key="production.mvp_goals", reason="Later.", until=tomorrow, by=cast.owner
    )
    risk = factories.ask_risk(cast, initiative)
    gap = hold_deeds.open_gap(
        initiative=initiative,
        text="Two lists.",
        owner=cast.steward,
        due=tomorrow,
        downstream=[],
        by=cast.owner,
    )
    with unguarded("initiatives_condition"), acting(system="test", reason="One of everything"):
        obligations = [
            open_obligation(
                initiative,
                "post_mortem",
                source=f"test:{n}",
                text="Post-mortem",
                due=tomorrow,
                responsible=cast.owner,
            )
            for n in (1, 2)
        ]
        past = Review.objects.filter(initiative=initiative, gate="mvp").get()
        condition = Condition(
            review=past, text="Log more", owner=cast.owner, due=tomorrow, proposed_by=cast.chair
        )
        condition.save()
        met = Condition(
            review=past,
            text="Log less",
            owner=cast.lead,
            due=tomorrow,
            proposed_by=cast.chair,
            met_at=clock.now(),
            met_by=cast.lead,
            met_note="Done.",
        )
        met.save()
    contract = contract_actions.save_contract(
        initiative=initiative, clauses=initiative_acts.CLAUSES, by=cast.owner
    )
    clause = contract.clauses.first()
    comment = comments.comment_on_clause(
        initiative=initiative_acts.fresh(initiative), number=clause.number, text="Why?", by=cast.seat_risk
    )
    key, token = factories.make_key(cast, initiative, scopes=["evaluate", "approvals", "interactions"])
    System(token.text).ask("summarise")
    (asked,) = logged()
    spoken = reported(initiative, key=key.pk, operation="chat", model="m-4", version="m-4")
    reconciling.reconcile()
    pressed = kill_switch.switch_off(initiative=initiative, reason="A trial", by=cast.owner)
    kill_switch.switch_on(initiative=initiative, reason="It is over", by=cast.owner)
    account = start(obligation=obligations[0], by=cast.owner)
    log = ContentFile(b"12:00 nothing came back\n", "log.txt")
    attached = attach(post_mortem=account, title="The log", file=log, by=cast.owner)
    with acting(by=cast.seat_risk, reason="One of everything"):
        said = SectionComment(post_mortem=account, text="Which two?", by=cast.seat_risk, at=clock.now())
        said.save()
    copy = draft_actions.copy_rulebook(base=Rulebook.objects.current(), version="2026.3", by=cast.admin)
    levels = shipped_text().replace('version = "1.0"', 'version = "2026.3"')
    copy = draft_actions.replace_draft(draft=copy, source=levels, based_on=1, by=cast.admin)
    forecast = forecast_actions.ask_forecast(of=copy, by=cast.admin)
    known = factories.make_lesson(cast)
    draft = organisation_actions.load_rulebook(source=plain_text().replace('"0.9"', '"1.0"'), by=cast.admin)
    batch = inventory_actions.upload_batch(
        content=b"agency,id,use_case_name,development_stage\nNASA,N-1,Crater finder,\n",
        file_name="small.csv",
        source="us-2025",
        by=cast.admin,
    )
    live_batch = inventory_actions.upload_batch(
        content=b"agency,id,use_case_name,development_stage\nNASA,N-2,Ice finder,Pilot\n",
        file_name="live.csv",
        source="us-2024-live",
        by=cast.admin,
    )
    inventory_actions.confirm_batch(batch=live_batch, by=cast.admin)
    own_sheet = portfolio_actions.upload_portfolio(
        content=f"Reference;Title;Status\n{initiative.ref};Another name;\n;A new one;Pilot\n".encode(),
        file_name="own.csv",
        by=cast.admin,
    )
    vendor = residency_actions.add_vendor(name="Acme Cloud", by=cast.seat_risk)
    model = factories.make_model(cast, vendor=vendor.name)
    evaluation = factories.make_evaluation(cast, initiative)
    bound = {"reference": "4.2", "starts_on": today, "allowed": ["EU"], "by": cast.seat_risk}
    policy = residency_actions.set_unit_policy(unit=cast.elsewhere, **bound)
    newcomer = factories.make_person("newly-seated")
    seat = organisation_actions.appoint(
        board=cast.board, person=newcomer, seat="service_operations", by=cast.admin
    )
    absence = absence_actions.plan_absence(
        first=tomorrow, last=tomorrow, asked=[Asked(cast.lead)], by=cast.owner
    )
    shared = factories.make_system(cast, "Customer ledger", owner=cast.second_admin, editable=False)
    with acting(system="test", reason="One of everything"):
        source = f"system:{shared.pk}"
        feed = open_obligation(
            initiative, "feed", source=source, text="Shut?", due=tomorrow, responsible=cast.second_admin
        )
    service = factories.make_account(cast, shared)
    link = factories.make_link(
        cast,
        initiative,
        shared,
        agreed=True,
        account=service,
        transfers=[link_actions.Place("Gateway", "eu-west")],
    )
    factories.make_term(cast, "customer")
    use = definition_actions.use_term(initiative=initiative, name="customer", by=cast.lead)
    says = {"term": use.term, "system": shared, "field": "customer_id", "by": cast.lead}
    year = today.replace(month=1, day=1)
    definition_actions.define(
        meaning="contract", counted_unit="contract", valid_to=year - timedelta(days=1), **says
    )
    definition = definition_actions.define(meaning="payer", counted_unit="payer", valid_from=year, **says)
    conflict = initiative.conflicts.get()
    unconfirmed = residency_actions.file_vendor_term(vendor=vendor, kind="region", **bound)
    with acting(system="test", reason="As a case files it"):
        unconfirmed.awaits_confirmation, unconfirmed.confirmed_by, unconfirmed.confirmed_at = True, None, None
        unconfirmed.save()
    changed = system_actions.add_customisation(system=shared, team="Claims", what="Two fields", by=cast.lead)
    source = factories.make_system(cast, "Warehouse")
    with unguarded("initiatives_profile"), acting(by=cast.lead, reason="One of everything"):
        looked_at = Profile.objects.create(
            initiative=initiative,
            system=source,
            data_set="customers",
            tool="count",
            file_name="a.csv",
            sha256="0" * 64,
            taken_on=today,
            rows=10,
            by=cast.lead,
            at=clock.now(),
        )
    asked_users, _ = answered_surveys.opened(cast, initiative)
    remark = SurveyComment.objects.create(survey=asked_users, text="It helps.")
    behaviour_report = report_behaviour_report(
        initiative=initiative,
        kind="ignored",
        group="Team North",
        words="They forgot it.",
        source="seen",
        observed_on=today,
        by=cast.steward,
    )
    incident = incident_actions.open_incident(
        initiative=initiative, severity=4, title="Slow answers", by=cast.lead
    )
    reporting_clocks.lay_out_duties(by=cast.admin)
    running = reporting_clocks.start_clock(
        incident=incident, duty=ReportingDuty.objects.earliest("pk"), by=cast.owner
    )
    mapping, alert = alerts.drafted(cast, initiative)
    problem, problem_secret = public_link.report_problem(
        link=public_link.open_link(initiative=initiative, by=cast.owner), what="It was slow."
    )
    measure = factories.make_measure(cast, initiative)
    factories.make_measurement(cast, measure)
    meeting = plan_meeting(board=cast.board, held_on=today, by=cast.chair)
    add_point(meeting=meeting, words="Dates", by=cast.chair)
    point = place_point(meeting=meeting, key=f"r{review.pk}", place=1, reason="First.", by=cast.chair)
    sealing.seal()
    sample = audit_samples.draw_sample(
        name="Sign-offs", purpose="A look", search=Search(kind="signed off"), size=1, by=cast.auditor
    )
    with unguarded("initiatives_foundmodel"), acting(system="test", reason="One of everything"):
        found = FoundModel(key="quince-2", name="quince-2", unit=cast.unit, found_at=clock.now())
        found.save()
    provider = identity_actions.add_provider(
        name="House",
        slug="house",
        kind="keycloak",
        issuer="https://127.0.0.1:9",
        client_id="plumbline",
        authentication="secret",
        secret="kept",
        scopes="openid",
        key_claim="sub",
        by=cast.admin,
    )
    identity_actions.switch_provider(provider=provider, on=True, by=cast.admin)
    _make_privacy_officer(cast.second_admin)
    return {
        "slug": provider.slug,
        "passkeys": 10**9,
        "resets": 10**9,
        "break-glass": 10**9,
        "pairs": 10**9,
        "tried": 10**9,
        "ref": initiative.ref,
        "samples": sample.pk,
        "meetings": meeting.pk,
        "point": point.key,
        "figure": "pilots",
        "place": 1,
        "entries": sample.drawn.get().entry_id,
        "receipts": Entry.objects.filter(kind="board added").earliest("pk").pk,
        "profiles": looked_at.pk,
        "key": "mvp.workflow",
        "gate": "mvp",
        "tier": "limited",
        "seat": "adoption_change",
        "number": clause.number,
        "comments": comment.pk,
        "clauses": control.clause_id,
        "words": contract.contract.vocabulary.first().pk,
        "starter": "triage",
        "version": draft.version,
        "rulebook-drafts": copy.pk,
        "rulebook-effects": forecast.pk,
        "part": "requirement",
        "evidence": item.pk,
        "roles": proposed.pk,
        "absences": absence.pk,
        "seats": seat.pk,
        "units": cast.unit.pk,
        "boards": cast.board.pk,
        "directories": directory.row.pk,
        "receivers": delivery.receiver_id,
        "deliveries": delivery.pk,
        "groups": ManagedGroup.objects.get().pk,
        "uid": directory.makes("ann@corp.example")["id"],
        "name": "User",
        "unit": cast.unit.pk,
        "delegations": absence.delegations.get().pk,
        "reference": factories.make_request(initiative, factories.make_key(cast, initiative)[0]).reference,
        "decision": "A" * 75,
        "people": cast.owner.pk,
        "changes": ChangeRecord.objects.latest("pk").pk,
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
        "obligations": obligations[1].pk,
        "feeds": feed.pk,
        "gaps": gap.pk,
        "reviews": review.pk,
        "questions": question.pk,
        "conditions": condition.pk,
        "sign-offs": sign_off.pk,
        "waivers": waiver.pk,
        "accepted-risks": risk.pk,
        "imports": batch.pk,
        "live_batch": live_batch.pk,
        "met_condition": met.pk,
        "waiting_board": boards.waiting_board(cast, cast.unit, "Accounts board", chair=cast.chair).pk,
        "portfolio": own_sheet.pk,
        "rows": ImportRow.objects.filter(batch=batch).first().pk,
        "post-mortems": account.pk,
        "post-mortem-comments": said.pk,
        "attachments": attached.pk,
        "surveys": asked_users.pk,
        "survey-comments": remark.pk,
        "language": "de",
        "measures": measure.pk,
        "measurements": measure.measurements.get().pk,
        "lessons": known.pk,
        "keys": key.pk,
        "pipelines": (pipeline := pipeline_issuers.make_pipeline(cast, initiative)).pk,
        "bars": pipeline.bars.get().pk,
        "systems": shared.pk,
        "service-accounts": service.pk,
        "links": link.pk,
        "term-uses": use.pk,
        "definitions": definition.pk,
        "conflicts": conflict.pk,
        "glossary": use.term_id,
        "customisations": changed.pk,
        "tokens": factories.make_token(cast.owner, kind="service")[0].pk,
        "token_kind": "personal",
        "moment": str(Place.of(asked)),
        "reported": str(Place(spoken.at, spoken.pk)),
        "switch": pressed.pk,
        "notifications": 10**9,
        "views": 10**9,
        "accounts": cast.lead.pk,
        "vendors": vendor.pk,
        "components": model.pk,
        "evaluations": evaluation.pk,
        "vendor-terms": unconfirmed.pk,
        "policies": policy.pk,
        "incidents": incident.pk,
        "deadlines": running.pk,
        "alert-mappings": mapping.pk,
        "alerts": alert.pk,
        "kind": problem.slug,
        problem.slug: problem.pk,
        behaviour_report.slug: behaviour_report.pk,
        "draft": alert.draft_id,
        "outcome": "answered",
        "found-models": found.pk,
        "exports": export.pk,
        "problem_token": initiative.problem_links.get().token,
        "problem_secret": problem_secret,
        "token": "1.forged~key",
        "secret": "nobody-has-this",
        "rest": "Nowhere/1",
    }


def _make_privacy_officer(person) -> None:
    with unguarded("governance_user"), acting(system="test", reason="One of everything"):
        person.is_privacy_officer = True
        person.save()


def address(name: str, world: dict) -> str:
    """The address of a named URL with the world's one of everything: a key belongs to the noun before it."""
    if "/" in name:
        rows, verb = name.split("/")
        return reverse(address_name(name), args=[rows, world[rows], verb])
    if name in INITIATIVE_ACTS:
        return reverse("initiative-act", args=[world["ref"], name])
    if name in PLAIN_ACTS:
        return reverse("plain-act", args=[name])
    pattern, wanted = next(iter(get_resolver().reverse_dict.getlist(name)))[0][0]
    noun = pattern.split("/%(pk)s")[0].split("/")[-1]
    noun = noun.replace("%(kind)s", world["kind"])
    return reverse(name, kwargs={field: world[noun if field == "pk" else field] for field in wanted})


def test_every_url_is_in_the_table():
    assert set(urls()) == set(TABLE)


@pytest.fixture
def undefined():
    """Names that the pages of this test use and do not have."""
    with undefined_names.noted() as found:
        yield found


def test_who_opens_what(world, cast, rounds, undefined):
    """Of those who may see a page one is asked, of those who may not a sixth, and a stranger looks or sends, each time
    others; with `--rounds 500` all of them.
    """
    clients = {}
    for who in CAST:
        clients[who] = Client()
        clients[who].force_login(getattr(cast, who))
    wrong, asked = [], 0

    def expect(name, who, got, wanted):
        nonlocal asked
        asked += 1
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
                if name in (
                    "access-configuration",
                    "api-openapi",
                ):  # an answer of an API, whose headers are not those of pages
                    expect(name, "its type", answer["Content-Type"], "application/json")
                    expect(name, "its header", answer["X-Content-Type-Options"], "nosniff")
                else:
                    wrong += [f"{name}: {trouble}" for trouble in trouble_with(answer)]
        for number, who in enumerate(STRANGERS):
            if rounds >= 500 or (place + number) % 2:
                expect(name, who, clients[who].get(url).status_code, row.strangers)
            if name != "sign-out" and (rounds >= 500 or (place + number) % 2 == 0):
                expect(name, f"{who} (sending)", clients[who].post(url).status_code, row.sent)
    wrong += sorted(undefined)
    print(f"{asked} requests and headers, {len(wrong)} findings")
    assert not wrong, "\n".join(wrong)


def test_a_initiative_that_is_not_yours_looks_like_one_that_is_not_there(world, cast, as_):
    """Same status, same words: nothing tells a stranger that the initiative exists."""
    stranger = as_(cast.outsider)
    hidden, absent = stranger.get(f"/initiatives/{world['ref']}/"), stranger.get("/initiatives/AI-9999/")
    assert hidden.status_code == absent.status_code == 404
    token = re.compile(rb"[A-Za-z0-9]{64}|[0-9a-f]{32}")
    assert token.sub(b"", hidden.content) == token.sub(b"", absent.content)


def test_a_confidential_initiative_is_for_its_people_and_board(cast, as_):
    initiative = factories.make_initiative(cast)
    detail_actions.change_details(
        initiative=initiative, problem=initiative.problem, platform="", confidential=True, by=cast.owner
    )
    seen = {who: as_(getattr(cast, who)).get(f"/initiatives/{initiative.ref}/").status_code for who in CAST}
    assert {who for who, code in seen.items() if code == 200} == {"owner", *BOARD, *WATCHERS}
