"""Who hears of definitions that disagree: in the inbox, as a notification, on the initiative; and what its banner
says.
"""

import pytest
from django.urls import reverse

from governance.models import Notification
from governance.notifications import inbox as notification_inbox
from initiatives.integration.definitions import actions as definition_actions
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Term
from tests.acceptance.integration.systems.test_integration_views import text_of
from tests.acceptance.integration.test_definitions import (  # noqa: F401
    accept,
    define,
    initiative,
    profile_of,
    resolve,
    three,
)
from tests.support import factories

pytestmark = pytest.mark.django_db


def lines(person, initiative):  # noqa: F811
    return [
        line
        for line in notification_inbox.tasks_for(person)
        if line.ref == initiative.ref
        and "conflict" in f"{line.text}{line.why}"
        and "is held" not in line.text
    ]


def told(person) -> list[Notification]:
    return list(Notification.objects.filter(person=person, kind="definitions disagree"))


def page(as_, person, initiative) -> str:  # noqa: F811
    return text_of(as_(person).get(initiative.get_absolute_url()))


def test_the_data_steward_is_told_and_alone_asked(cast, as_, initiative, three):  # noqa: F811
    (line,) = lines(cast.steward, initiative)
    assert (line.verb, line.text) == ("decide", "3 open conflicts on customer")
    assert line.link == reverse("integration-definitions", args=[initiative.ref])
    assert lines(cast.owner, initiative) == []
    assert len(told(cast.steward)) == 2, "one message for each act that found something"
    assert told(cast.owner) == []
    said = page(as_, cast.steward, initiative)
    assert "Next step: resolve the conflicting definitions." in said
    assert f"This hold ends when {cast.steward.full_name} has resolved each" in said
    assert "Next step: resolve the conflicting definitions." not in page(as_, cast.owner, initiative)
    assert "The initiative cannot be promoted meanwhile." in said


def test_it_leaves_the_inbox_once_it_is_resolved(cast, as_, initiative, three):  # noqa: F811
    for facet, conflict in three.items():
        (accept if facet == "business_logic" else resolve)(cast, conflict)
    assert lines(cast.steward, initiative) == []
    assert "resolve the conflicting definitions" not in page(as_, cast.steward, initiative)


def test_without_a_steward_the_owner_is_asked_to_name_one(cast, as_, initiative):  # noqa: F811
    role = initiative.roles.get(role="data_steward", ended_at__isnull=True)
    role_actions.revoke_role(assignment=role, reason="Left the team", by=cast.owner)
    define(cast, initiative, "CRM", meaning="account", identifier_mask="X{18}")
    define(cast, initiative, "Billing", meaning="payer", identifier_mask="9{10}")
    (line,) = lines(cast.owner, initiative)
    assert line.text == f"{initiative.title} has no data steward"
    assert line.link.endswith("?role=data_steward")
    assert len(told(cast.owner)) == 1
    assert "the data steward (no one yet)" in page(as_, cast.owner, initiative)
    role_actions.propose_role(initiative=initiative, role="data_steward", person=cast.steward, by=cast.owner)
    assert lines(cast.owner, initiative) == [], "someone is asked"


def test_one_message_for_many_initiatives(cast):
    crm, billing = (factories.make_system(cast, name) for name in ("CRM", "Billing"))
    for number in range(3):
        other = factories.make_initiative(cast, title=f"Initiative {number}")
        role = role_actions.propose_role(
            initiative=other, role="data_steward", person=cast.steward, by=cast.owner
        )
        role_actions.accept_role(assignment=role, by=cast.steward)
        for system in (crm, billing):
            factories.make_link(cast, other, system, agreed=True)
        factories.make_term(cast, "customer", "Who buys from us.")
        definition_actions.use_term(initiative=other, name="customer", by=cast.steward)
    term = Term.objects.get(name="customer")
    for system, form in ((crm, "X{18}"), (billing, "9{10}")):
        definition_actions.define(
            term=term,
            system=system,
            field="customer_id",
            meaning="a buyer",
            identifier_mask=form,
            by=cast.steward,
        )
    (notification,) = told(cast.steward)
    assert notification.subject.endswith("(and on 2 other initiatives)")


def test_the_page_says_which_field_was_measured_otherwise(cast, as_, initiative):  # noqa: F811
    row = define(cast, initiative, "CRM", meaning="account", identifier_mask="9{10}")
    at = reverse("integration-definitions", args=[initiative.ref])
    assert "was measured" not in text_of(as_(cast.owner).get(at))
    profile_of(cast, initiative, "CRM", {"A{18}": 1.0})
    change = reverse("row-act", args=["definitions", row.pk, "change"])
    assert change in text_of(as_(cast.lead).get(reverse("integration", args=[initiative.ref])))
    assert change not in text_of(as_(cast.auditor).get(reverse("integration", args=[initiative.ref])))
    assert "is defined as “9{10}”, but most measured values are A{18}" in text_of(as_(cast.owner).get(at))
