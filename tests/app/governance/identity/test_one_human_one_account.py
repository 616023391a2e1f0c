"""Attempts to become two people, or somebody else: none succeeds."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from time_machine import travel

from governance import clock
from governance.database.row_history import acting
from governance.gates.separation_of_duties import (
    Part,
    RestsOn,
    Signer,
    TeamMembers,
    why_barred,
    why_counted_twice,
)
from governance.identity import actions, linked_accounts, reported_identities, same_person
from governance.identity.providers.denials import Denied
from governance.models import ExternalIdentity, ManagedAccount, Notification, SamePerson, User
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from initiatives.lifecycle.access.signers import signer_of
from initiatives.portfolio.units import leaving
from tests.app.governance.identity.conftest import link_own, path_of, signed_in_locally, there_and_back
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import PASSWORD, make_person
from tests.support.servers.directories import Sender


@pytest.fixture
def open_door(provider, admin):
    """The same provider, which makes people."""
    said = {name: getattr(provider, name) for name in actions.CHANGED_HERE}
    return actions.change_provider(provider=provider, by=admin, **(said | {"makes_people": True}))


def who(client) -> User | None:
    page = client.get("/account/")
    return page.context["user"] if page.status_code == 200 else None


@pytest.mark.parametrize(
    ("verified", "kept"),
    [
        ({}, True),
        ({"email_verified": True}, True),
        ({"email_verified": "true"}, True),
        *(({"email_verified": one}, False) for one in (False, "false", 0, 1, "no", None, "", [])),
    ],
)
def test_an_address_counts_if_it_is_verified_or_nothing_is_said_of_it(verified, kept):
    said = {"email": "ana@example.org"} | verified
    assert linked_accounts.address_in(said) == ("ana@example.org" if kept else "")


def at_the_provider(idp, **claims):
    idp.who = {"sub": "stranger", "name": "Stranger", **claims}
    client = Client()
    response = there_and_back(client, idp)
    return response, who(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "ana@example.org"},
        {"email": "ANA@EXAMPLE.ORG", "email_verified": True},
        {"preferred_username": "ana"},
        {"preferred_username": "ANA"},
        {"name": "Ana Ruiz"},
        {
            "name": "Ana Ruiz",
            "email": "ana@example.org",
            "preferred_username": "ana",
            "upn": "ana@example.org",
        },
        {"oid": "ana", "tid": "house"},
        {"roles": ["admin"], "groups": ["admins"], "is_admin": True},
    ],
)
def test_neither_mail_nor_name_opens_an_account_that_is_there(open_door, idp, ana, claims):
    _, person = at_the_provider(idp, **claims)
    assert person.pk != ana.pk
    assert [person.is_admin, person.is_auditor, person.has_usable_password()] == [False] * 3
    assert not person.memberships.exists()
    same = claims.get("email", "").lower() == ana.email or claims.get("name") == ana.full_name
    assert SamePerson.objects.filter(cleared_at=None).exists() == same


def test_nobody_is_made_where_the_provider_may_not(provider, idp, ana):
    response, person = at_the_provider(idp, email="ana@example.org")
    assert (response.status_code, person) == (403, None)


def test_the_same_person_twice_is_one_account_and_another_address_changes_nothing(open_door, idp):
    _, first = at_the_provider(idp, email="one@example.org")
    _, again = at_the_provider(idp, email="chair@example.org", name="The Chair", preferred_username="chair")
    assert first.pk == again.pk
    assert User.objects.get(pk=first.pk).email == "one@example.org"


def test_an_address_that_is_given_to_somebody_else_opens_nothing(open_door, idp):
    _, first = at_the_provider(idp, sub="one", email="post@example.org")
    people = User.objects.count()
    response, second = at_the_provider(idp, sub="two", email="post@example.org")
    assert (response.context["denied"].code, second, User.objects.count()) == ("new key", None, people)
    assert first.reported.get().value == "two"


def test_what_belongs_to_one_is_linked_by_nobody_else(provider, idp, ana):
    link_own(signed_in_locally("ana"), idp)
    make_person("ben")
    response = link_own(signed_in_locally("ben"), idp)
    assert response.context["denied"].code == "taken"


def test_one_person_has_one_account_at_a_provider(provider, idp, ana):
    link_own(signed_in_locally("ana"), idp)
    idp.who = {"sub": "a second one"}
    assert link_own(signed_in_locally("ana"), idp).context["denied"].code == "linked"


def test_a_link_needs_the_password_here_and_a_fresh_sign_in_there(provider, idp, ana):
    client = signed_in_locally("ana")
    assert "address" not in client.post("/account/link/house/", {"password": "wrong"}).context
    idp.remembers = 1_700_000_000
    assert link_own(client, idp).context["denied"].code == "fresh"
    assert not ExternalIdentity.objects.exists()


def test_an_answer_to_sign_in_links_nothing_and_another_ones_answer_neither(provider, idp, ana):
    client = signed_in_locally("ana")
    page = client.post("/account/link/house/", {"password": PASSWORD})
    back = path_of(idp.authorize(page.context["address"]))
    client.post("/sign-out/")
    make_person("ben")
    client.post("/sign-in/", {"username": "ben", "password": PASSWORD})
    assert client.get(back).context["denied"].code == "person"
    assert not ExternalIdentity.objects.exists()


def test_a_session_of_the_provider_links_no_further_account(open_door, idp):
    at_the_provider(idp)
    client = Client()
    there_and_back(client, idp)
    assert client.get("/account/link/house/").status_code == 403


def test_an_admins_link_waits_a_day_is_told_and_can_be_refused(provider, idp, ana, admin):
    row = linked_accounts.link_for(person=ana, provider=provider, key="stranger", by=admin)
    assert Notification.objects.filter(person=ana, subject__contains="An admin linked").exists()
    response, person = at_the_provider(idp)
    assert (response.context["denied"].code, person) == ("waits", None)
    linked_accounts.revoke_link(identity=row, reason="Not me", by=ana)
    with travel(clock.now() + linked_accounts.cooling_off.LASTS * 2):
        assert not ExternalIdentity.objects.counting(clock.now()).exists()
    assert Notification.objects.filter(person=admin, subject__contains="was revoked").exists()


def test_no_admin_links_themselves_or_for_a_key_that_is_taken(provider, idp, ana, admin):
    with pytest.raises(Refused):
        linked_accounts.link_for(person=admin, provider=provider, key="stranger", by=admin)
    with pytest.raises(Refused):
        linked_accounts.link_for(person=ana, provider=provider, key="stranger", by=ana)
    linked_accounts.link_for(person=ana, provider=provider, key="stranger", by=admin)
    with pytest.raises(Denied):
        linked_accounts.link_for(person=make_person("ben"), provider=provider, key="stranger", by=admin)


def test_an_ended_link_makes_no_second_account(open_door, idp, ana, admin):
    link_own(signed_in_locally("ana"), idp)
    linked_accounts.revoke_link(identity=ExternalIdentity.objects.get(), reason="Lost", by=ana)
    client = Client()
    assert there_and_back(client, idp).context["denied"].code == "ended"
    assert User.objects.filter(full_name="Ana Ruiz").count() == 1


def test_who_was_made_by_a_directory_of_the_provider_signs_in_as_whom_its_id_names(provider, idp, ana, admin):
    directory = Sender(admin, provider=provider)
    directory.makes("lea@corp.example", externalId="lea-7", displayName="Ana Ruiz")
    kept = ManagedAccount.objects.get()
    for _ in range(2):
        assert at_the_provider(idp, sub="lea-7", name="Lea")[1] == kept.person
    assert ExternalIdentity.objects.get().person == kept.person
    for other in ("lea-8", "LEA-7", ana.login):
        assert at_the_provider(idp, sub=other)[1] is None
    place = f"Users/{kept.uid}"
    moved = directory.patches(place, {"op": "Replace", "path": "externalId", "value": "lea-8"})
    assert (moved.status_code, moved.json()["scimType"]) == (400, "mutability")
    directory.patches(place, {"op": "Replace", "path": "active", "value": False})
    assert at_the_provider(idp, sub="lea-7")[1] is None


def test_a_directory_of_another_company_opens_nothing(provider, idp, admin):
    Sender(admin).makes("lea@corp.example", externalId="lea-7")
    assert at_the_provider(idp, sub="lea-7")[1] is None
    assert not ExternalIdentity.objects.exists()


def test_no_password_comes_by_mail_to_whoever_signs_in_with_the_provider(open_door, idp, mailoutbox):
    _, person = at_the_provider(idp, email="stranger@example.org")
    Client().post("/password/forgotten/", {"name": "stranger@example.org"})
    assert not person.password_links.exists()


def test_a_new_account_of_somebody_whose_account_ended_is_the_same_human(ana, admin):
    leaving.deactivate(person=ana, reason="Left.", by=admin)
    again = organisation_actions.add_person(
        login="ana.r", full_name="Ana Ruiz", email=ana.email, reason="Came back.", by=admin
    )
    assert same_person.twins_of(again) == {ana.pk}
    assert User.objects.get(pk=again.pk).may_be_another


# --- The database -----------------------------------------------------------------------------------------------------


def test_the_database_keeps_persons_keys_and_issuers(provider, idp, ana, admin):
    row = linked_accounts.link_for(person=ana, provider=provider, key="stranger", by=admin)
    ben = make_person("ben")
    for name, value in (("person_id", ben.pk), ("key", "other"), ("counts_from", clock.now())):
        changed = ExternalIdentity.objects.get(pk=row.pk)
        setattr(changed, name, value)
        with pytest.raises(DatabaseError), acting(by=admin), transaction.atomic():
            changed.save()
    with pytest.raises(DatabaseError), acting(by=admin), transaction.atomic():
        row.delete()
    with (
        unguarded("governance_externalidentity"),
        pytest.raises(IntegrityError),
        acting(by=admin),
        transaction.atomic(),
    ):
        ExternalIdentity(person=ben, provider=provider, key="stranger", linked_by=ben).save()
    provider.issuer = "https://evil.example"
    with pytest.raises(DatabaseError), acting(by=admin), transaction.atomic():
        provider.save()
    with pytest.raises(DatabaseError), acting(by=admin), transaction.atomic():
        ExternalIdentity(
            person=ben, provider=provider, key="quick", linked_by=admin, counts_from=clock.now()
        ).save()


# --- Two accounts that may be one human's -----------------------------------------------------------------------------


def test_a_pair_counts_as_one_person_until_an_admin_who_is_neither_clears_it(db, ana, admin):
    twin = make_person("ana2", full_name="Another Name")
    pair = same_person.mark(person=ana, other=twin, reason="the same inbox", by=admin)
    ana.refresh_from_db()
    assert signer_of(ana).also == {twin.pk}
    with pytest.raises(Refused):
        same_person.clear(pair=pair, reason="", by=admin)
    with pytest.raises(Refused):
        same_person.clear(pair=pair, reason="I am two", by=ana)
    same_person.clear(pair=pair, reason="Both came to the door", by=admin)
    ana.refresh_from_db()
    assert signer_of(ana).also == frozenset()


def test_an_address_that_becomes_another_ones_makes_a_pair(db, ana, admin):
    other = make_person("ben")
    with unguarded("governance_user"), acting(by=admin, reason="New address"):
        reported_identities.change_address(person=ana, address="Ben@example.org", by=admin)
        ana.save()
    ana.refresh_from_db()
    assert (signer_of(ana).also, ana.email) == ({other.pk}, "Ben@example.org")


def test_pairs_hang_together(db, ana, admin):
    ben, eva = make_person("ben"), make_person("eva")
    same_person.mark(person=ana, other=ben, reason="x", by=admin)
    same_person.mark(person=ben, other=eva, reason="x", by=admin)
    ana.refresh_from_db()
    assert same_person.twins_of(ana) == {ben.pk, eva.pk}


SIGNER = Signer(1, "Ana", also=frozenset({2}))


@pytest.mark.parametrize(
    ("team_members", "rests_on"),
    [
        (TeamMembers({2: (Part("owner", "owner"),)}), None),
        (TeamMembers(stand_in=2), None),
        (TeamMembers(), RestsOn(evidence_authors=frozenset({2}))),
        (TeamMembers(), RestsOn(contract_authors=frozenset({2}))),
    ],
)
def test_nobody_approves_the_work_of_their_other_account(team_members, rests_on):
    assert why_barred(SIGNER, "risk_compliance", team_members, rests_on=rests_on)
    assert not why_barred(Signer(1, "Ana"), "risk_compliance", team_members, rests_on=rests_on)


def test_two_approvals_of_one_human_are_one():
    assert why_counted_twice(SIGNER, {2: "Ana R."}) == [
        "Ana may be the same person as Ana R., who has already approved"
    ]
    assert not why_counted_twice(Signer(1, "Ana"), {2: "Ana R."})
