"""The demo: every stage and every trouble is there, told through the real acts, and everybody has something to do."""

import html
import json
import random
import re
import stat
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from adoption.demo import people
from adoption.demo.stories import running
from adoption.management.commands import demo
from adoption.models import BehaviourReport, PostMortem
from governance import clock
from governance.audit_log import entries
from governance.authorization import decision_queries
from governance.database.row_history import acting
from governance.gates import criteria, levels, turning_points
from governance.models import (
    ContractVersion,
    Delegation,
    Entry,
    Notification,
    PolicyDecision,
    Rulebook,
    SignatureProof,
    User,
)
from governance.notifications.inbox import tasks_for
from governance.people.boards import board_for, chair_now
from governance.storage import backup, restore
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, FoundAnswer, Level, ReviewOutcome
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import contributed
from initiatives.lifecycle.facts import rulebook_in_effect, supported_stage
from initiatives.lifecycle.initiative import review_state
from initiatives.models import (
    ApprovalRequest,
    ComponentVersion,
    Condition,
    Continuation,
    DefinitionConflict,
    Deployment,
    Forecast,
    FoundModel,
    Gap,
    Handover,
    Hold,
    ImportRow,
    Initiative,
    Obligation,
    Review,
    RoleAssignment,
    SupportedStagePeriod,
    UnitPolicy,
    Waiver,
)
from initiatives.models.integration.definitions import RECONCILED
from initiatives.portfolio.imports.portfolio import actions as portfolio_actions
from initiatives.portfolio.imports.removal import actions as removal_actions
from initiatives.portfolio.initiative_list.filters import with_support
from initiatives.portfolio.insights import report_links
from tests.support.database import restored_copies
from tests.support.database.reset import as_it_was
from tests.support.initiatives import contradictions
from tests.support.rules.plain_differences import differences

PAIRS = 300  # of an initiative and an instant, half of them past


@dataclass(frozen=True)
class Told:
    """The demo as the command told it: into which folder, what it said, and when it began."""

    folder: Path
    said: str
    began: datetime


@pytest.fixture(scope="module")
def told(django_db_setup, django_db_blocker, tmp_path_factory):
    """The demo, told once: committed, and gone with this module."""
    folder, said, began = tmp_path_factory.mktemp("demo"), StringIO(), clock.now()
    settings_there = {"DATA_DIR": folder, "DEMO_PASSWORD": "correct horse battery staple"}
    here = override_settings(**settings_there, ADDRESS="http://localhost:8000")  # which can have passkeys
    with django_db_blocker.unblock(), here, pytest.MonkeyPatch.context() as patched:
        # The login of the tests may simulate time on every server, and keeps this right.
        patched.setattr(demo.embedded_postgres, "in_use", lambda: True)
        call_command("demo", stdout=said)
        yield Told(folder, said.getvalue(), began)
        as_it_was(None)


def initiative(title: str) -> Initiative:
    return Initiative.objects.get(title=title)


def snapshot(title: str):
    return review_state.snapshot_of(Review.objects.get(initiative__title=title, outcome=ReviewOutcome.OPEN))


def test_a_demo_that_was_interrupted_is_built_anew_and_a_whole_one_is_kept(
    cast, settings, tmp_path, monkeypatch
):
    """Each day is committed by itself, so an interrupted demo leaves half of one; people of others are left alone."""
    settings.DATA_DIR, built = tmp_path, []
    monkeypatch.setattr(demo.embedded_postgres, "in_use", lambda: True)
    monkeypatch.setattr(demo, "drop_everything", lambda: built.append("dropped"))
    monkeypatch.setattr(demo, "build", lambda password, report: built.append("built"))
    call_command("demo", keep=True, stdout=StringIO())
    assert built == []  # people, and no mark of a demo
    with acting(system="demo", reason="Begun"):
        entries.record(EntryKind.DEMO_FOUNDED)
    call_command("demo", keep=True, stdout=StringIO())
    assert built == ["dropped", "built"]
    with acting(system="demo", reason="Ended"):
        entries.record(EntryKind.DEMO_TOLD)
    call_command("demo", keep=True, stdout=StringIO())
    assert built == ["dropped", "built"]


def test_the_evidence_of_the_demo_contradicts_itself_nowhere(told):
    compared = Counter()
    assert list(contradictions.all_of(compared)) == []
    print(dict(compared))
    assert min(compared.values()) > 3
    assert len(compared) == 6


def test_the_demo_is_whole(told, tmp_path, monkeypatch):
    assert "The demo is ready" in told.said

    # Logins
    listed = json.loads((told.folder / "logins.json").read_text())
    assert [row["login"] for row in listed["logins"]] == [person.login for person in people.logins()]
    assert listed["password"] == "correct horse battery staple"
    for name in ("logins.txt", "logins.json"):
        assert stat.S_IMODE((told.folder / name).stat().st_mode) == 0o600
    assert all(
        User.objects.get(login=row["login"]).check_password(listed["password"])
        for row in listed["logins"][:2]
    )

    # Every stage, a withdrawn idea, and every approved stage that is not supported
    own = Initiative.objects.exclude(basis="import")
    assert set(own.values_list("stage", flat=True)) == {
        "proposed", "prototype", "mvp", "production", "stopped", "retired",
    }  # fmt: skip
    assert own.filter(withdrawn_at__isnull=False, joined_to__isnull=False).count() == 1
    labels = dict(
        SupportedStagePeriod.objects.covering(clock.now())
        .exclude(initiative__basis="import")
        .values_list("initiative__title", "label")
    )
    assert labels["Call note search"] == "MVP: not supported by current evidence"
    assert labels["Payment reminder drafts"] == "Production: not supported by current evidence"
    assert labels["Shelf gap spotting"] == "Prototype: not supported by current evidence"
    tiers = {"Meeting note formatter": "minimal", "Customer summary assistant": "limited"}
    for title, tier in tiers.items():
        assert (initiative(title).stage, initiative(title).tier, labels[title]) == ("production", tier, "")
    drawn = initiative("Meeting note formatter").drawn_requirements.order_by("place")
    assert [row.place for row in drawn] == [1, 2, 3, 4, 5], "by the seed of its own audit log"
    states = supported_stage.judged(initiative("Meeting note formatter")).states
    assert all(levels.vouched_for(states[row.requirement]) for row in drawn), "or it stands as decided since"

    # Reviews
    assert snapshot("Offer wording check").verdict.decidable
    assert snapshot("Shift wish planner").verdict.decidable
    waiting = snapshot("Renewal letter drafts").verdict
    assert waiting.missing_seats == ("risk_compliance",)
    high = snapshot("Refund plausibility check")
    stale = [sign_off for sign_off in high.judged_sign_offs if sign_off.stale]
    assert [sign_off.seat for sign_off in stale] == ["security_privacy"]
    assert (high.verdict.quorum, high.verdict.fresh_approvals) == (6, 3)
    assert any("An obligation of" in str(blocker) for blocker in high.verdict.blockers)
    assert set(Review.objects.values_list("outcome", flat=True)) >= {
        "open", "approved", "approved_with_conditions", "refused", "returned",
    }  # fmt: skip

    assert set(SignatureProof.objects.values_list("strength", flat=True)) == {"password", "passkey"}

    # A system that asks
    codes = set(PolicyDecision.objects.values_list("code", flat=True))
    assert codes == {"allowed", "edge_policy", "unknown_action", "needs_approval"}
    week = decision_queries.weeks(initiative(running.TITLE).number, clock.now(), 1)[0]
    assert (week.allowed, week.done, week.failed, week.never_done, week.never_asked) == (6, 3, 1, 3, 0)
    waits = ApprovalRequest.objects.waiting_at(clock.now()).get()
    assert waits.get_absolute_url() in {line.link for line in tasks_for(User.objects.get(login="owner"))}
    assert waits.preview.words > 20, "its approver sees the letter that goes out"

    # A model that its log names and nobody declares
    unknown = FoundModel.objects.get()
    assert (unknown.name, unknown.answer) == (running.UNKNOWN_MODEL, FoundAnswer.WAITING)
    assert sum(day.times for day in unknown.days.all()) == 7
    chair = chair_now(board_for(unknown.unit))
    assert unknown.get_absolute_url() in {line.link for line in tasks_for(chair)}

    # Two systems that meant two things by a word, resolved by the steward
    resolved = DefinitionConflict.objects.order_by("facet")
    assert [row.facet for row in resolved] == ["business_logic", "identifier_format"]
    for row in resolved:
        assert row.status == RECONCILED
        assert {row.one.system.name, row.other.system.name} == {"Billing", "CRM"}

    # What only a register holds
    summary = initiative(running.TITLE)
    for rows in (
        summary.links,
        summary.drills,
        summary.trace_samples,
        summary.processes,
        summary.profiles,
    ):
        assert rows.exists(), rows.model
    assert summary.architecture_decisions.exists()
    assert ComponentVersion.objects.filter(end_of_life__lte=clock.today() + timedelta(days=90)).exists()
    assert UnitPolicy.objects.exists()
    assert BehaviourReport.objects.filter(kind="weaponised").exists()
    pilots = report_links.permanent_pilots(with_support(own, Rulebook.objects.current(), clock.now()))
    assert [row.title for row in pilots] == ["Machine stop summaries"]

    # What stands against initiatives, and what waits for somebody
    today = clock.today()
    assert set(Hold.objects.open().values_list("kind", flat=True)) >= {"concern", "owner_vacant", "residency"}
    open_obligations = Obligation.objects.open().filter(kind="post_mortem")
    assert open_obligations.filter(due__lt=today).exists()
    assert open_obligations.filter(due__gte=today).exists()
    assert PostMortem.objects.filter(state=PostMortem.IN_REVIEW).exists()
    published = PostMortem.objects.filter(state=PostMortem.PUBLISHED)
    stopped, looked_back = sorted(published, key=lambda row: row.looks_back)
    assert (stopped.looks_back, looked_back.looks_back) == (False, True)
    assert looked_back.attachments.count() == 1
    assert sorted(bool(said.resolved_at) for said in looked_back.comments.all()) == [False, True]
    assert Condition.objects.filter(met_at__isnull=True, due__lt=today).exists()
    assert Condition.objects.filter(met_at__isnull=True, due__gte=today).exists()
    assert any(waiver.granted_at and waiver.until >= today for waiver in Waiver.objects.all())
    assert Waiver.objects.filter(chair__isnull=True, refused_at__isnull=True).exists()
    assert ContractVersion.objects.filter(state=ContractVersion.IN_REVIEW).exists()
    assert RoleAssignment.objects.waiting().filter(role="support_owner").exists()
    assert Deployment.objects.filter(runs_from__gt=clock.now()).exists()
    assert Gap.objects.filter(closed_at__isnull=True).exists()
    assert Delegation.objects.filter(accepted_at__isnull=False).exists()
    assert Delegation.objects.filter(accepted_at__isnull=True, membership__isnull=False).exists()
    assert Handover.objects.filter(accepted_at__isnull=True).count() == 2
    assert supported_stage.decision_due(Continuation.objects.get().initiative) is not None
    assert Rulebook.objects.current().version == "1.0"
    assert Forecast.objects.filter(state=Forecast.DONE, draft__isnull=False).exists()

    # Imports report, and show nothing
    imported = Initiative.objects.filter(basis="import")
    assert imported.filter(stage="production").exists()
    assert not imported.filter(evidence__isnull=False).exists()
    assert not imported.filter(obligations__isnull=False).exists()
    assert ImportRow.objects.filter(done_at__isnull=True).exists()

    # Everybody who is listed has something to do, and not too much; who only reads has nothing to do
    for person in people.logins():
        waits = len(tasks_for(User.objects.get(login=person.login)))
        assert (waits == 0) if person.auditor or person.privacy else (1 <= waits <= 12), (person.login, waits)
    assert not Notification.objects.unread().filter(created_at__lt=clock.now() - demo.READ_AFTER).exists()

    # It was told through acts, all but those of today marked as simulated, and it is told once
    assert not Entry.objects.acts().filter(simulated=False, at__lt=told.began).exists()
    assert Entry.objects.acts().filter(kind="stage changed").count() >= 40
    newest: dict[str, object] = {}
    # Periodic jobs run at once in tests, so a lesson may be found at the day of a story that is told later.
    told_by_people = Entry.objects.acts().exclude(initiative_ref="").exclude(actor_id=None)
    for entry in told_by_people.order_by("id").select_related("body"):
        ref, before = entry.initiative_ref, newest.setdefault(entry.initiative_ref, entry.at)
        assert before <= entry.at, (
            f"an initiative is told in the order of its days: {ref}, {entry.kind} {entry.facts}: "
            f"{entry.at} after {before}"
        )
        newest[ref] = entry.at
    assert max(newest.values()) < clock.now()
    with pytest.raises(CommandError, match="exists already"):
        call_command("demo", stdout=StringIO())

    # A fact that an entry's sentence names is a fact of such entries: a renamed fact is not left out without an error
    facts: dict[str, set[str]] = {}
    for entry in Entry.objects.acts().select_related("body").iterator():
        facts.setdefault(entry.kind, set()).update(entry.facts["facts"])
    unknown = {
        kind: left
        for kind in sorted(facts.keys() & contributed.sentences.keys())
        if (left := set(re.findall(r"{(\w+)", contributed.sentences[kind])) - {"all"} - facts[kind])
    }
    rare = {"captured_from", "known_since", "replaces_newer"}
    assert unknown == {"evidence added": rare}, "the demo captures no address and adds no file again"

    # Its backup can be restored, with what its systems were told
    manifest = backup.take(tmp_path / "copy")
    assert any(restore.MONTH_OF.match(name) for name in manifest["tables"])
    restored_copies.check_here(monkeypatch)
    found = restored_copies.checked(tmp_path / "copy")
    assert found["ok"], found["trouble"]
    assert found["verified"]["batches"] >= 1


# --- What the rules say of it, read by hand as well ------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_its_export_comes_back_in_without_a_change(told, ending):
    admin = User.objects.active().filter(is_admin=True).earliest("pk")
    client = Client()
    client.force_login(admin)
    response = client.get(f"/initiatives/export.{ending}")
    content = b"".join(response.streaming_content) if response.streaming else response.content
    batch = portfolio_actions.upload_portfolio(content=content, file_name=f"demo.{ending}", by=admin)
    assert batch.rows.count() > 25
    for row in batch.rows.all():
        assert (row.decision, row.mapped["changes"], row.mapped["refused"]) == ("unchanged", [], []), (
            row.problems
        )
    removal_actions.discard_batch(batch=batch, by=admin)


def test_the_rules_say_of_its_initiatives_what_a_plain_reading_says(told):
    """As each was known in the past, and as each will be where something turns if nobody does anything more."""
    chance, supported, levels = random.Random(PAIRS), Counter(), Counter()
    pairs = [*past(chance, PAIRS // 2), *to_come(chance, PAIRS // 2)]
    for initiative, at, facts, rulebook, said in pairs:
        wrong = list(differences(facts, rulebook, at))
        assert not wrong, f"{initiative} at {at}: {wrong}"
        judged = criteria.judge(facts, rulebook, at)
        found = judged.support.supported
        assert said == found, f"{initiative} at {at}: its supported stage says {said}, read: {found}"
        supported[found] += 1
        levels.update({state.level for state in judged.states.values()})
    assert len(pairs) == PAIRS
    assert len({initiative.pk for initiative, *_ in pairs}) >= 25
    assert min(supported[stage] for stage in RUNNING_STAGES) >= PAIRS / 50, supported
    assert min(levels[level] for level in Level) >= PAIRS / 10, levels


def past(chance, count):
    """Initiatives as they were known at moments since the demo began: just after an act, and at some hour."""
    acts = list(Entry.objects.acts().values_list("at", flat=True).order_by("id"))
    found = []
    while len(found) < count:
        moment = chance.choice([chance.choice(acts), acts[0] + (acts[-1] - acts[0]) * chance.random()])
        with as_of.day(moment):
            known = list(Initiative.objects.select_related("unit", "contract").order_by("pk"))
            for one in chance.sample(known, min(20, len(known), count - len(found))):
                found.append(judged_then(one, supported_stage.facts_of(one), moment))
    return found


def to_come(chance, count):
    """Initiatives as they are, at moments at which something turns, and at the instants before."""
    now, turns = clock.now(), []
    for one in Initiative.objects.select_related("unit", "contract").order_by("pk"):
        facts, found = supported_stage.facts_of(one), set()
        for since, rulebook in rulebook_in_effect.deciding_from(one, now):
            then = supported_stage.under(facts, one, rulebook.parsed)
            found |= {since, *turning_points.turning_points(then, rulebook.parsed)}
        for moment in sorted(turn for turn in found if turn > now):
            turns += [(one, facts, moment), (one, facts, moment - timedelta(microseconds=1))]
    return [judged_then(*one) for one in chance.sample(turns, count)]


def judged_then(initiative, facts, at):
    """An initiative at a moment, its facts and rulebook, and what its supported stage says."""
    rulebook = rulebook_in_effect.rulebook_of(initiative, at).parsed
    said = SupportedStagePeriod.objects.covering(at).get(initiative=initiative).supported
    return initiative, at, supported_stage.under(facts, initiative, rulebook), rulebook, said


# A feature, who looks for it, the page (what is in braces is found by `places`), and what stands on that page.
FEATURES = (
    ("production that is enforced here", "chair", "/initiatives/{summary}/", r"contract clear\? passes"),
    ("production that is not", "auditor", "/initiatives/{reminders}/", "Not enforced here. No log here."),
    (
        "two thousand calls",
        "owner",
        "/initiatives/{summary}/interactions/",
        "2,000 of 2,007 outputs name a source",
    ),
    (
        "days compared",
        "owner",
        "/initiatives/{summary}/interactions/",
        "399 of 399 allowed calls are complete in the log",
    ),
    ("the mismatch", "owner", "/initiatives/{summary}/interactions/", r"\d+ 0 1 0 \d+ of \d+"),
    (
        "the kill switch used",
        "owner",
        "/initiatives/{summary}/api-access/",
        "stays off until the connector asks",
    ),
    ("what came of decisions", "owner", "/initiatives/{summary}/api-access/", "6 3 1 0 3 0"),
    ("a call that waits", "owner", "/", "Customer summary assistant"),
    (
        "a fallback that failed",
        "lead",
        "/initiatives/{summary}/integration/drills/",
        "forty seconds without a word",
    ),
    (
        "and was drilled again",
        "lead",
        "/initiatives/{summary}/integration/drills/",
        "After eight seconds the summary",
    ),
    (
        "a risk accepted until a day",
        "chair",
        "/initiatives/{summary}/accepted-risks/",
        "notes of another account",
    ),
    ("a survey", "chair", "/initiatives/{summary}/adoption/", "28 of 38 answered"),
    (
        "a problem of the public",
        "auditor",
        "/initiatives/{summary}/incidents/",
        "offer of last year as if it were open",
    ),
    ("a found model", "chair", "/found-models/{model}/", "Register the model as a proposed initiative"),
    (
        "a file of a person",
        "auditor",
        "/audit/?kind=interactions+of+a+person+handed+out",
        "took a file with 10 interactions",
    ),
    ("a passkey", "auditor", "/audit/?kind=passkey+added", "Telephone"),
    ("an evaluation", "auditor", "/initiatives/{refunds}/deployments/", "does not meet its threshold"),
    ("and its question", "chair", "/reviews/{review}/", "The evaluation found 83 of 100 right"),
    ("an objection answered", "chair", "/reviews/{review}/", "They did for three hours"),
    ("a stale sign-off", "chair", "/reviews/{review}/", "Security and privacy must sign again"),
    ("a review blocked by an obligation", "chair", "/reviews/{review}/", "Post-mortem after stopping"),
    ("a promotion refused", "chair", "/reviews/{refused}/", "Come back when they know"),
    ("a review returned", "chair", "/reviews/{returned}/", "Two of the four knowledge bases have no owner"),
    ("a step back", "chair", "/initiatives/{handover}/", "stepped back on"),
    ("a hold of a seat", "chair", "/initiatives/{handover}/", "someone raised a concern"),
    ("an incident", "auditor", "/initiatives/{handover}/incidents/", "Summaries named an illness"),
    ("a model near its end", "auditor", "/components/", "Scribe 4 .* end of life"),
    (
        "a stop looked back on",
        "seat-adoption",
        "/post-mortems/{stopped}/",
        "Confirmed by Luis Ortega for the adoption seat",
    ),
    (
        "a lesson that came back",
        "seat-adoption",
        "/initiatives/{articles}/lessons/",
        "Learned in AI-.* Voice call",
    ),
    ("a waiver that waits", "chair", "/initiatives/{articles}/waivers/", "Still needed: the chair"),
    ("a waiver that runs", "auditor", "/initiatives/{tickets}/waivers/", "is waived until"),
    ("an owner who left", "auditor", "/initiatives/{stops}/", "Tove Berg no longer owns the initiative"),
    ("a gap", "auditor", "/initiatives/{stops}/", "Line 3 writes local time"),
    ("data that leave a region", "auditor", "/initiatives/{shelves}/", "forbidden by Northlight order form"),
    ("a contract that waits", "seat-value", "/", "Contract of Cash forecast notes"),
    ("a tier that waits", "seat-risk", "/", "Risk tier of Cash forecast notes"),
    ("a condition", "steward", "/", "A condition of the decision on Ticket triage"),
    ("a decision of the deputy", "deputy-chair", "/", "Shift wish planner"),
    ("a meeting", "auditor", "/meetings/", "Room 4.12"),
    ("funding above evidence", "auditor", "/insights/money/", "180,000.00"),
)


def places() -> dict[str, object]:
    """What stands for the names in the addresses of FEATURES."""
    titles = {
        "summary": running.TITLE,
        "reminders": "Payment reminder drafts",
        "refunds": "Refund plausibility check",
        "handover": "Chat handover summary",
        "articles": "Knowledge article drafts",
        "tickets": "Ticket triage",
        "stops": "Machine stop summaries",
        "shelves": "Shelf gap spotting",
    }
    reviews = Review.objects.exclude(outcome="approved")
    return {name: initiative(title).ref for name, title in titles.items()} | {
        "review": reviews.get(outcome="open", initiative__title=titles["refunds"]).pk,
        "refused": reviews.get(outcome="refused").pk,
        "returned": reviews.get(outcome="returned").pk,
        "model": FoundModel.objects.get().pk,
        "stopped": PostMortem.objects.get(initiative__title="Voice call transcripts").pk,
    }


def test_each_feature_stands_on_a_page_that_somebody_may_open(told):
    found, missing = places(), []
    for feature, login, address, words in FEATURES:
        client = Client()
        client.force_login(User.objects.get(login=login))
        page = client.get(address.format(**found))
        shown = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())).split())
        if page.status_code != 200 or not re.search(words, shown):
            missing.append((feature, login, address.format(**found), page.status_code))
    assert missing == []


def test_a_database_of_others_is_left_as_it_is(cast):
    for options in ({}, {"reset": True}):
        with pytest.raises(CommandError, match="was not made by `demo`"):
            call_command("demo", **options)
    assert User.objects.filter(login="owner").exists()
