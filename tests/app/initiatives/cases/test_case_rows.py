"""The one question about a case gives the rows that the tables' own queries give, each field of each row."""

import pytest

from governance import clock
from governance.database import request_memo
from governance.models import ContractVersion
from initiatives.contracts import control_mapping
from initiatives.facts import case_rows
from initiatives.holds import actions as hold_actions
from initiatives.models import Evidence
from initiatives.roles import actions as role_actions
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

AROUND = [*case_rows._OF_CASE._tables.items()]


@pytest.fixture
@snapshots.kept
def case(cast):
    """A case in production, with a hold, a debt and a word of somebody who was asked."""
    case = factories.make_production(cast)
    hold_actions.hold(case=case, reason="Look again.", by=cast.seat_security)
    role_actions.propose_role(case=case, role="sponsor", person=cast.sponsor, by=cast.owner)
    return case


def test_every_row_is_as_its_table_has_it(case):
    for name, around in AROUND:
        # What versions are annotated with holds a moment, which is told only when the question is asked.
        own = ContractVersion.objects.all() if name == "contract_versions" else around.rows
        wanted = list(own.filter(**{around.by: case.pk}).order_by("pk"))
        found = case_rows.rows(case, name)
        assert [row.pk for row in found] == [row.pk for row in wanted], name
        for row, same in zip(found, wanted, strict=True):
            for field in same._meta.concrete_fields:
                if field.column not in around.without:
                    assert getattr(row, field.attname) == getattr(same, field.attname), (name, field.name)


def test_clauses_without_a_control_are_those_of_versions_that_bind_or_will(cast, case):
    clauses = case.contract.in_force_at(clock.now()).clauses.order_by("pk")
    mapped = set(case.enforcements.standing().values_list("clause", flat=True))
    assert mapped, "production has its clauses mapped"
    assert unmapped(case) == []
    for row in case.enforcements.standing().filter(clause=clauses[0]):
        control_mapping.end_mapping(mapping=row, by=cast.owner)
    assert unmapped(case) == [{"number": clauses[0].number, "sentence": clauses[0].sentence}]


def unmapped(case):
    """What nothing enforces of every version of the case."""
    return [clause for version in case_rows.rows(case, "contract_versions") for clause in version.unmapped]


def test_the_case_of_these_tests_has_rows_in_most_tables(case):
    filled = {name for name, _ in AROUND if case_rows.rows(case, name)}
    assert filled >= {
        "roles",
        "reviews",
        "debts",
        "answers",
        "evidence",
        "contract_versions",
        "stage_changes",
        "holds",
        "proof_items",
        "scopes",
        "deployments",
    }


def test_people_come_along_without_their_password(case, django_assert_num_queries):
    with django_assert_num_queries(1):
        people = [row.person for row in case_rows.roles(case)]
        assert all(person.full_name and person.is_active for person in people)
    assert all("password" in person.get_deferred_fields() for person in people)


def test_evidence_comes_with_what_it_covers_and_names(case):
    for row in case_rows.rows(case, "evidence"):
        item = Evidence.objects.get(pk=row.pk)
        assert {tuple(one) for one in row.covers} == set(item.coverage.values_list("requirement", "pk"))
        assert len(row.named) == item.names.count()


def test_a_case_that_is_asked_for_alone_or_among_others_is_the_same(cast, case):
    other = factories.make_case(cast, title="Another")
    alone = {name: [row.pk for row in case_rows.rows(case, name)] for name, _ in AROUND}
    with request_memo.one_look():
        case_rows._OF_CASE.together([case.pk, other.pk])
        for name, _ in AROUND:
            assert [row.pk for row in case_rows.rows(case, name)] == alone[name]
            assert {row.pk for row in case_rows.rows(other, name)}.isdisjoint(alone[name])
