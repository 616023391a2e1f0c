"""The one query about an initiative gives the rows that the tables' own queries give, each field of each row."""

import pytest

from governance import clock
from governance.database import request_memo
from governance.models import ContractVersion
from initiatives.contracts.documents import control_mapping
from initiatives.lifecycle.facts import initiative_rows
from initiatives.lifecycle.holds import deeds as hold_deeds
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Evidence
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db

AROUND = [*initiative_rows._OF_INITIATIVE._tables.items()]


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An initiative in production, with a hold, an obligation and a word of somebody who was asked."""
    initiative = factories.make_production(cast)
    hold_deeds.hold(initiative=initiative, reason="Look again.", by=cast.seat_security)
    role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner)
    return initiative


def test_every_row_is_as_its_table_has_it(initiative):
    for name, around in AROUND:
        # What versions are annotated with holds a moment, which is told only when the query is asked.
        own = ContractVersion.objects.all() if name == "contract_versions" else around.rows
        wanted = list(own.filter(**{around.by: initiative.pk}).order_by("pk"))
        found = initiative_rows.rows(initiative, name)
        assert [row.pk for row in found] == [row.pk for row in wanted], name
        for row, same in zip(found, wanted, strict=True):
            for field in same._meta.concrete_fields:
                if field.column not in around.without:
                    assert getattr(row, field.attname) == getattr(same, field.attname), (name, field.name)


def test_clauses_without_a_control_are_those_of_versions_that_bind_or_will(cast, initiative):
    clauses = initiative.contract.in_force_at(clock.now()).clauses.order_by("pk")
    mapped = set(initiative.enforcements.current().values_list("clause", flat=True))
    assert mapped, "production has its clauses mapped"
    assert unmapped(initiative) == []
    for row in initiative.enforcements.current().filter(clause=clauses[0]):
        control_mapping.close_mapping(mapping=row, by=cast.owner)
    assert unmapped(initiative) == [{"number": clauses[0].number, "sentence": clauses[0].sentence}]


def unmapped(initiative):
    """What nothing enforces of every version of the initiative."""
    return [
        clause
        for version in initiative_rows.rows(initiative, "contract_versions")
        for clause in version.unmapped
    ]


def test_the_initiative_of_these_tests_has_rows_in_most_tables(initiative):
    filled = {name for name, _ in AROUND if initiative_rows.rows(initiative, name)}
    assert filled >= {
        "roles",
        "reviews",
        "obligations",
        "answers",
        "evidence",
        "contract_versions",
        "stage_changes",
        "holds",
        "declared_goals",
        "scopes",
        "deployments",
    }


def test_people_come_along_without_their_password(initiative, django_assert_num_queries):
    with django_assert_num_queries(1):
        people = [row.person for row in initiative_rows.roles(initiative)]
        assert all(person.full_name and person.is_active for person in people)
    assert all("password" in person.get_deferred_fields() for person in people)


def test_evidence_comes_with_what_it_covers_and_names(initiative):
    rows = initiative_rows.rows(initiative, "evidence")
    assert len(rows) == initiative.evidence.count() > 0
    for row in rows:
        item = Evidence.objects.get(pk=row.pk)
        assert {tuple(one) for one in row.covers} == set(item.coverage.values_list("requirement", "pk"))
        assert len(row.named) == item.names.count()


def test_a_initiative_that_is_asked_for_alone_or_among_others_is_the_same(cast, initiative):
    other = factories.make_initiative(cast, title="Another")
    alone = {name: [row.pk for row in initiative_rows.rows(initiative, name)] for name, _ in AROUND}
    with request_memo.one_look():
        initiative_rows._OF_INITIATIVE.together([initiative.pk, other.pk])
        for name, _ in AROUND:
            assert [row.pk for row in initiative_rows.rows(initiative, name)] == alone[name]
            assert {row.pk for row in initiative_rows.rows(other, name)}.isdisjoint(alone[name])
