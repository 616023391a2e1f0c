"""The Activity of an initiative: decisions as headlines, everything smaller folded and counted between them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from adoption.demo import initiative_acts
from governance.audit_log import entries
from governance.models import Entry
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contracts.enforcement import kill_switch
from initiatives.lifecycle.activity import headlines
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Review
from tests.support import factories
from tests.support.initiatives.initiative_pages import at, text_of

pytestmark = pytest.mark.django_db


def shown(client, initiative, **query) -> dict:
    """What the page was made of."""
    return client.get(at("initiative-activity", initiative.ref, **query)).context


def words(context) -> list[str]:
    """The headlines of a page, newest first."""
    return [one.headline.words for one in context["told"] if one.headline]


def test_decisions_are_headlines_with_who_on_how_many_seats_and_items(cast, as_):
    initiative = factories.make_mvp(cast)
    client = as_(cast.owner)
    context = shown(client, initiative)
    approved = next(
        one.headline for one in context["told"] if one.headline and "Prototype to MVP" in one.headline.words
    )
    review = Review.objects.get(initiative=initiative, gate="mvp")
    sign_offs = list(review.sign_offs.latest())
    items = {
        int(key)
        for sign_off in sign_offs
        for key in [*sign_off.covered_evidence, *sign_off.facts["evidence"]]
    }
    assert (approved.seats, approved.items) == (len(sign_offs), len(items))
    assert approved.items > 0
    assert approved.link == review.get_absolute_url()
    assert approved.line.who == cast.chair.full_name
    page = text_of(client.get(at("initiative-activity", initiative.ref)))
    assert f"{len(sign_offs)} seats signed" in page
    assert f"on {len(items)} items of evidence" in page
    assert f'href="{review.get_absolute_url()}"' in page
    contract = next(one for one in words(context) if one.startswith("Contract version 1 approved"))
    assert words(context).count(contract) == 1, "one headline a version, not one a seat"


def test_every_act_stands_on_the_page_or_is_counted_in_a_fold(cast, as_):
    initiative = factories.make_mvp(cast)
    told = shown(as_(cast.auditor), initiative)["told"]
    decided = [one.headline for one in told if one.headline]
    every = Entry.objects.acts().of_initiative(initiative.ref)
    assert len(decided) + sum(one.fold.count for one in told) == every.count()
    # The move that a review brought is told with the review.
    assert every.filter(kind=EntryKind.STAGE_CHANGED).count() == 2
    assert not [one for one in decided if one.line.kind == EntryKind.STAGE_CHANGED]
    longest = max((one.fold for one in told), key=lambda fold: fold.count)
    assert len(longest.lines) == headlines.FOLDED < longest.count
    listed = shown(
        as_(cast.auditor), initiative, show="everything", after=longest.after, before=longest.before
    )
    assert listed["page"].paginator.count == longest.count


def test_holds_demotions_stops_and_the_kill_switch_are_headlines(cast, as_):
    initiative = factories.make_mvp(cast)
    held = hold_deeds.hold(initiative=initiative, reason="Wrong totals.", by=cast.owner)
    hold_deeds.lift_hold(hold=held, reason="Fixed.", by=cast.chair)
    kill_switch.switch_off(
        initiative=initiative_acts.fresh(initiative), reason="Wrong totals again.", by=cast.owner
    )
    kill_switch.switch_on(initiative=initiative_acts.fresh(initiative), reason="Fixed.", by=cast.owner)
    stage_actions.stop(
        initiative=initiative_acts.fresh(initiative),
        reason_code="no_value",
        reason="Nobody used it.",
        by=cast.owner,
    )
    context = shown(as_(cast.owner), initiative)
    said = words(context)
    assert said[0] == "Stopped"
    assert {"Systems disabled", "Systems enabled again"} < set(said)
    assert any(one.startswith("Put on hold: ") for one in said)
    assert any(one.startswith("Hold lifted: ") for one in said)
    page = text_of(as_(cast.owner).get(at("initiative-activity", initiative.ref)))
    for reason in ("Nobody used it.", "Wrong totals."):
        assert reason in page


@pytest.mark.parametrize("show", ["evidence", "people"])
def test_a_filter_lists_its_kinds_alone(cast, as_, show):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    context = shown(client, initiative, show=show)
    assert context["lines"]
    assert {line.kind for line in context["lines"]} <= headlines.GROUPS[show]
    everything = shown(client, initiative, show="everything")["page"].paginator.count
    assert 0 < context["page"].paginator.count < everything
    assert everything == Entry.objects.acts().of_initiative(initiative.ref).count()


def test_groups_hold_no_kind_twice_and_a_kind_stays_reachable(cast, as_):
    assert not headlines.DECISIONS & headlines.EVIDENCE
    assert not headlines.DECISIONS & headlines.PEOPLE
    assert not headlines.EVIDENCE & headlines.PEOPLE
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    only = shown(client, initiative, kind="role accepted")
    assert {line.kind for line in only["lines"]} == {"role accepted"}
    for junk in ("show=junk", "after=x", "before=9" * 30, "show=decisions&page=99"):
        assert client.get(f"{at('initiative-activity', initiative.ref)}?{junk}").status_code == 200


def test_an_idea_nobody_decided_on_shows_its_acts_unfolded(cast, as_):
    initiative = factories.make_initiative(cast)
    context = shown(as_(cast.owner), initiative)
    assert [one.headline for one in context["told"]] == [None]
    assert "<details open>" in text_of(as_(cast.owner).get(at("initiative-activity", initiative.ref)))


def test_thousands_of_acts_cost_no_query_more_and_are_paged(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    page = at("initiative-activity", initiative.ref)

    def asked(address: str) -> tuple[int, int]:
        assert client.get(address).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        return len(queries), len(answer.content)

    queries, _ = asked(page)
    noise = [(initiative, {"requirement": "proto.scope", "answer": "yes", "text": "Again."})] * 150
    for _ in range(headlines.PAGE + 4):
        with act("test", by=cast.owner, initiative=initiative):
            entries.record_many(EntryKind.ANSWERED, noise)
            entries.record(EntryKind.HOLD_OPENED, initiative=initiative, hold_kind="concern", why="Wrong.")
    more, size = asked(page)
    assert more <= queries
    assert size < 400_000
    context = shown(client, initiative)
    assert len(words(context)) == headlines.PAGE
    assert [one.fold.count for one in context["told"]][1:-1] == [150] * (headlines.PAGE - 1)
    second = shown(client, initiative, page=2)
    assert asked(f"{page}?page=2")[0] <= queries
    written = Entry.objects.acts().of_initiative(initiative.ref).count()
    told = [*context["told"], *second["told"]]
    assert sum(one.fold.count + (one.headline is not None) for one in told) == written
