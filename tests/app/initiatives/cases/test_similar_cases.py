"""Which cases resemble what somebody is about to register, and what is told of them."""

import pytest

from governance.database.row_history import acting
from initiatives.access import permissions as case_permissions
from initiatives.cases.similar_cases import similar
from initiatives.models import Initiative
from initiatives.registration import actions as registration_actions
from initiatives.stages import actions as stage_actions
from tests.support import factories
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


def test_five_at_the_most(cast):
    for number in range(7):
        factories.make_case(cast, title=f"Letter robot {number}", problem="Letters wait.")
    assert len(found(cast, "Letter robot")) == 5


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
