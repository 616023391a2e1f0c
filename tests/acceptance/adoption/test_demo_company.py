"""The demo: every stage and every trouble is there, told through the real acts, and everybody has something to do."""

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
from adoption.demo.stories import decision_requests
from adoption.management.commands import demo
from adoption.models import BehaviourReport, PostMortem
from governance import clock
from governance.audit_log import entries
from governance.authorization import decision_queries
from governance.database.row_history import acting
from governance.gates import criteria, levels, turning_points
from governance.models import ContractVersion, Delegation, Entry, Notification, PolicyDecision, Rulebook, User
from governance.notifications.inbox import tasks_for
from governance.storage import backup, restore
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, Level, ReviewOutcome
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
from tests.support.rules.plain_differences import differences

PAIRS = 1_000  # of an initiative and an instant, half of them past


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
    here = override_settings(DATA_DIR=folder, DEMO_PASSWORD="correct horse battery staple")
    with django_db_blocker.unblock(), here:
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
    monkeypatch.setattr(demo, "drop_everything", lambda: built.append("dropped"))
    monkeypatch.setattr(demo, "build", lambda password: built.append("built"))
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
    assert labels["Expense receipt reading"] == "Production: not supported by current evidence"
    assert labels["Shelf gap spotting"] == "Prototype: not supported by current evidence"
    tiers = {"Meeting note formatter": "minimal", "Invoice matching": "limited", "Call-back order": "high"}
    for title, tier in tiers.items():
        assert (initiative(title).stage, initiative(title).tier, labels[title]) == ("production", tier, "")
    drawn = initiative("Meeting note formatter").drawn_requirements.order_by("place")
    assert [row.place for row in drawn] == [1, 2, 3, 4, 5], "by the seed of its own audit log"
    states = supported_stage.judged(initiative("Meeting note formatter")).states
    assert all(levels.vouched_for(states[row.requirement]) for row in drawn), "or it stands as decided since"
    assert labels["Credit note drafts"] == "Production: not supported by current evidence", (
        "its papers are new, and nobody verified them"
    )

    # Reviews
    assert snapshot("Customer summary assistant").verdict.decidable
    assert snapshot("Shift wish planner").verdict.decidable
    waiting = snapshot("Renewal letter drafts").verdict
    assert waiting.missing_seats == ("risk_compliance",)
    stale = [sign_off for sign_off in snapshot("Warranty reply drafts").judged_sign_offs if sign_off.stale]
    assert [sign_off.seat for sign_off in stale] == ["security_privacy"]
    high = snapshot("Refund plausibility check").verdict
    assert high.quorum == 6
    assert high.fresh_approvals == 3
    assert any("Due since" in str(blocker) for blocker in snapshot("Price label check").verdict.blockers)
    assert set(Review.objects.values_list("outcome", flat=True)) >= {
        "open", "approved", "approved_with_conditions", "refused", "returned",
    }  # fmt: skip

    # A system that asks
    codes = set(PolicyDecision.objects.values_list("code", flat=True))
    assert codes == {"allowed", "edge_policy", "unknown_action", "needs_approval"}
    week = decision_queries.weeks(initiative(decision_requests.TITLE).number, clock.now(), 1)[0]
    assert (week.allowed, week.done, week.failed, week.never_done, week.never_asked) == (6, 3, 1, 3, 1)
    waits = ApprovalRequest.objects.waiting_at(clock.now()).get()
    assert waits.get_absolute_url() in {line.link for line in tasks_for(User.objects.get(login="owner"))}
    assert waits.preview.words > 20, "its approver sees the letter that goes out"

    # Two systems that meant two things by a word, resolved by the steward
    resolved = DefinitionConflict.objects.order_by("facet")
    assert [row.facet for row in resolved] == ["business_logic", "identifier_format"]
    for row in resolved:
        assert row.status == RECONCILED
        assert {row.one.system.name, row.other.system.name} == {"Billing", "CRM"}

    # What only a register holds
    matching = initiative("Invoice matching")
    for rows in (
        matching.links,
        matching.drills,
        matching.trace_samples,
        matching.processes,
        matching.profiles,
    ):
        assert rows.exists(), rows.model
    assert matching.architecture_decisions.exists()
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
    looked_back = PostMortem.objects.get(state=PostMortem.PUBLISHED)
    assert looked_back.looks_back
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
        assert (waits == 0) if person.auditor else (1 <= waits <= 10), (person.login, waits)
    assert not Notification.objects.unread().filter(created_at__lt=clock.now() - demo.READ_AFTER).exists()

    # It was told through acts, all but those of today marked as simulated, and it is told once
    assert not Entry.objects.acts().filter(simulated=False, at__lt=told.began).exists()
    assert Entry.objects.acts().filter(kind="stage changed").count() >= 50
    newest: dict[str, object] = {}
    for ref, at in (
        Entry.objects.acts().exclude(initiative_ref="").order_by("id").values_list("initiative_ref", "at")
    ):
        assert newest.setdefault(ref, at) <= at, "an initiative is told in the order of its days"
        newest[ref] = at
    assert max(newest.values()) < clock.now()
    with pytest.raises(CommandError, match="there already"):
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
    assert unknown == {"evidence added": {"captured_from"}}, "the demo captures nothing from an address"

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
    assert batch.rows.count() > 30
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
    assert len({initiative.pk for initiative, *_ in pairs}) >= 30
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


def test_a_database_of_others_is_left_as_it_is(cast):
    for options in ({}, {"reset": True}):
        with pytest.raises(CommandError, match="was not made by `demo`"):
            call_command("demo", **options)
    assert User.objects.filter(login="owner").exists()
