"""Which cases resemble what somebody is about to register, and what is told of them."""

import pytest

from governance.database.row_history import acting
from governance.models import Entry
from governance.permission_result import Conflict, Refused
from initiatives.access import permissions as case_permissions
from initiatives.cases.similar_cases import nearest, said_not_similar, similar, similar_to_each
from initiatives.components.actions import record_component
from initiatives.models import Initiative
from initiatives.registration import actions as registration_actions
from initiatives.stages import actions as stage_actions
from tests.support import factories
from tests.support.cases import tied_cases
from tests.support.database import snapshots


@pytest.fixture
@snapshots.kept
def cases(cast):
    make = factories.make_case
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


def found(cast, title, problem="", person=None):
    person = person or cast.outsider
    return [stub.ref for stub in similar(title, problem, case_permissions.visible_to(person)).stubs]


def test_words_of_the_title_find_it_in_any_form(cast, cases):
    assert found(cast, "Summaries for customers")[0] == cases["summary"].ref
    assert found(cast, "matching of an invoice")[0] == cases["invoice"].ref
    assert found(cast, "invo") == [cases["invoice"].ref]


def test_the_problem_counts_when_several_words_meet(cast, cases):
    assert found(cast, "Helper", "Orders are matched by hand to their invoices") == [cases["invoice"].ref]
    assert found(cast, "Helper", "Somebody waits") == []


def test_nothing_resembles_too_little(cast, cases):
    assert found(cast, "") == []
    assert found(cast, "a an if") == []
    assert found(cast, "zebra crossing") == []


def test_stubs_name_whom_to_ask_and_link_only_what_may_be_opened(cast, cases):
    theirs = similar("Claims", "", case_permissions.visible_to(cast.owner)).stubs
    assert [(stub.title, stub.unit, stub.stage, stub.ask) for stub in theirs] == [
        ("Claims triage", "Logistics", "proposed idea", "Marta Lindqvist")
    ]
    assert theirs[0].link  # the owner's own
    stranger = similar("Summary", "", case_permissions.visible_to(cast.outsider)).stubs
    assert [stub.link for stub in stranger] == [""]


def test_confidential_and_withdrawn_cases_are_not_told(cast, cases):
    with acting(system="test", reason="secret"):
        case = Initiative.objects.get(pk=cases["summary"].pk)
        case.confidential = True
        case.save()
    registration_actions.withdraw(case=cases["invoice"], reason="Twice", by=cast.owner)
    assert found(cast, "summary assistant") == []
    assert found(cast, "invoice matching") == []


def test_the_most_alike_comes_first_with_the_words_in_common(cast, cases):
    factories.make_case(cast, title="Invoice inbox", problem="Invoices matched by nobody wait in an inbox.")
    visible = case_permissions.visible_to(cast.owner)
    first, second = similar("Matching of invoices", "", visible).stubs
    assert (first.ref, first.words) == (cases["invoice"].ref, "invoices, matching")
    assert (second.title, second.words) == ("Invoice inbox", "invoices, matching")
    turned, _ = similar("Inbox for an invoice", "", visible).stubs
    assert turned.title == "Invoice inbox"


def test_three_at_the_most(cast):
    for number in range(5):
        factories.make_case(cast, title=f"Letter robot {number}", problem="Letters wait.")
    assert len(found(cast, "Letter robot")) == 3


def test_a_title_of_words_that_half_the_cases_have_is_still_found(cast):
    for number in range(6):
        factories.make_case(cast, title=f"Letter robot {number}", problem="Letters wait.")
    twin = factories.make_case(cast, title="Letter robot desk", problem="Letters wait.")
    assert found(cast, "Letter robot desk")[0] == twin.ref


@pytest.mark.parametrize(
    "typed", ["');--", "\U0001f600 invoice", "a&|!:* (invoice", "\\'invoice:*", "x" * 9000]
)
def test_what_is_typed_asks_for_words_only(cast, cases, typed):
    assert found(cast, typed, typed) == ([cases["invoice"].ref] if "invoice" in typed else [])


def test_a_post_mortem_that_the_same_owner_still_owes_is_told_and_that_of_another_is_not(cast, cases):
    case = factories.make_prototype(cast, title="Freight papers")
    stage_actions.stop(case=case, reason_code="no_value", reason="Nobody asked for it", by=cast.owner)
    visible = case_permissions.visible_to(cast.outsider)
    for owner, owes in ((cast.owner.pk, True), (cast.outsider.pk, False), (None, False)):
        (stub,) = similar("Freight papers", "", visible, owner=owner).stubs
        assert stub.owes is owes


def test_a_constant_number_of_queries(cast, cases, django_assert_max_num_queries):
    visible = case_permissions.visible_to(cast.owner)
    with django_assert_max_num_queries(3):
        similar("customer claims invoice", "", visible)


# More little words than are looked for at all.
LITTLE = """me my we our you your he him his she her it its they them their what which who this that these those am is
are was were be been being have has had do does did doing a an the and but if or because as until while of at by for
with about against between into through during before after above below to from up down in out on off over under"""


def hide(case):
    with acting(system="test", reason="secret"):
        case = Initiative.objects.get(pk=case.pk)
        case.confidential = True
        case.save()


def test_names_of_linked_systems_and_vendors_count_like_words(cast, cases):
    acme = tied_cases.vendor(cast, "Zürich Labs")
    tied = tied_cases.link(cast, cases["claims"], tied_cases.system(cast, "Salesforce CRM", vendor=acme))
    record_component(
        case=cases["invoice"], layer="model", name="Model", version="1", vendor="Quillworks", by=cast.owner
    )
    claims, invoice = cases["claims"].ref, cases["invoice"].ref
    assert found(cast, "Salesforce helper") == [claims]
    assert found(cast, "Robot for Zurich") == [claims]
    assert found(cast, "Quillworks robot") == [invoice]
    assert found(cast, "Sales robot") == [], "the beginning of a name is not the name"
    assert found(cast, "Robot", "Somebody types Salesforce notes") == [], (
        "one word of a problem tells nothing"
    )
    same = factories.make_case(cast, title="Robot desk", problem="Nothing alike.")
    tied_cases.link(cast, same, tied.system)
    (of,) = similar_to_each([same], case_permissions.visible_to(cast.owner)).values()
    assert [stub.ref for stub in of] == [claims], "two words of one system in common"
    hide(cases["claims"])
    assert found(cast, "Salesforce helper") == [same.ref]


def test_little_words_and_numbers_tell_nothing(cast, cases):
    twin = factories.make_case(cast, title="Parking 2026 with 14 of the lots", problem="24 lots and 7 days.")
    assert found(cast, "The 2026 list of 14", "24 of them and 7") == []
    assert found(cast, "Parking")[0] == twin.ref
    assert found(cast, "Helper", f"{LITTLE} 1 22 333 invoices matched by hand") == [cases["invoice"].ref]


def test_a_confidential_case_changes_nothing_that_is_told(cast, cases):
    said = {0: ("Customer claims", "Customers wait for invoices to be matched.")}
    before = nearest(said)
    hidden = factories.make_case(cast, title="Customer claims", problem="Customers wait for claims.")
    assert nearest(said) != before
    hide(hidden)
    assert nearest(said) == before, "neither place nor weight nor words"


def test_not_similar_is_remembered_for_both_and_by_name(cast, cases):
    visible = case_permissions.visible_to(cast.owner)
    one = factories.make_case(cast, title="Invoice reader", problem="Nobody reads them.")
    two = cases["invoice"]

    def near(case):
        return [stub.ref for stub in similar_to_each([case], visible)[case.pk]]

    assert near(one) == [two.ref]
    assert near(two) == [one.ref]
    for other in (cast.outsider, cast.chair, cast.admin):
        with pytest.raises(Refused):
            registration_actions.not_similar(case=one, other=two, by=other)
    registration_actions.not_similar(case=one, other=two, by=cast.owner)
    assert near(one) == near(two) == []
    assert set(found(cast, "Invoice")) == {one.ref, two.ref}, "beside a third they are shown"
    for case, other in ((one, two), (two, one)):
        with pytest.raises(Conflict):
            registration_actions.not_similar(case=case, other=other, by=cast.owner)
        assert said_not_similar([case]) == {case.pk: [(other, cast.owner)]}
    assert Entry.objects.acts().get(kind="not similar").facts["facts"]["other"] == two.ref
    hide(two)
    assert said_not_similar([one]) == {one.pk: []}


def test_a_case_of_which_nobody_hears_cannot_be_told_apart(cast, cases):
    hide(cases["summary"])
    registration_actions.withdraw(case=cases["claims"], reason="Twice", by=cast.owner)
    for other in (cases["summary"], cases["claims"], cases["invoice"]):
        with pytest.raises(Refused):
            registration_actions.not_similar(case=cases["invoice"], other=other, by=cast.owner)


def test_the_page_of_an_idea_shows_three_at_most_and_takes_not_similar(cast, cases, as_):
    for number in range(4):
        factories.make_case(cast, title=f"Invoice robot {number}", problem="Invoices wait.")
    idea, owner = cases["invoice"], as_(cast.owner)
    page = owner.get(idea.get_absolute_url())
    near = page.context["similar"]
    assert len(near) == 3
    address = f"{idea.get_absolute_url()}not-similar/"
    number = near[0].ref.removeprefix("AI-")
    assert owner.post(address, {"other": number})["Location"].endswith("#similar")
    after = owner.get(idea.get_absolute_url())
    assert near[0].ref not in [stub.ref for stub in after.context["similar"]]
    assert "Said not to be similar" in after.content.decode()
    assert "not-similar/" not in as_(cast.chair).get(idea.get_absolute_url()).content.decode()
    assert as_(cast.chair).post(address, {"other": number}).status_code == 403
    assert as_(cast.outsider).post(address, {"other": number}).status_code == 404
    for junk in ("", "x", "9" * 30, "999"):
        assert owner.post(address, {"other": junk}).status_code == 404


def test_how_many_and_how_often_tell_nothing(cast):
    """Two people and a week are in every problem; what is done in it is not."""
    factories.make_case(
        cast, title="Credit note drafts", problem="Two people need a week each month for the drafts."
    )
    assert nearest({0: ("Badge queue", "Two people wait an hour each week of the month.")})[0] == []
    found = nearest({0: ("Drafts of reminders", "Two people need a week for the credit side.")})[0]
    assert [words for _, words in found] == ["credit, drafts, need"]
