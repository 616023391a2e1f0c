"""Which initiatives resemble what somebody is about to register, and what is told of them."""

import pytest
from django.urls import reverse

from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.integration.components.actions import record_component
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.initiative.similar_initiatives import (
    nearest,
    said_not_similar,
    similar,
    similar_to_each,
)
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import Initiative
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives import tied_initiatives


@pytest.fixture
@snapshots.kept
def initiatives(cast):
    make = factories.make_initiative
    return {
        "summary": make(cast, title="Customer summary assistant"),
        "invoice": make(cast, title="Invoice matching", problem="Invoices are matched to orders by hand."),
        "claims": make(
            cast,
            title="Claims triage",
            unit=cast.elsewhere,
            problem="Customers wait for claims to be sorted.",
        ),
    }


@pytest.fixture
def others(cast):
    """What brings an initiative of an external inventory in, by title and problem."""

    def bring(title: str, problem: str) -> Initiative:
        lines = (
            f'Use case name,Agency,Use case ID,Stage,Problem\n{title},Other Org,{title},Planned,"{problem}"\n'
        )
        batch = inventory_actions.upload_batch(
            content=lines.encode(), file_name="theirs.csv", source=title, by=cast.admin
        )
        inventory_actions.confirm_batch(batch=batch, by=cast.admin)
        return Initiative.objects.get(title=title)

    return bring


def found(cast, title, problem="", person=None):
    person = person or cast.outsider
    return [stub.ref for stub in similar(title, problem, visibility.visible_to(person)).stubs]


def test_words_of_the_title_find_it_in_any_form(cast, initiatives):
    assert found(cast, "Summaries for customers")[0] == initiatives["summary"].ref
    assert found(cast, "matching of an invoice")[0] == initiatives["invoice"].ref
    assert found(cast, "invo") == [initiatives["invoice"].ref]


def test_the_problem_counts_when_several_words_meet(cast, initiatives):
    assert found(cast, "Helper", "Orders are matched by hand to their invoices") == [
        initiatives["invoice"].ref
    ]
    assert found(cast, "Helper", "Somebody waits") == []


def test_nothing_resembles_too_little(cast, initiatives):
    assert found(cast, "") == []
    assert found(cast, "a an if") == []
    assert found(cast, "zebra crossing") == []


def test_stubs_name_whom_to_ask_and_link_only_what_may_be_opened(cast, initiatives):
    theirs = similar("Claims", "", visibility.visible_to(cast.owner)).stubs
    assert [(stub.title, stub.unit, stub.stage, stub.ask) for stub in theirs] == [
        ("Claims triage", "Logistics", "proposed idea", "Marta Lindqvist")
    ]
    assert theirs[0].link  # the owner's own
    stranger = similar("Summary", "", visibility.visible_to(cast.outsider)).stubs
    assert [stub.link for stub in stranger] == [""]


def test_confidential_and_withdrawn_initiatives_are_not_told(cast, initiatives):
    with acting(system="test", reason="secret"):
        initiative = Initiative.objects.get(pk=initiatives["summary"].pk)
        initiative.confidential = True
        initiative.save()
    detail_actions.withdraw(initiative=initiatives["invoice"], reason="Twice", by=cast.owner)
    assert found(cast, "summary assistant") == []
    assert found(cast, "invoice matching") == []


def test_the_most_alike_comes_first_with_the_words_in_common(cast, initiatives):
    factories.make_initiative(
        cast, title="Invoice inbox", problem="Invoices matched by nobody wait in an inbox."
    )
    visible = visibility.visible_to(cast.owner)
    first, second = similar("Matching of invoices", "", visible).stubs
    assert (first.ref, first.words) == (initiatives["invoice"].ref, "invoices, matching")
    assert (second.title, second.words) == ("Invoice inbox", "invoices, matching")
    turned, _ = similar("Inbox for an invoice", "", visible).stubs
    assert turned.title == "Invoice inbox"


def test_three_at_the_most(cast):
    for number in range(5):
        factories.make_initiative(cast, title=f"Letter robot {number}", problem="Letters wait.")
    assert len(found(cast, "Letter robot")) == 3


def test_a_title_of_words_that_half_the_initiatives_have_is_still_found(cast):
    for number in range(6):
        factories.make_initiative(cast, title=f"Letter robot {number}", problem="Letters wait.")
    twin = factories.make_initiative(cast, title="Letter robot desk", problem="Letters wait.")
    assert found(cast, "Letter robot desk")[0] == twin.ref


@pytest.mark.parametrize(
    "typed", ["');--", "\U0001f600 invoice", "a&|!:* (invoice", "\\'invoice:*", "x" * 9000]
)
def test_what_is_typed_asks_for_words_only(cast, initiatives, typed):
    assert found(cast, typed, typed) == ([initiatives["invoice"].ref] if "invoice" in typed else [])


def test_a_post_mortem_that_the_same_owner_still_must_give_is_told_and_that_of_another_is_not(
    cast, initiatives
):
    initiative = factories.make_prototype(cast, title="Freight papers")
    stage_actions.stop(
        initiative=initiative, reason_code="no_value", reason="Nobody asked for it", by=cast.owner
    )
    visible = visibility.visible_to(cast.outsider)
    for owner, must_write in ((cast.owner.pk, True), (cast.outsider.pk, False), (None, False)):
        (stub,) = similar("Freight papers", "", visible, owner=owner).stubs
        assert stub.must_write is must_write


def test_a_constant_number_of_queries(cast, initiatives, django_assert_max_num_queries):
    visible = visibility.visible_to(cast.owner)
    with django_assert_max_num_queries(3):
        similar("customer claims invoice", "", visible)


# More little words than are looked for at all.
LITTLE = """me my we our you your he him his she her it its they them their what which who this that these those am is
are was were be been being have has had do does did doing a an the and but if or because as until while of at by for
with about against between into through during before after above below to from up down in out on off over under"""


def hide(initiative):
    with acting(system="test", reason="secret"):
        initiative = Initiative.objects.get(pk=initiative.pk)
        initiative.confidential = True
        initiative.save()


def test_names_of_linked_systems_and_vendors_count_like_words(cast, initiatives):
    acme = tied_initiatives.vendor(cast, "Zürich Labs")
    tied = tied_initiatives.link(
        cast, initiatives["claims"], tied_initiatives.system(cast, "Salesforce CRM", vendor=acme)
    )
    record_component(
        initiative=initiatives["invoice"],
        layer="model",
        name="Model",
        version="1",
        vendor="Quillworks",
        by=cast.owner,
    )
    claims, invoice = initiatives["claims"].ref, initiatives["invoice"].ref
    assert found(cast, "Salesforce helper") == [claims]
    assert found(cast, "Robot for Zurich") == [claims]
    assert found(cast, "Quillworks robot") == [invoice]
    assert found(cast, "Sales robot") == [], "the beginning of a name is not the name"
    assert found(cast, "Robot", "Somebody types Salesforce notes") == [], (
        "one word of a problem tells nothing"
    )
    same = factories.make_initiative(cast, title="Robot desk", problem="Nothing alike.")
    tied_initiatives.link(cast, same, tied.system)
    (of,) = similar_to_each([same], visibility.visible_to(cast.owner)).values()
    assert [stub.ref for stub in of] == [claims], "two words of one system in common"
    hide(initiatives["claims"])
    assert found(cast, "Salesforce helper") == [same.ref]


def test_little_words_and_numbers_tell_nothing(cast, initiatives):
    twin = factories.make_initiative(
        cast, title="Parking 2026 with 14 of the lots", problem="24 lots and 7 days."
    )
    assert found(cast, "The 2026 list of 14", "24 of them and 7") == []
    assert found(cast, "Parking")[0] == twin.ref
    assert found(cast, "Helper", f"{LITTLE} 1 22 333 invoices matched by hand") == [
        initiatives["invoice"].ref
    ]


def test_a_confidential_initiative_changes_nothing_that_is_told(cast, initiatives):
    said = {0: ("Customer claims", "Customers wait for invoices to be matched.")}
    before = nearest(said)
    hidden = factories.make_initiative(cast, title="Customer claims", problem="Customers wait for claims.")
    assert nearest(said) != before
    hide(hidden)
    assert nearest(said) == before, "neither place nor weight nor words"


def test_not_similar_is_remembered_for_both_and_by_name(cast, initiatives):
    visible = visibility.visible_to(cast.owner)
    one = factories.make_initiative(cast, title="Invoice reader", problem="Nobody reads them.")
    two = initiatives["invoice"]

    def near(initiative):
        return [stub.ref for stub in similar_to_each([initiative], visible)[initiative.pk]]

    assert near(one) == [two.ref]
    assert near(two) == [one.ref]
    for other in (cast.outsider, cast.chair, cast.admin):
        with pytest.raises(Refused):
            detail_actions.not_similar(initiative=one, other=two, by=other)
    detail_actions.not_similar(initiative=one, other=two, by=cast.owner)
    assert near(one) == near(two) == []
    assert set(found(cast, "Invoice")) == {one.ref, two.ref}, "beside a third they are shown"
    for initiative, other in ((one, two), (two, one)):
        with pytest.raises(Conflict):
            detail_actions.not_similar(initiative=initiative, other=other, by=cast.owner)
        assert said_not_similar([initiative]) == {initiative.pk: [(other, cast.owner)]}
    assert Entry.objects.acts().get(kind="not similar").facts["facts"]["other"] == two.ref
    hide(two)
    assert said_not_similar([one]) == {one.pk: []}


def test_a_initiative_of_which_nobody_hears_cannot_be_told_apart(cast, initiatives):
    hide(initiatives["summary"])
    detail_actions.withdraw(initiative=initiatives["claims"], reason="Twice", by=cast.owner)
    for other in (initiatives["summary"], initiatives["claims"], initiatives["invoice"]):
        with pytest.raises(Refused):
            detail_actions.not_similar(initiative=initiatives["invoice"], other=other, by=cast.owner)


def test_the_page_of_an_idea_shows_three_at_most_and_takes_not_similar(cast, initiatives, as_):
    for number in range(4):
        factories.make_initiative(cast, title=f"Invoice robot {number}", problem="Invoices wait.")
    idea, owner = initiatives["invoice"], as_(cast.owner)
    page = owner.get(idea.get_absolute_url())
    near = page.context["similar"]
    assert len(near) == 3
    address = reverse("initiative-act", args=[idea.ref, "not-similar"])
    number = near[0].ref.removeprefix("AI-")
    assert owner.post(address, {"other": number})["Location"].endswith("#similar")
    after = owner.get(idea.get_absolute_url())
    assert near[0].ref not in [stub.ref for stub in after.context["similar"]]
    assert "Marked as not similar" in after.content.decode()
    assert address not in as_(cast.chair).get(idea.get_absolute_url()).content.decode()
    assert as_(cast.chair).post(address, {"other": number}).status_code == 403
    assert as_(cast.outsider).post(address, {"other": number}).status_code == 404
    for junk in ("", "x", "9" * 30, "999"):
        assert "There is a problem" in owner.post(address, {"other": junk}).content.decode(), junk


def test_how_many_and_how_often_tell_nothing(cast):
    """Two people and a week are in every problem; what is done in it is not."""
    factories.make_initiative(
        cast, title="Credit note drafts", problem="Two people need a week each month for the drafts."
    )
    assert nearest({0: ("Badge queue", "Two people wait an hour each week of the month.")})[0] == []
    found = nearest({0: ("Drafts of reminders", "Two people need a week for the credit side.")})[0]
    assert [words for _, words in found] == ["credit, drafts"]


MINUTES = (
    "Minutes writer",
    "After each meeting somebody would take an hour to type up the notes. Assistants could do that.",
)


def test_words_of_every_work_tell_nothing(cast):
    factories.make_initiative(
        cast, title="Writing assistant", problem="Assistants would take over what a team needs to write."
    )
    assert nearest({0: MINUTES})[0] == []


def test_the_own_formatter_of_meeting_notes_is_found_before_lists_of_others(cast, others):
    theirs = others(
        "Meeting minutes generator", "Notes of meetings are typed up by hand, and minutes come late."
    )
    for number in range(3):
        others(f"Travel booking {number}", "Trips to a meeting are booked from notes by assistants.")
    own = factories.make_initiative(
        cast, title="Format helper", problem="Meeting notes are typed up in a form by hand."
    )
    assert found(cast, *MINUTES) == [own.ref, theirs.ref]


def test_a_list_of_others_needs_more_in_common_than_a_word_of_the_title(cast, others):
    theirs = others("Invoice matching", "Invoices are matched to orders by hand.")
    assert found(cast, "Invoice reader", "Orders come on paper.") == []
    assert found(cast, "Invoice matching", "Orders are matched by hand.") == [theirs.ref]


def test_the_problem_weighs_more_than_the_title(cast):
    same_title = factories.make_initiative(
        cast, title="Night watch", problem="Alarms ring for hours at night."
    )
    same_problem = factories.make_initiative(
        cast, title="Parcel tracing", problem="Parcels are lost between depots and customers call about them."
    )
    said = "Night watch", "Parcels are lost between depots, and customers call about lost parcels."
    assert found(cast, *said) == [same_problem.ref, same_title.ref]
