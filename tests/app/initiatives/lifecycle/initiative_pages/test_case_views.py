"""The page of an initiative, its details, tier and activity."""

import re
from datetime import timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup

from adoption.demo import initiative_acts
from governance import clock
from governance.database import row_history
from governance.database.row_history import acting
from governance.database.shown_state import ShownOtherwise
from governance.models import Entry, Rulebook
from governance.permission_result import Refused
from initiatives.contributions import contributed
from initiatives.integration.components import actions as components_actions
from initiatives.lifecycle.activity import timeline
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.holds import actions as hold_actions
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.initiative.forms import DetailsForm
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of
from tests.support.reported_stages import make_reported

pytestmark = pytest.mark.django_db


def test_owner_sees_what_stands_between_and_strangers_see_nothing(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert "Requirements for a prototype" in page
    assert "Which single question does this prototype answer?" in page
    assert "Allowed in this stage, and in the next" in page
    assert "Stop this initiative" in page
    acts_on_it = [at("initiative-act", initiative.ref, verb) for verb in ("edit", "propose-tier")]
    for page in (at("initiative", initiative.ref), at("initiative-activity", initiative.ref), *acts_on_it):
        assert as_(cast.outsider).get(page).status_code == 404
    assert as_(cast.owner).get("/initiatives/AI-9999999999999/").status_code == 404


def test_readers_are_not_offered_what_they_may_not_do(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.auditor).get(at("initiative", initiative.ref)))
    assert "Stop this initiative" not in page
    assert "Request a review" not in page


def test_a_prototype_says_so_on_every_page(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    for name in (
        "initiative",
        "requirements",
        "evidence",
        "contract",
        "deployments",
        "people",
        "declaration",
        "initiative-activity",
    ):
        page = text_of(client.get(at(name, initiative.ref)))
        assert "Not production-ready" not in page, name
        assert "No contract in force." in page, name
    overview = text_of(client.get(at("initiative", initiative.ref)))
    assert "Prove possibility" in overview
    assert "decided by the Retail board" in overview


def test_an_unsupported_stage_has_its_name_and_the_way_back(cast, as_):
    initiative = factories.make_mvp(cast)
    components_actions.record_component(
        initiative=initiative, layer="model", name="Language model", version="m-5", by=cast.lead
    )
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert "MVP: not supported by current evidence" in page
    assert re.search(r"<h2>\d+ open for its approved stage", page)
    assert "m-5" in page
    assert "add the missing evidence" in page


def test_a_stage_from_elsewhere_is_not_accused(cast, as_):
    initiative = make_reported(cast, stage="production")
    page = text_of(as_(cast.admin).get(at("initiative", initiative.ref)))
    assert "reported by the source, without evidence in Plumbline" in page
    assert "Production: not supported by current evidence" not in page
    assert "Production: not supported by current evidence" not in page


def test_holds_waivers_and_age_are_said_out_loud(cast, as_):
    initiative = factories.make_prototype(cast)
    hold_deeds.hold(
        initiative=initiative, reason="Two summaries named <b>another</b> customer.", by=cast.seat_risk
    )
    with time_machine.travel(clock.now() + timedelta(days=200), tick=False):
        page = text_of(as_(cast.chair).get(at("people", initiative.ref)))
    assert "someone raised a concern" in page
    assert "Elena Novak can lift the hold" in page
    assert "&lt;b&gt;another&lt;/b&gt;" in page
    assert "Prototype for 200 days. The planned end was" in page


def test_production_on_an_unassessed_model_is_said_out_loud(cast, as_):
    initiative = factories.make_production(cast)
    assert "no one has assessed" not in text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    components_actions.record_component(
        initiative=initiative, layer="model", name="Language model", version="m-6", by=cast.owner
    )
    assert "no one has assessed" in text_of(as_(cast.owner).get(at("contract", initiative.ref)))


def test_an_unreachable_quorum_is_told_before_submission(cast, as_):
    initiative = factories.make_initiative(cast)
    assert "quorum cannot be reached" not in text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    for seat in cast.board.memberships.filter(seat="business_value"):
        leaving.revoke_membership(membership=seat, reason="Moved", by=cast.admin)
    page = text_of(as_(cast.owner).get(at("initiative", initiative.ref)))
    assert "must sign and cannot" in page or "quorum cannot be reached" in page


def test_details_are_one_act_and_bad_input_keeps_what_was_typed(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    typed = {"title": initiative.title, "problem": "", "platform": "A named platform"}
    with acts() as kinds:
        answer = client.post(at("initiative-act", initiative.ref, "edit"), typed)
    assert answer.status_code == 200
    assert kinds == []
    assert "A named platform" in text_of(answer)
    with acts() as kinds:
        answer = client.post(
            at("initiative-act", initiative.ref, "edit"),
            typed | {"problem": "Forty minutes.", "confidential": "on"},
        )
    assert answer.status_code == 302
    assert kinds == ["details changed"]
    assert initiative_acts.fresh(initiative).confidential


def test_the_tier_is_proposed_by_the_owner_and_confirmed_by_its_seat(cast, as_):
    initiative = factories.make_initiative(cast)
    with acts() as kinds:
        bad = as_(cast.owner).post(
            at("initiative-act", initiative.ref, "propose-tier"),
            {"tier": "enormous", "worst_credible_harm": "Loss."},
        )
    assert bad.status_code == 200
    assert kinds == []
    assert "Loss." in text_of(bad)
    with acts() as kinds:
        as_(cast.owner).post(
            at("initiative-act", initiative.ref, "propose-tier"),
            {"tier": "high", "worst_credible_harm": "Loss."},
        )
    assert kinds == ["risk tier proposed"]
    assert as_(cast.owner).get(at("initiative-act", initiative.ref, "confirm-tier")).status_code == 403
    assert "Loss." in text_of(as_(cast.seat_risk).get(at("initiative-act", initiative.ref, "confirm-tier")))
    with acts() as kinds:
        as_(cast.seat_risk).post(
            at("initiative-act", initiative.ref, "confirm-tier"), SIGNED | {"tier": "high"}
        )
    assert kinds == ["risk tier confirmed"]
    assert initiative_acts.fresh(initiative).tier == "high"


def test_activity_tells_acts_in_words_with_their_rows(cast, as_):
    initiative = factories.make_initiative(cast)
    detail_actions.change_details(
        initiative=initiative, problem="Less time.", platform="", confidential=False, by=cast.owner
    )
    detail_actions.rename(
        initiative=initiative, title="Call notes", reason="That is what people say.", by=cast.owner
    )
    page = text_of(as_(cast.owner).get(at("initiative-activity", initiative.ref)))
    assert "registered the initiative in Account management" in page
    assert "changed problem." in page
    assert "renamed the initiative from “Customer summary assistant” to “Call notes”." in page
    assert "That is what people say." in page
    assert "<del>Customer summary assistant</del> Call notes" in page
    only = text_of(as_(cast.owner).get(at("initiative-activity", initiative.ref, kind="registered")))
    assert "changed problem" not in only
    for junk in ("?page=junk", "?page=999", "?who=x", "?who=99999999999999999999"):
        assert as_(cast.owner).get(at("initiative-activity", initiative.ref) + junk).status_code == 200


def test_refusals_are_shown_to_who_caused_them_and_to_who_may_see_the_audit_log(cast, as_):
    initiative = factories.make_initiative(cast)
    with pytest.raises(Refused):
        detail_actions.propose_tier(
            initiative=initiative, tier="high", worst_credible_harm="Loss.", by=cast.lead
        )
    for person, seen in ((cast.lead, True), (cast.auditor, True), (cast.admin, True), (cast.owner, False)):
        page = text_of(as_(person).get(at("initiative-activity", initiative.ref)))
        assert ("was refused" in page) is seen, person


def test_every_kind_of_entry_has_its_sentence(cast, as_):
    from governance.models import Entry, Rulebook
    from initiatives.lifecycle.activity import entry_wording as activity_entry_wording

    initiative = factories.make_production(cast)
    rulebook = Rulebook.objects.current().parsed
    for entry in Entry.objects.acts().of_initiative(initiative.ref):
        assert entry.kind in contributed.sentences, entry.kind
        said = activity_entry_wording.sentence(entry.kind, entry.facts["facts"], rulebook)
        assert not said.startswith(f"{entry.kind} ("), said


def test_every_sentence_can_be_read_and_what_a_fact_says_stays_its_words():
    from string import Formatter

    from initiatives.lifecycle.activity import entry_wording as activity_entry_wording

    for kind, template in contributed.sentences.items():
        for _, name, way, _ in Formatter().parse(template):
            assert not name or not way or way in contributed.ways, kind
        assert template.count("<") == template.count(">"), kind
    said = activity_entry_wording.sentence(
        "renamed", {"before": "{after} <a|b>", "after": "{all:term}"}, None
    )
    assert said == "renamed the initiative from “{after} <a|b>” to “{all:term}”."
    assert (
        activity_entry_wording.sentence("link answered", {"system": "Ledger"}, None)
        == "link answered (system Ledger)."
    )


@pytest.mark.django_db(transaction=True)  # each act its own transaction, as in life
def test_who_did_it_before_these_lines_begin_is_named_too(cast):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    for person, words in ((cast.lead, "Ten."), (cast.owner, "Twelve.")):
        requirement_actions.answer(
            initiative=initiative, requirement="mvp.users", kind="answered", text=words, by=person
        )
    last = Entry.objects.acts().of_initiative(initiative.ref).order_by("-id")[:1]
    (line,) = timeline.lines(initiative, last, Rulebook.objects.current().parsed)
    changes = [change for row in line.rows for change in row.changes]
    assert ("by", "Ravi Menon", "Marta Lindqvist") in changes


def test_all_that_is_overdue_is_one_banner_and_lists_unfold_where_there_is_room(cast, as_):
    initiative = factories.make_production(cast)
    today = clock.today()
    client, page = as_(cast.auditor), at("initiative", initiative.ref)
    gap = {
        "initiative": initiative,
        "owner": cast.lead,
        "due": today,
        "downstream": ["Archive"],
        "by": cast.owner,
    }
    hold_deeds.open_gap(text="The archive is not searched.", **gap)
    quiet = client.get(page).context
    with acting(system="test", reason="Overdue"):
        for number in range(3):
            due, text = today - timedelta(days=number + 1), f"Show number {number}"
            hold_actions.open_obligation(
                initiative, "criterion", source=f"one:{number}", text=text, due=due, responsible=cast.owner
            )
    late = client.get(page).context
    (told,) = [one for one in late["banners"] if "overdue" in one["title"]]
    assert told["title"] == "3 obligations are overdue."
    assert told["link"] == f"{initiative.get_absolute_url()}#obligations"
    assert "Show number 2." in told["text"], "the longest overdue"
    assert "Show number 0." not in told["text"]
    assert len(late["banners"]) == len(quiet["banners"]) + 1
    assert "obligations" not in late["unfolded"]
    assert sum(len(quiet[name]) for name in quiet["unfolded"]) <= 2
    assert ("gaps" in quiet["unfolded"]) is (len(quiet["banners"]) < 2 and not quiet["reaching"])


def test_the_kill_switch_is_the_second_thing_of_the_margin_and_a_phone_has_a_way_to_it(cast, as_):
    initiative = factories.make_mvp(cast)
    page = BeautifulSoup(text_of(as_(cast.owner).get(at("initiative", initiative.ref))), "html.parser")
    headings = [found.get_text() for found in page.select("aside.panel h2")]
    assert headings[:2] == ["People", "Kill switch"]
    way = page.select_one('main a[href="#switch"]')
    assert "drawn-slim" in way.parent["class"], "shown where the margin stands below the page"
    assert page.find(id="switch")
    idea = text_of(as_(cast.owner).get(at("initiative", factories.make_initiative(cast).ref)))
    assert "#switch" not in idea


def test_the_act_compares_once_more_after_its_lock(cast):
    """Between the check of a form and the lock of its act somebody else saves."""
    initiative = factories.make_initiative(cast)
    token = row_history.set_request_id("test")
    try:
        form = DetailsForm(
            {"title": "Mine", "problem": "Mine.", "reason": "So."}, row=initiative, initial=shown(initiative)
        )
        assert form.is_valid()
        with acting(by=cast.owner):
            row = initiative_acts.fresh(initiative)
            row.problem = "Somebody else's."
            row.save()
        with pytest.raises(ShownOtherwise) as refused:
            detail_actions.edit(initiative=initiative, by=cast.owner, **form.cleaned_data)
        assert refused.value.names == ["Problem"]
    finally:
        row_history.reset_request_id(token)


def shown(initiative) -> dict:
    return {name: getattr(initiative, name) for name in ("title", "problem", "platform", "confidential")}


def test_typed_accents_and_line_ends_are_one_and_a_refusal_repeats_them(cast, as_):
    initiative = factories.make_initiative(cast)
    url = at("initiative-act", initiative.ref, "edit")
    sent = {"title": initiative.title, "problem": "Zu\u0308rich\r\nwaits."}
    assert as_(cast.owner).post(url, sent).status_code == 302
    assert initiative_acts.fresh(initiative).problem == "Z\u00fcrich\nwaits."
    answer = as_(cast.auditor).post(url, sent | {"problem": "Words of an auditor.", "secret": "two words"})
    assert answer.status_code == 403
    assert "Words of an auditor." in text_of(answer)
    assert "two words" not in text_of(answer)
