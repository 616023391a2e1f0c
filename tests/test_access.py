"""Every URL by every member of the cast: who opens what. A URL that is not in the table fails.

Strangers cannot tell a case they may not see from one that does not exist: 404, whether they read or send.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from adoption.actions import start
from adoption.demo import life
from governance import actions as people
from governance import clock, samples, seals
from governance.audit import Search
from governance.history import acting
from governance.models import Entry
from governance.rulebook import load_default
from governance.told import Place
from initiatives import actions
from initiatives.actions.absences import Asked
from initiatives.actions.changes import record_component
from initiatives.actions.holds import owe
from initiatives.models import ChangeRecord, Condition, ImportRow, Profile, Review
from tests import factories
from tests.initiatives.asking import System, logged
from tests.policy import trouble_with

pytestmark = pytest.mark.django_db

TEAM = ("owner", "support", "lead", "steward")
BOARD = ("seat_value", "seat_risk", "seat_adoption", "chair", "deputy_chair")
WATCHERS = ("admin", "auditor")
STRANGERS = ("outsider", "sponsor")
INSIDE = (*TEAM, *BOARD, *WATCHERS)
CAST = (*INSIDE, *STRANGERS)


@dataclass(frozen=True)
class Row:
    """What reading an address answers: 200 to `opens`, `closed` to the others who see the case, and so on.

    `strangers` and `sent` are for people who may not see the case, reading and sending; `signed_out` for everybody
    who has not signed in.
    """

    opens: tuple = INSIDE
    closed: int = 403
    strangers: int = 404
    sent: int = 404
    signed_out: int = 302


def only(*people, **options) -> Row:
    """A page of the case on which these people act; the others who see the case are told why not."""
    return Row(people, **options)


OPEN = Row(strangers=200, sent=405, signed_out=200)  # open to everybody, signed in or not
MEMBERS = Row(strangers=200, sent=405)  # open to everybody who signed in
ADMINS = only("admin", strangers=403, sent=403)
AUDITORS = only("auditor", strangers=403, sent=405)
AUDITS = only("auditor", strangers=403, sent=403)  # where auditors act
READ = Row(sent=405)  # a page of the case that takes nothing
PAGE = Row()  # a page of the case that everybody on it may read
OWNER = only("owner")
WORKERS = only(*TEAM)
SHARED = only(*TEAM, strangers=403, sent=403)  # what several cases share, and one of theirs is tied to
RUNNERS = only("owner", "lead")
CHAIR = only("chair")
NOT_NOW = only()  # nobody: the state of this case does not allow it, and the page says so
POST_ONLY = only(closed=302)  # sends whoever reads it on to the page it belongs to

# A table that an admin read: whoever brings tables cannot tell that it is there, everybody else that there are any.
READER = only("admin", closed=(403, 404), strangers=403, sent=403)

MACHINES = only(closed=405, strangers=405, sent=401, signed_out=405)  # asked with a key, not by people

TABLE = {
    "access-evaluation": MACHINES,
    "access-evaluations": MACHINES,
    "access-approval": only(closed=401, strangers=401, sent=405, signed_out=401),
    "access-configuration": OPEN,
    "access-client": MEMBERS,
    "fault-kit": MEMBERS,
    "healthz": OPEN,
    "readyz": OPEN,
    "help": OPEN,
    "rulebook": OPEN,
    "rulebook-versions": OPEN,
    "rulebook-version": Row(strangers=200, sent=405, signed_out=404),  # a draft is for people who signed in
    "styleguide": only(closed=404, sent=405, signed_out=404),  # debug only
    "sign-in": only(closed=302, strangers=302, sent=302, signed_out=200),
    "sign-out": only(closed=405, strangers=405, sent=302),
    "account": MEMBERS,
    "account-sign-out": only(closed=405, strangers=405, sent=302),
    "account-password": Row(strangers=200, sent=200),
    "password-reset": Row(strangers=200, sent=200, signed_out=200),
    "password-link": only(
        closed=302, strangers=302, sent=405
    ),  # leads to the next, whatever its key is worth
    "password-set": only(closed=404, signed_out=404),  # only behind a link that works
    "first-admin": only(closed=404, signed_out=404),  # there is one
    "accounts": only("admin", strangers=403, sent=405),
    "accounts-add": ADMINS,
    "accounts-export": only("admin", strangers=403, sent=405),
    "account-invite": only(closed=405, strangers=405, sent=403),
    "account-end-sessions": only(closed=405, strangers=405, sent=403),
    "status": only("admin", strangers=403, sent=405),
    "status-mail": only(closed=405, strangers=405, sent=403),
    "settings": Row(strangers=200, sent=200),
    "calendar-make": only(closed=405, strangers=405, sent=200),
    "calendar-end": only(closed=405, strangers=405, sent=302),
    "calendar": only(closed=404, sent=405, signed_out=404),  # a secret that nobody has
    "digest-leave": only(closed=404, signed_out=404),  # likewise
    "notices": MEMBERS,
    "notice": only(closed=404, sent=405),  # one's own only; this one is nobody's
    "notices-read": only(closed=405, strangers=405, sent=302),
    "desk": MEMBERS,
    "search": MEMBERS,
    "portfolio": MEMBERS,
    "portfolio-export": MEMBERS,
    "pictures": MEMBERS,
    "similar": MEMBERS,
    "reviews": MEMBERS,
    "where-it-goes": MEMBERS,
    "efforts": MEMBERS,
    "efforts-export": MEMBERS,
    "decisions": MEMBERS,
    "ideas": only(*BOARD, strangers=403, sent=405),
    "decisions-export": MEMBERS,
    "register": Row(strangers=200, sent=200),
    "rulebook-load": ADMINS,
    "rulebook-propose": only(closed=405, strangers=405, sent=403),
    "rulebook-changes": Row(strangers=200, sent=405, signed_out=404),
    "rulebook-publish": Row(strangers=200, sent=403),
    "audit": AUDITORS,
    "audit-entry": AUDITORS,
    "audit-entries-export": AUDITORS,
    "audit-readings": AUDITORS,
    "audit-readings-export": AUDITORS,
    "audit-sign-ins": AUDITORS,
    "audit-sign-ins-export": AUDITORS,
    "audit-rights": AUDITORS,
    "audit-rights-export": AUDITORS,
    "audit-samples": AUDITORS,
    "audit-draw": AUDITS,
    "audit-sample": AUDITORS,
    "audit-drawn": AUDITS,
    "audit-finish": only(closed=405, strangers=405, sent=403),
    "audit-sample-csv": only(strangers=403, sent=405),  # the sample is not finished
    "audit-sample-json": only(strangers=403, sent=405),
    "keeping": only("admin", "auditor", strangers=403, sent=403),
    "crosswalk": AUDITORS,
    "crosswalk-export": AUDITORS,
    "record": MEMBERS,
    "record-checkpoint": MEMBERS,
    "record-verifier": MEMBERS,
    "record-receipt": only("admin", "auditor", closed=404, sent=405),  # who acted, and auditors
    "record-receipt-file": only("admin", "auditor", closed=404, sent=405),
    "estates": only("admin", "lead", strangers=403, sent=403),
    "estate": READER,
    "estate-mapping": READER,
    "estate-confirm": READER,
    "estate-drop": READER,
    "estate-progress": only(closed=(403, 404), strangers=403, sent=403),  # it is not confirmed
    "estate-export": READER,
    "imports": ADMINS,
    "import": ADMINS,
    "import-confirm": ADMINS,
    "import-row": ADMINS,
    "case": PAGE,
    "case-history": PAGE,
    "case-compare": only("owner", *BOARD, "auditor", sent=405),
    "case-details": OWNER,
    "case-rename": OWNER,
    "case-tier": OWNER,
    "case-tier-confirm": only("seat_risk"),
    "checklist": PAGE,
    "checklist-row": PAGE,
    "checklist-draft": POST_ONLY,
    "checklist-accept": POST_ONLY,
    "declaration": PAGE,
    "evidence": PAGE,
    "evidence-item": PAGE,
    "evidence-file": only(
        *TEAM, *BOARD, "auditor"
    ),  # everything but evidence bodies: admins do not read them
    "evidence-look": only(*TEAM, *BOARD, "auditor", sent=405),
    "evidence-content": only(*TEAM, *BOARD, "auditor", sent=405),
    "evidence-add": WORKERS,
    "evidence-index": OWNER,
    "evidence-cover": WORKERS,
    "evidence-capture": NOT_NOW,  # not switched on here
    "evidence-withdraw": WORKERS,
    "integration-residency": READ,
    "vendors": MEMBERS,
    "vendor": MEMBERS,
    "vendor-add": only(*TEAM, "seat_risk", "admin", strangers=403, sent=403),
    "vendor-move": MEMBERS,
    "vendor-term-add": only("seat_risk", strangers=403, sent=403),
    "vendor-term-change": only("seat_risk", strangers=403, sent=403),
    "vendor-term-withdraw": only("seat_risk", strangers=403, sent=403),
    "unit-policies": MEMBERS,
    "unit-policy-add": only("admin", "seat_risk", strangers=403, sent=403),
    "unit-policy-change": only("admin", "seat_risk", strangers=403, sent=403),
    "unit-policy-withdraw": only("admin", "seat_risk", strangers=403, sent=403),
    "regions": MEMBERS,
    "region-add": only("admin", "seat_risk", strangers=403, sent=403),
    "contract": PAGE,
    "contract-map": PAGE,
    "clause-map": RUNNERS,
    "mapping-end": RUNNERS,
    "layer-review": only(closed=404),  # this item is no report on a layer
    "architecture-add": RUNNERS,
    "architecture-withdraw": RUNNERS,
    "contract-edit": OWNER,
    "clause": PAGE,
    "clause-edit": OWNER,
    "clause-move": POST_ONLY,
    "clause-remove": OWNER,
    "comment-settle": POST_ONLY,
    "contract-changes": READ,
    "contract-read": READ,
    "contract-start": NOT_NOW,  # there are clauses already
    "contract-word": OWNER,
    "contract-words": OWNER,
    "contract-propose": OWNER,
    "contract-take-back": only(closed=(403, 404)),  # nothing is with the board
    "contract-approve": only(closed=404),
    "approvals": READ,
    "approval": PAGE,
    "people": PAGE,
    "role": PAGE,
    "role-propose": OWNER,
    "role-decline": NOT_NOW,  # the person who was asked is not in this table
    "role-again": NOT_NOW,
    "role-end": OWNER,
    "away": Row(strangers=200, sent=200),
    "away-end": only("owner", "admin", closed=404),
    "delegation": only("lead", closed=404),
    "delegation-decline": only("lead", closed=404),
    "delegation-another": only("owner", closed=404),
    "handover": only("owner", "admin", strangers=403, sent=403),  # of the owner
    "handovers": Row(strangers=200, sent=200),
    "running": PAGE,
    "component-add": RUNNERS,
    "scope-add": RUNNERS,
    "change-add": RUNNERS,
    "change-complete": RUNNERS,
    "dependant-add": OWNER,
    "dependant": PAGE,  # and the executive it names, who is not in this table
    "dependant-decline": NOT_NOW,
    "dependant-end": OWNER,
    "contract-dry-run": only(*TEAM, *BOARD, "auditor", sent=405),  # shows what was asked: not for admins
    "systems": READ,
    "system-try": PAGE,
    "key-make": RUNNERS,
    "key-rotate": RUNNERS,
    "key-revoke": RUNNERS,
    "systems-all": MEMBERS,
    "system": MEMBERS,
    "system-describe": Row(strangers=200, sent=200),
    "system-change": SHARED,
    "system-retire": SHARED,
    "system-disown": only(strangers=403, sent=403),  # its owner is not in this table
    "system-customise": SHARED,
    "customisation-end": SHARED,
    "account-open": SHARED,
    "account-change": SHARED,
    "account-review": SHARED,
    "account-close": SHARED,
    "integration": READ,
    "integration-path": READ,
    "register-record": WORKERS,
    "link-add": WORKERS,
    "link-change": WORKERS,
    "link-end": WORKERS,
    "link-answer": PAGE,  # and the owner of the system, who is not in this table
    "link-decline": NOT_NOW,
    "source-accept": NOT_NOW,  # the architecture seat is not in this table
    "told": READ,
    "told-one": only(*TEAM, *BOARD, "auditor", sent=405),
    "told-export": only(*TEAM, *BOARD, "auditor", sent=405),
    "case-switch-off": only("owner", "chair"),
    "case-switch-on": NOT_NOW,  # they are on
    "case-drill": WORKERS,
    "integration-definitions": READ,
    "term-use": WORKERS,
    "term-stop": WORKERS,
    "definition-add": WORKERS,
    "definition-change": SHARED,
    "definition-withdraw": SHARED,
    "conflict-reconcile": only("steward"),
    "conflict-accept": only("steward"),
    "glossary": MEMBERS,
    "glossary-term": MEMBERS,
    "integration-drills": PAGE,
    "drill-add": WORKERS,
    "drill-withdraw": WORKERS,
    "integration-processes": PAGE,
    "process-add": WORKERS,
    "process-withdraw": WORKERS,
    "sign-on-add": WORKERS,
    "integration-traces": PAGE,
    "trace-add": WORKERS,
    "trace-sample": PAGE,
    "notes": PAGE,
    "integration-profiles": PAGE,
    "integration-profile-add": WORKERS,
    "integration-profile": PAGE,
    "integration-sample-delete": WORKERS,
    "integration-profile-cover": PAGE,
    "integration-drift": PAGE,
    "event-add": only(*TEAM, *BOARD),
    "funding-add": only("owner", "chair"),
    "observation-add": only(*TEAM, *BOARD),
    "event-take-back": only("lead", "chair"),
    "funding-take-back": only("owner", "chair"),
    "observation-take-back": only("steward", "chair"),
    "integration-effort": PAGE,
    "effort-import": WORKERS,
    "effort-take-back": only("lead", "chair"),
    "case-stop": only("owner", "chair"),
    "case-step-back": CHAIR,
    "case-withdraw": NOT_NOW,
    "case-retire": NOT_NOW,
    "case-reopen": NOT_NOW,
    "case-reattest": NOT_NOW,
    "case-continue": NOT_NOW,
    "hold-open": only(*TEAM, *BOARD),
    "hold-lift": CHAIR,
    "obligation-settle": NOT_NOW,  # a post-mortem is settled by being written and confirmed
    "obligation-excuse": CHAIR,
    "gap-open": only(*TEAM, "chair"),
    "gap-close": WORKERS,
    "review-open": PAGE,
    "review": READ,
    "review-decide": CHAIR,
    "review-return": CHAIR,
    "review-withdraw": OWNER,
    "review-rebase": OWNER,
    "review-ask": only(*BOARD),
    "question-answer": WORKERS,
    "condition-meet": OWNER,
    "sign": only("seat_adoption"),
    "sign-off": READ,
    "sign-off-withdraw": only("seat_adoption"),
    "waivers": PAGE,
    "waiver-agree": only("seat_risk", "chair", closed=302),
    "waiver-refuse": only("seat_risk", "chair", closed=302),
    "lessons": READ,
    "post-mortem-start": PAGE,
    "post-mortem": PAGE,
    "post-mortem-publish": PAGE,
    "post-mortem-confirm": PAGE,
}

REFUSED_IN_TURN = 6  # of those who may not see a page one in so many is asked, in the suite
# Files of evidence have a policy of their own, stricter still: tests/test_hostile_files.py.
BODIES = ("evidence-file", "evidence-content")


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
    draft = people.load_rulebook(source=load_default().replace('"2026.1"', '"2026.2"'), by=cast.admin)
    batch = actions.upload_batch(
        content=b"agency,id,use_case_name,development_stage\nNASA,N-1,Crater finder,\n",
        file_name="small.csv",
        source="us-2025",
        by=cast.admin,
    )
    vendor = actions.add_vendor(name="Acme Cloud", by=cast.seat_risk)
    bound = {"reference": "4.2", "starts_on": today, "allowed": ["EU"], "by": cast.seat_risk}
    term = actions.file_vendor_term(vendor=vendor, kind="region", **bound)
    policy = actions.set_unit_policy(unit=cast.elsewhere, **bound)
    estate, _ = actions.read_estate(
        content=b"Name,Kind\nShare,wiki\n", file_name="estate.csv", kind="systems", by=cast.admin
    )
    absence = actions.plan_absence(first=tomorrow, last=tomorrow, asked=[Asked(cast.lead)], by=cast.owner)
    shared = factories.make_system(cast, "Customer ledger", owner=cast.second_admin, editable=False)
    service = factories.make_account(cast, shared)
    link = factories.make_link(
        cast, case, shared, account=service, hops=[actions.Place("Gateway", "eu-west")]
    )
    use = actions.use_term(case=case, name="customer", by=cast.lead)
    says = {"term": use.term, "system": shared, "field": "customer_id", "by": cast.lead}
    year = today.replace(month=1, day=1)
    actions.define(meaning="contract", valid_to=year - timedelta(days=1), **says)
    definition = actions.define(meaning="payer", valid_from=year, **says)
    conflict = case.conflicts.get()
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
    seals.seal()
    sample = samples.draw_sample(
        name="Votes", purpose="A look", search=Search(kind="signed off"), size=1, by=cast.auditor
    )
    return {
        "ref": case.ref,
        "samples": sample.pk,
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
        "evidence": item.pk,
        "roles": proposed.pk,
        "away": absence.pk,
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
        "vendor-terms": term.pk,
        "policies": policy.pk,
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
