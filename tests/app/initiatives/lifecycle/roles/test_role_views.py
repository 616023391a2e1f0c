"""Roles on an initiative: proposed, accepted in person, declined, accepted again, ended."""

import pytest

from governance.permission_result import Conflict
from initiatives.lifecycle.roles import actions as role_actions
from tests.support import factories
from tests.support.initiatives.initiative_pages import SIGNED, acts, at, text_of

pytestmark = pytest.mark.django_db


def test_the_owner_proposes_and_the_person_accepts_what_they_read(cast, as_):
    initiative = factories.make_initiative(cast)
    owner = as_(cast.owner)
    assert "Marta Lindqvist" in text_of(owner.get(at("people", initiative.ref)))
    with acts() as kinds:
        owner.post(at("role-propose", initiative.ref), {"technical_lead": cast.lead.pk})
    assert kinds == ["role proposed"]
    role = initiative.roles.get(role="technical_lead")
    assert "not yet accepted" in text_of(owner.get(at("people", initiative.ref)))
    page = text_of(as_(cast.lead).get(at("roles/accept", role.pk)))
    assert "I answer for what runs, and record its changes." in page
    assert "Accept the role" in page
    assert "Only Ravi Menon can answer this." in text_of(owner.get(at("roles/accept", role.pk)))
    assert owner.post(at("roles/accept", role.pk)).status_code == 403
    with acts() as kinds:
        as_(cast.lead).post(at("roles/accept", role.pk), {"words": "In my own words."} | SIGNED)
    assert kinds == ["role accepted"]
    assert initiative.roles.get(pk=role.pk).accepted_words == "In my own words."
    assert as_(cast.lead).post(at("roles/accept", role.pk), SIGNED).status_code == 409


@pytest.mark.parametrize("wrong", [{"sponsor": "999999"}, {"sponsor": "junk"}, {"sponsor": ""}])
def test_bad_proposals_are_said_at_their_field(cast, as_, wrong):
    initiative = factories.make_initiative(cast)
    with acts() as kinds:
        answer = as_(cast.owner).post(
            at("role-propose", initiative.ref), {"sponsor": cast.sponsor.pk} | wrong
        )
    assert answer.status_code == 200
    assert kinds == []
    assert "Not saved yet" in text_of(answer)


def test_people_are_proposed_for_all_vacant_roles_at_once_or_for_none(cast, as_):
    initiative, owner = factories.make_initiative(cast), as_(cast.owner)
    url, asked = (
        at("role-propose", initiative.ref),
        {"support_owner": cast.support.pk, "record_owner": cast.support.pk},
    )
    assert "business owner" not in text_of(owner.get(url)).partition("<form")[2].lower()
    with acts() as kinds:
        answer = owner.post(url, asked | {"technical_lead": "999999"})
    assert kinds == []
    assert "no longer active" in text_of(answer)
    with acts() as kinds:
        owner.post(url, asked)
    assert kinds == ["role proposed", "role proposed"]
    assert "would lose the right to sign off" in text_of(owner.get(url))
    with acts() as kinds:
        answer = owner.post(url, {"sponsor": cast.sponsor.pk, "support_owner": cast.support.pk})
    assert kinds == []
    assert "already has this role, or has been asked for it" in text_of(answer)


def test_asking_twice_is_said_on_the_form(cast, as_):
    initiative = factories.make_initiative(cast)
    role_actions.propose_role(initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner)
    answer = as_(cast.owner).post(at("role-propose", initiative.ref), {"sponsor": cast.sponsor.pk})
    assert "already has this role, or has been asked for it" in text_of(answer)


def test_declining_accepting_again_and_ending_are_one_act_each(cast, as_):
    initiative = factories.make_initiative(cast)
    role = role_actions.propose_role(
        initiative=initiative, role="sponsor", person=cast.sponsor, by=cast.owner
    )
    with acts() as kinds:
        as_(cast.sponsor).post(at("roles/decline", role.pk), {"reason": "No time."})
    assert kinds == ["role declined"]
    page = text_of(as_(cast.owner).get(at("people", initiative.ref)))
    assert "No time." in page
    own = initiative.roles.get(role="owner")
    with acts() as kinds:
        as_(cast.owner).post(at("roles/accept-again", own.pk), SIGNED)
    assert kinds == ["role accepted again", "evidence added"]
    with acts() as kinds:
        url = at("row-act", "roles", own.pk, "revoke")
        assert "Not saved yet" in text_of(as_(cast.owner).post(url, {"reason": ""}))
        as_(cast.owner).post(url, {"reason": "Moved to another unit."})
    assert "role ended" in kinds
    assert as_(cast.owner).post(url, {"reason": "Again."}).status_code in (403, 409)


def test_what_an_owner_proposed_ends_with_the_ownership(cast, as_):
    """But what was proposed to the new owner stays (consents, C17)."""
    initiative = factories.make_initiative(cast)
    old = {"initiative": initiative, "by": cast.owner}
    friend = role_actions.propose_role(**old, role="technical_lead", person=cast.outsider)
    role_actions.propose_role(**old, role="data_steward", person=cast.sponsor)
    handed = role_actions.propose_role(**old, role="owner", person=cast.sponsor)
    role_actions.accept_role(assignment=handed, by=cast.sponsor)
    assert set(initiative.roles.waiting().values_list("role", flat=True)) == {"data_steward"}
    with pytest.raises(Conflict):
        role_actions.accept_role(assignment=friend, by=cast.outsider)
    assert as_(cast.outsider).get(initiative.get_absolute_url()).status_code == 404


def test_strangers_see_no_role(cast, as_):
    initiative = factories.make_initiative(cast)
    own = initiative.roles.get(role="owner")
    for name in ("roles/accept", "roles/decline", "roles/accept-again"):
        assert as_(cast.outsider).get(at(name, own.pk)).status_code == 404
        assert as_(cast.owner).get(at(name, 99999999)).status_code == 404
    assert as_(cast.outsider).get(at("people", initiative.ref)).status_code == 404
    assert as_(cast.seat_risk).get(at("role-propose", initiative.ref)).status_code == 403
