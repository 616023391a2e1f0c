"""The requirements: one requirement a page, drafts, conflicts, exceptions, the declaration."""

import re

import pytest
from bs4 import BeautifulSoup

from adoption.demo import artefacts, initiative_acts
from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.rulebook import shipped_text
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.requirements import actions as requirement_actions
from initiatives.lifecycle.requirements.views import LINES
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.scope import actions as scope_actions
from initiatives.models import AnswerDraft
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at, text_of
from tests.support.initiatives.open_reviews import before_prototype

pytestmark = pytest.mark.django_db


def sent(initiative, key="proto.question", **fields) -> dict:
    """What a browser sends for a row of this requirement that nobody answered yet."""
    return {"kind": "answered", "text": "", "based_on": "0", "evidence-kind": "document"} | fields


def test_the_list_opens_at_the_gate_ahead_in_groups(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("requirements", initiative.ref)))
    assert "Requirements for Intake to prototype" in page
    assert "<b>7 open for the next gate, of which 7 yours</b>" in page
    other = text_of(as_(cast.seat_risk).get(at("requirements", initiative.ref)))
    assert "Yours" not in other
    assert f"Waits for {cast.owner}" in other
    assert "<b>7 open for the next gate</b>" in other
    assert as_(cast.outsider).get(at("requirements", initiative.ref)).status_code == 404
    for junk in ("?gate=junk", "?show=junk", "?layer=junk&gate=production"):
        assert as_(cast.owner).get(at("requirements", initiative.ref) + junk).status_code == 200


def test_a_stage_that_lost_support_leads_first_to_what_it_lacks(cast, as_):
    initiative = factories.make_mvp(cast)
    client = as_(cast.owner)
    first = 'gate=live&amp;show=open">'
    assert first not in text_of(client.get(at("requirements", initiative.ref))), "nothing fell"
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.workflow", kind="no", text="Redrawn.", by=cast.owner
    )
    page = text_of(client.get(at("requirements", initiative.ref)))
    assert "1 open for its approved stage, of which 1 yours." in page
    assert first in page
    fallen = text_of(client.get(at("requirements", initiative.ref, gate="live", show="open")))
    assert 'id="row-mvp.workflow"' in fallen
    row = text_of(client.get(at("requirement", initiative.ref, "mvp.workflow")))
    assert "Leave this empty to use the name of the file or clause" in row, (
        "optional, and asked for once evidence is meant"
    )
    assert first not in fallen, "one is there"


def test_filters_choose_layer_and_what_waits(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("requirements", initiative.ref, layer="model")))
    assert 'id="row-proto.limitations"' in page
    assert 'id="row-proto.question"' not in page
    mine = text_of(as_(cast.seat_risk).get(at("requirements", initiative.ref, show="mine")))
    assert "No requirements match these filters" in mine


def test_saving_a_row_is_one_act_and_leads_back_to_it(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    with acts() as kinds:
        answer = client.post(
            at("requirement", initiative.ref, "proto.question"),
            sent(initiative, text="Can it route 85 % right?", true_as_of=clock.today().isoformat()),
        )
    assert answer.status_code == 302
    assert answer.url.endswith("#row-proto.question")
    assert kinds == ["answered", "evidence added"]
    assert "<b>6 open for the next gate" in text_of(client.get(at("requirements", initiative.ref)))
    assert "Can it route 85 % right?" in text_of(
        client.get(at("requirement", initiative.ref, "proto.question"))
    )


def test_answer_and_evidence_are_saved_together_or_not_at_all(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("requirement", initiative.ref, "proto.scope")
    typed = sent(
        initiative,
        text="Two teams.",
        **{"evidence-title": "Scope note", "evidence-observed_on": "2001-01-01"},
    )
    with acts() as kinds:
        answer = client.post(url, typed)
    page = text_of(answer)
    assert answer.status_code == 422
    assert kinds == []
    assert "Two teams." in page
    assert "Scope note" in page
    assert "so that others can open the evidence" in page
    with acts() as kinds:
        answer = client.post(url, typed | {"evidence-file": artefacts.pdf("scope")})
    assert answer.status_code == 302
    assert kinds == ["answered", "evidence added", "evidence added"], "and that the owner says so"
    item = initiative.evidence.get(title="Scope note")
    assert item.sha256
    assert item.coverage.get().requirement == "proto.scope"


def test_saving_leads_to_the_next_requirement_that_has_no_answer(cast, as_):
    initiative = factories.make_initiative(cast)
    client, first = as_(cast.owner), at("requirement", initiative.ref, "proto.question")
    assert "Save and go to next requirement" in text_of(client.get(first))
    stay = client.post(
        first, sent(initiative, text="Can it?", true_as_of=clock.today().isoformat()) | {"then": "next"}
    )
    assert stay.url == at("requirement", initiative.ref, "proto.scope", gate="prototype")
    assert "2 of 7" in text_of(client.get(stay.url))
    then = client.post(stay.url, sent(initiative, text="Two teams.") | {"then": "next"})
    assert then.url == at("requirement", initiative.ref, "proto.assumptions", gate="prototype")
    assert client.post(first, sent(initiative, text="Can it!", based_on="1")).url.endswith(
        "#row-proto.question"
    )
    for key in Rulebook.objects.current().parsed.gates["prototype"].requirements():
        if not initiative.answers.filter(requirement=key).exists() and key != "proto.to_advance":
            requirement_actions.answer(
                initiative=initiative, requirement=key, kind="answered", text="So.", by=cast.owner
            )
    last = at("requirement", initiative.ref, "proto.to_advance")
    assert "Save and go to next requirement" not in text_of(client.get(last)), "nothing is left"
    back = client.post(last, sent(initiative, text="A trial.") | {"then": "next"})
    assert back.url.endswith("#row-proto.to_advance")


@pytest.mark.parametrize("evidence", [{}, {"evidence-title": "Scope note"}])
def test_evidence_without_a_title_is_called_by_its_file(cast, as_, evidence):
    initiative = factories.make_initiative(cast)
    file = artefacts.pdf("scope")
    file.name = "Scope of May.pdf"
    typed = sent(initiative, text="Two teams.", **evidence)
    typed |= {"evidence-file": file, "evidence-observed_on": clock.today().isoformat()}
    assert as_(cast.owner).post(at("requirement", initiative.ref, "proto.scope"), typed).status_code == 302
    assert initiative.evidence.get(kind="document").title == evidence.get("evidence-title", "Scope of May")


def test_evidence_stands_open_where_a_word_alone_is_not_enough(cast, as_):
    factories.make_rulebook(cast.admin, cast.chair, source=shipped_text())
    initiative, beside = factories.make_initiative(cast), "Add evidence to your answer"
    client = as_(cast.owner)
    assert beside in text_of(client.get(at("requirement", initiative.ref, "proto.question"))), (
        "stated is enough"
    )
    assert beside not in text_of(client.get(at("requirement", initiative.ref, "mvp.problem"))), (
        "an artefact is asked"
    )


def test_an_item_added_before_is_offered_for_another_requirement(cast, as_):
    initiative = factories.make_initiative(cast)
    item = evidence_actions.add_evidence(
        initiative=initiative,
        kind="document",
        title="Scope note",
        observed_on=clock.today(),
        covers=["proto.scope"],
        link="https://example.org/scope",
        by=cast.owner,
    )
    with acts() as kinds:
        as_(cast.owner).post(
            at("requirement", initiative.ref, "proto.not_production"),
            sent(initiative, text="", **{"evidence-source": "offer", "evidence-offer": str(item.pk)}),
        )
    assert kinds == ["evidence offered"]


def test_bad_input_gets_a_message_and_changes_nothing(cast, as_):
    initiative = factories.make_initiative(cast)
    for wrong in (
        {"true_as_of": "3026-01-01", "text": "Yes."},
        {"true_as_of": "0001-01-01", "text": "Yes."},
        {"true_as_of": "junk", "text": "Yes."},
        {"kind": "junk", "text": "Yes."},
        {"kind": "no", "text": ""},
        {"kind": "not_applicable", "text": ""},
        {"based_on": "junk", "text": "Yes."},
    ):
        with acts() as kinds:
            answer = as_(cast.owner).post(
                at("requirement", initiative.ref, "proto.question"), sent(initiative, **wrong)
            )
        assert answer.status_code == 422
        assert kinds == []
        assert "Not saved yet" in text_of(answer) or "based_on" in wrong


def test_an_empty_row_says_that_there_is_nothing_to_save(cast, as_):
    initiative = factories.make_initiative(cast)
    answer = as_(cast.owner).post(at("requirement", initiative.ref, "proto.question"), sent(initiative))
    assert answer.status_code == 403
    assert "no answer and no evidence" in text_of(answer)


def test_unknown_requirements_are_not_found(cast, as_):
    initiative = factories.make_initiative(cast)
    client = as_(cast.owner)
    assert client.get(at("requirement", initiative.ref, "no.such")).status_code == 404
    assert client.post(at("requirement-draft", initiative.ref, "no.such"), {"text": "x"}).status_code == 404
    endless = (f"{'x' * 100_001}=", "application/x-www-form-urlencoded")  # only the name is long
    assert client.post(at("requirement-draft", initiative.ref, "proto.question"), *endless).status_code == 404
    assert (
        client.post(at("requirement-accept", initiative.ref, "no.such"), {"version": "1"}).status_code == 404
    )
    assert as_(cast.outsider).get(at("requirement", initiative.ref, "proto.question")).status_code == 404


def test_a_lost_race_shows_both_texts_and_keeps_the_typed_one(cast, as_):
    initiative = factories.make_initiative(cast)
    requirement_actions.answer(
        initiative=initiative, requirement="proto.question", kind="answered", text="Theirs.", by=cast.owner
    )
    client, url = as_(cast.owner), at("requirement", initiative.ref, "proto.question")
    with acts() as kinds:
        answer = client.post(url, sent(initiative, text="Mine."))
    page = text_of(answer)
    assert answer.status_code == 409
    assert "Theirs." in page
    assert "Mine." in page
    assert kinds == ["refused"]
    assert 'name="based_on" value="1"' in page
    assert "Mine." in text_of(client.get(url)), "the typed words are kept as a draft"
    assert client.post(url, sent(initiative, text="Both.", based_on="1")).status_code == 302
    assert initiative.answers.get(requirement="proto.question").text == "Both."


def test_a_draft_survives_a_closed_tab_and_goes_with_saving(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("requirement", initiative.ref, "proto.scope")
    typed = sent(initiative, text="Half a sentence", **{"evidence-title": "Scope note"})
    assert client.post(at("requirement-draft", initiative.ref, "proto.scope"), typed).status_code == 204
    page = text_of(client.get(url))
    assert "Half a sentence" in page
    assert "Scope note" in page
    assert "is restored" in page
    other = as_(cast.seat_risk)
    assert "Half a sentence" not in text_of(other.get(url)), "a draft is private"
    assert other.post(at("requirement-draft", initiative.ref, "proto.scope"), typed).status_code == 403
    assert client.post(url, sent(initiative, text="A whole sentence.")).status_code == 302
    assert not AnswerDraft.objects.exists()


def test_an_answer_of_an_initiative_in_production_is_an_example_for_whoever_may_see_it(cast, as_):
    there = factories.make_production(cast)
    said = there.answers.get(requirement="proto.question").text
    initiative = factories.make_initiative(cast, title="Another")
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "proto.question")))
    assert "Example from another initiative" in page
    assert said in page
    assert there.title in page
    own = text_of(as_(cast.owner).get(at("requirement", there.ref, "proto.question")))
    assert "Example from another initiative" not in own, "no example for itself"
    there.confidential = True
    with acting(system="test"):
        there.save()
    hidden = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "proto.question")))
    assert "Example from another initiative" not in hidden


def test_a_seat_accepts_that_a_requirement_does_not_apply(cast, as_):
    initiative = factories.make_initiative(cast)
    requirement_actions.answer(
        initiative=initiative,
        requirement="proto.scope",
        kind="not_applicable",
        text="No scope.",
        by=cast.owner,
    )
    seat = cast.seat_value
    page = text_of(as_(seat).get(at("requirements", initiative.ref)))
    assert "Accept as not applicable" in page
    assert "You can do now" in page
    assert "Accept as not applicable" not in text_of(as_(cast.owner).get(at("requirements", initiative.ref)))
    url = at("requirement-accept", initiative.ref, "proto.scope")
    assert as_(cast.owner).post(url, {"version": "1"}).status_code == 403
    for junk in ("", "x", "²"):
        assert as_(seat).post(url, {"version": junk}).status_code == 404
    assert as_(seat).post(url, {"version": "7"}).status_code == 409
    with acts() as kinds:
        assert as_(seat).post(url, {"version": "1"}).status_code == 302
    assert kinds == ["not applicable accepted"]


def test_the_form_says_which_approvals_go_stale(cast, as_):
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    url, sent = (
        at("requirement", initiative.ref, "proto.question"),
        {"kind": "answered", "text": "Other words."},
    )
    page = text_of(as_(cast.owner).post(url, sent | {"based_on": "1"}, confirm=False))
    assert "Consequences" in page
    assert "Other words." in page
    assert initiative.answers.get(requirement="proto.question").text != "Other words."
    assert "approval by Amara Diallo for the" in page
    assert "seat will no longer count" in page


def test_the_generated_answer_is_not_written(cast, as_):
    initiative = factories.make_initiative(cast)
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "prod.q07_governance_evidence")))
    assert "You cannot write or upload it" in page
    assert "<textarea" not in page


def test_the_declaration_is_made_before_the_gate_frozen_by_it_and_compared_after(cast, as_):
    initiative = factories.make_initiative(cast)
    client, url = as_(cast.owner), at("declaration", initiative.ref)
    key, other, *_ = requirement_actions.declared_goal_keys()
    with acts() as kinds:
        client.post(url, {f"{key}-text": "", "junk-text": "Nobody asks for that."})
    assert kinds == []
    with acts() as kinds:
        client.post(url, {f"{key}-text": "Half the time by May.", f"{other}-text": "Used daily by May."})
    assert kinds == ["declared", "declared"]
    with acts() as kinds:
        page = text_of(client.get(url))
        client.post(url, {f"{key}-text": "Half the time by May.", f"{other}-text": "Used weekly by May."})
    assert kinds == ["declared"], "what stands as it was is not declared again"
    assert "Half the time by May." in page
    with acts() as kinds:
        bad = client.post(url, {f"{key}-text": "", f"{other}-text": "Never by May."})
    assert (bad.status_code, kinds) == (422, []), "all of it or nothing"
    assert "Never by May." in text_of(bad)
    on = client.post(url, {f"{other}-text": "Used weekly by June.", "then": "next"})
    assert on.url == at("requirements", initiative.ref), "on to the requirements"
    assert as_(cast.seat_risk).post(url, {f"{key}-text": "Mine."}).status_code == 403
    assert as_(cast.outsider).get(url).status_code == 404


def test_a_frozen_declaration_takes_a_result_beside_it(cast, as_):
    initiative = factories.make_mvp(cast)
    client, url = as_(cast.owner), at("declaration", initiative.ref)
    key = requirement_actions.declared_goal_keys()[0]
    assert "no result yet" in text_of(client.get(url))
    bad = client.post(url, {f"{key}-result": "", f"{key}-outcome": "Shown."})
    assert bad.status_code == 422
    assert "Shown." in text_of(bad)
    with acts() as kinds:
        client.post(url, {f"{key}-result": "missed", f"{key}-outcome": "Not shown."})
    assert kinds == ["outcome reported"]
    page = text_of(client.get(url))
    assert "missed" in page
    assert "Not shown." in page
    assert client.get(at("requirement", initiative.ref, "proto.question")).status_code == 200
    assert "as decided" in text_of(client.get(at("requirements", initiative.ref, gate="prototype")))


def test_a_long_list_that_waits_for_nobody_is_folded_unless_it_was_asked_for(cast, as_):
    initiative = factories.make_mvp(cast)
    client, page = as_(cast.seat_risk), at("requirements", initiative.ref, gate="mvp")
    (ready,) = client.get(page).context["groups"]
    assert len(ready["rows"]) > LINES
    assert not ready["open"]
    assert client.get(f"{page}&layer=policy").context["groups"][0]["open"]
    short = factories.make_prototype(cast)
    (few,) = client.get(at("requirements", short.ref, gate="prototype")).context["groups"]
    assert len(few["rows"]) <= LINES
    assert few["open"]


def test_words_that_other_answers_repeat_are_said_on_the_page_and_to_signers(cast, as_):
    review = before_prototype(cast)
    initiative = review.initiative
    for key in ("proto.question", "proto.scope", "proto.assumptions"):
        requirement_actions.answer(
            initiative=initiative, requirement=key, kind="answered", text="As agreed  in May.", by=cast.owner
        )
    page = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "proto.question")))
    assert "Same words as 2 other answers." in page
    assert text_of(as_(cast.seat_value).get(review.get_absolute_url())).count("Same words as 2 other") == 3
    other = text_of(as_(cast.owner).get(at("requirement", initiative.ref, "proto.limitations")))
    assert "Same words" not in other


def test_the_model_comes_before_evidence_that_has_to_name_it(cast, as_):
    """Every requirement whose evidence the model would void says so, and none of them is the next step."""
    initiative = factories.make_initiative(cast)
    client, rulebook = as_(cast.owner), Rulebook.objects.current().parsed
    model = at("initiative-act", initiative.ref, "record-version")
    page = text_of(client.get(at("requirements", initiative.ref, gate="mvp")))
    assert (
        "First record the model. Otherwise, your evidence stops counting when the model is recorded." in page
    )
    assert model in page
    waiting = [
        key
        for key in rulebook.gates["mvp"].requirements()
        if "model_version" in rulebook.requirements[key].triggers
    ]
    assert len(waiting) > 3
    following = BeautifulSoup(page, "html.parser").find(
        "a", class_="btn go", string=re.compile("Answer the next requirement")
    )
    assert following["href"].split("/")[-2] not in waiting
    for key in waiting[:3]:
        row = text_of(client.get(at("requirement", initiative.ref, key)))
        assert "First record the model." in row
        assert model in row
    factories.make_use(cast, initiative, factories.make_model(cast))
    page = text_of(client.get(at("requirements", initiative.ref, gate="mvp")))
    assert "First record the model." not in page


def test_the_main_button_requests_a_review_when_only_advice_is_open(cast, as_):
    initiative = factories.make_prototype(cast)
    initiative_acts.staff(initiative, cast.team)
    initiative_acts.contract(initiative_acts.fresh(initiative), cast.team)
    initiative_acts.plan_scope(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "mvp", cast.team)
    requirement_actions.answer(
        initiative=initiative, requirement="mvp.lessons_read", kind="no", text="To do.", by=cast.owner
    )
    page = BeautifulSoup(text_of(as_(cast.owner).get(at("requirements", initiative.ref))), "html.parser")
    assert page.find(id="row-mvp.lessons_read").find_parent("section").find_all("li"), "advice is open"
    (main,) = page.find("main").find_all("a", class_="btn go")
    assert main["href"] == at("review-open", initiative.ref)


def test_the_scope_of_the_next_stage_comes_before_evidence_that_it_would_end(cast, as_):
    initiative = factories.make_prototype(cast)
    client = as_(cast.owner)
    assert "First plan the scope." not in text_of(client.get(at("requirements", initiative.ref, gate="mvp")))
    scope_actions.record_scope(
        initiative=initiative,
        users="Three testers",
        user_count=3,
        departments=[],
        places=[],
        data_classes=[],
        test_subjects=[],
        ends_on=None,
        rollout=False,
        live_data=False,
        by=cast.owner,
    )
    page = text_of(client.get(at("requirements", initiative.ref, gate="mvp")))
    assert "First plan the scope." in page
    assert at("initiative-act", initiative.ref, "record-scope") in page
    initiative_acts.plan_scope(initiative, cast.team)
    assert "First plan the scope." not in text_of(client.get(at("requirements", initiative.ref, gate="mvp")))


def test_the_page_of_a_requirement_that_measures_answer_leads_to_the_measure(cast, as_):
    initiative = factories.make_prototype(cast)
    requirement_actions.answer(
        initiative=initiative, requirement="adopt.usage", kind="answered", text="Forty.", by=cast.owner
    )
    page = as_(cast.owner).get(f"/initiatives/{initiative.ref}/requirements/adopt.usage/").content.decode()
    assert "Declare a measure" in page


def test_a_goal_declared_after_the_gate_is_frozen_at_once_and_takes_a_result(cast):
    """A higher tier asks for more goals than minimal risk did at the gate."""
    initiative = factories.make_minimal(cast)
    assert set(requirement_actions.declared_goal_keys("minimal")) == {
        row.key for row in initiative.declared_goals.all()
    }
    late = {"initiative": initiative, "key": "workflow_fit", "by": cast.owner}
    assert requirement_actions.declare(text="No step changes.", **late).frozen_at is not None
    assert requirement_actions.report_outcome(result="met", outcome="So it was.", **late).result == "met"
