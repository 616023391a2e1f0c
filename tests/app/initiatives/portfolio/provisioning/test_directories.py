"""What a directory may and may not do here, and what admins do about directories."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from governance import clock
from governance.identity import reported_identities
from governance.models import Directory, Entry, ManagedAccount, Session, User
from governance.permission_result import Refused
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.lifecycle.roles import actions as role_actions
from initiatives.models import Initiative
from initiatives.portfolio.provisioning import actions
from initiatives.portfolio.units import leaving
from tests.support import factories
from tests.support.initiatives.initiative_pages import at
from tests.support.servers.directories import GROUP, USER, Sender

pytestmark = pytest.mark.django_db

OFF = {"op": "Replace", "path": "active", "value": "False"}


@pytest.fixture
def entra(cast):
    return Sender(cast.admin)


def person_of(said: dict) -> User:
    return ManagedAccount.objects.get(uid=said["id"]).person


def given(initiative: Initiative, person: User, cast) -> None:
    """A role on the initiative, accepted."""
    proposed = role_actions.propose_role(initiative=initiative, role="sponsor", person=person, by=cast.owner)
    role_actions.accept_role(assignment=proposed, by=person)


@pytest.mark.parametrize("name", ["owner", "OWNER", "seat-risk"])
def test_an_account_that_is_here_is_never_taken_over(entra, cast, name):
    before = User.objects.count()
    answer = entra.send("POST", "Users", {"schemas": [USER], "userName": name, "externalId": "1"})
    assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
    assert "a directory cannot take it over" in answer.json()["detail"]
    assert (User.objects.count(), ManagedAccount.objects.count()) == (before, 0)


def test_the_same_address_makes_another_account_and_changes_nothing_of_the_first(entra, cast):
    said = entra.makes("marta.l@corp.example", emails=[{"value": cast.owner.email or "m@corp.example"}])
    assert person_of(said).pk != cast.owner.pk
    assert not ManagedAccount.objects.filter(person=cast.owner).exists()


def test_local_accounts_do_not_exist_for_a_directory(entra, cast):
    assert entra.send("GET", "Users").json()["totalResults"] == 0
    asked = f'Users?filter=userName eq "{cast.admin.login}"'
    assert entra.send("GET", asked).json()["totalResults"] == 0


def test_a_directory_sees_and_ends_nothing_of_another(entra, cast):
    okta = Sender(cast.admin, "Okta")
    said = okta.makes("one@okta.local")
    place = f"Users/{said['id']}"
    assert entra.send("GET", "Users").json()["totalResults"] == 0
    for method in ("GET", "DELETE"):
        assert entra.send(method, place).status_code == 404
    assert entra.patches(place, OFF).status_code == 404
    assert person_of(said).is_active
    group = {"schemas": [GROUP], "displayName": "Theirs", "members": [{"value": said["id"]}]}
    assert entra.send("POST", "Groups", group).status_code == 400


def test_a_name_that_another_account_has_is_not_moved_to(entra, cast):
    said = entra.makes("ann@corp.example")
    move = {"op": "Replace", "path": "userName", "value": "owner"}
    assert entra.patches(f"Users/{said['id']}", move).status_code == 409
    assert ManagedAccount.objects.get(uid=said["id"]).user_name == "ann@corp.example"


def test_what_it_makes_holds_nothing_and_asks_for_nothing(entra):
    roles = [{"value": "admin"}]
    said = entra.makes("ann@corp.example", roles=roles, is_admin=True, entitlements=roles)
    person = person_of(said)
    assert not (person.is_admin)
    assert not (person.is_auditor)
    assert not (person.has_usable_password())


def test_an_account_that_ends_is_signed_out_and_its_roles_and_seats_end(entra, cast, as_):
    said = entra.makes("ann@corp.example", displayName="Ann Berg")
    person = person_of(said)
    initiative = factories.make_initiative(cast)
    given(initiative, person, cast)
    client = as_(person)
    assert client.get(reverse("inbox")).status_code == 200
    assert entra.patches(f"Users/{said['id']}", OFF).json()["active"] is False
    assert client.get(reverse("inbox")).status_code == 302
    assert not Session.objects.filter(person=person).exists()
    assert not Initiative.objects.get(pk=initiative.pk).roles.open().filter(person=person).exists()
    entry = Entry.objects.filter(kind=EntryKind.ACCOUNT_DEACTIVATED).latest("pk")
    assert entry.facts["actor"]["name"] == "system: directory Entra ID"


def test_given_back_it_has_no_role(entra, cast):
    said = entra.makes("ann@corp.example")
    person = person_of(said)
    initiative = factories.make_initiative(cast)
    given(initiative, person, cast)
    place = f"Users/{said['id']}"
    entra.patches(place, OFF)
    assert entra.patches(place, OFF | {"value": True}).json()["active"] is True
    assert not person.roles.open().exists()


def put(entra, said, **more):
    """The whole account once more, as a directory sends it."""
    body = {"schemas": [USER], "userName": "ann@corp.example", "displayName": "Ann Berg"} | more
    return entra.send("PUT", f"Users/{said['id']}", body)


def test_a_whole_account_without_its_state_leaves_the_state(entra):
    said = entra.makes("ann@corp.example")
    entra.patches(f"Users/{said['id']}", OFF)
    assert put(entra, said).json()["active"] is False
    assert put(entra, said, active=True).json()["active"] is True
    assert put(entra, said).status_code == 200
    assert person_of(said).is_active


def test_what_an_admin_ended_waits_for_an_admin(entra, cast):
    said = entra.makes("ann@corp.example")
    person = person_of(said)
    leaving.deactivate(person=person, reason="Under investigation.", by=cast.admin)
    for _ in range(2):
        assert put(entra, said, active=True).json()["active"] is False
        assert entra.patches(f"Users/{said['id']}", OFF | {"value": True}).json()["active"] is False
    assert cast.admin.notifications.filter(object_key__startswith=f"returned:{person.pk}:").count() == 1
    leaving.reactivate(person=person, reason="Closed.", by=cast.admin)
    entra.patches(f"Users/{said['id']}", OFF)
    assert put(entra, said, active=True).json()["active"] is True


def test_the_last_admin_stays(entra, cast, as_):
    """Neither a directory nor the own hand takes the last admin away."""
    said = entra.makes("ann@corp.example")
    person = person_of(said)
    sent = {"reason": "For the test."}
    as_(cast.admin).post(reverse("admin:governance_user_change", args=[person.pk]), sent | {"is_admin": "on"})
    person.refresh_from_db()
    assert person.is_admin
    leaving.deactivate(person=cast.second_admin, reason="Left", by=cast.admin)
    leaving.deactivate(person=cast.admin, reason="Left", by=person)
    assert entra.patches(f"Users/{said['id']}", OFF).status_code == 403
    answer = as_(person).post(reverse("admin:governance_user_change", args=[person.pk]), sent)
    assert answer.status_code == 403
    person.refresh_from_db()
    assert (person.is_active, person.is_admin) == (True, True)


def test_deleted_it_is_gone_for_the_directory_and_its_person_stays(entra):
    said = entra.makes("ann@corp.example", displayName="Ann Berg", name={"givenName": "Ann"})
    person, place = person_of(said), f"Users/{said['id']}"
    assert entra.send("DELETE", place).status_code == 204
    person.refresh_from_db()
    assert (person.full_name, person.is_active) == ("Ann Berg", False)
    assert ManagedAccount.objects.get(uid=said["id"]).said == {}
    assert entra.send("GET", place).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"op": "Replace", "path": "emails", "value": [{"value": "lind@corp.example"}]},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "lind@corp.example"},  # Entra ID
        {"op": "replace", "value": {"emails": [{"value": "lind@corp.example", "primary": True}]}},  # Okta
        {"op": "Remove", "path": "emails"},
    ],
)
def test_a_changed_address_is_told_and_asked_of_an_admin(entra, cast, change):
    """As at a sign-in with a provider: tests/app/governance/identity/test_reported_identities.py."""
    said = entra.makes(
        "ann@corp.example", emails=[{"value": "ann@corp.example", "type": "work", "primary": True}]
    )
    assert entra.patches(f"Users/{said['id']}", change).status_code == 200
    person = person_of(said)
    assert (person.email, person.address_changed_at) == ("ann@corp.example", None)
    (report,) = reported_identities.waiting()
    new = "" if change["op"] == "Remove" else "lind@corp.example"
    assert (report.kind, report.value, report.source) == ("address", new, entra.row)
    assert person.notifications.filter(kind="account", object_key=f"reported:{report.pk}").exists()
    assert [one["value"] for one in entra.send("GET", f"Users/{said['id']}").json().get("emails", [])] == (
        [new] if new else []
    )
    reported_identities.take_over(reports=[report], by=cast.admin)
    person.refresh_from_db()
    assert (person.email, person.address_changed_at is not None) == (new, True)
    entra.patches(f"Users/{said['id']}", {"op": "replace", "path": "displayName", "value": "Ann"})
    assert reported_identities.waiting() == []


def test_an_account_without_an_address_takes_the_first_one(entra):
    said = entra.makes("ann@corp.example")
    entra.patches(
        f"Users/{said['id']}", {"op": "add", "path": "emails", "value": [{"value": "ann@corp.example"}]}
    )
    assert person_of(said).email == "ann@corp.example"
    assert reported_identities.waiting() == []


def test_a_changed_name_is_told_in_the_mails_of_the_day(entra, cast):
    accounts = [entra.makes(f"{one}@corp.example", displayName=one) for one in ("ann", "ben")]
    for said in accounts:
        entra.patches(f"Users/{said['id']}", {"op": "replace", "path": "displayName", "value": "Other"})
        person = person_of(said)
        assert person.full_name == "Other"
        assert person.notifications.filter(kind=reported_identities.CHANGED_NAME).count() == 1
        assert not person.notifications.filter(kind="account", object_key__startswith="reported").exists()
    assert cast.admin.notifications.filter(kind=reported_identities.CHANGED_NAME).count() == 1


# --- Deleted and made again -------------------------------------------------------------------------------------------

ON = OFF | {"value": "True"}


def leaves_entra(entra, place):
    """Entra ID: first a soft delete, thirty days later the account is deleted."""
    assert entra.patches(place, OFF).json()["active"] is False
    assert entra.send("DELETE", place).status_code == 204


def leaves_by_delete(entra, place):
    assert entra.send("DELETE", place).status_code == 204


def found(entra, name) -> list[str]:
    return [
        one["id"]
        for one in entra.send("GET", f'Users?filter=userName eq "{name}"').json().get("Resources", [])
    ]


@pytest.mark.parametrize("leaves", [leaves_entra, leaves_by_delete])
@pytest.mark.parametrize("external", ["7", ""])
def test_who_is_deleted_and_made_again_has_the_same_account(entra, cast, leaves, external):
    sent = {"displayName": "Ann Berg", "active": True} | ({"externalId": external} if external else {})
    said = entra.makes("ann@corp.example", **sent)
    person = person_of(said)
    initiative = factories.make_initiative(cast)
    given(initiative, person, cast)
    leaves(entra, f"Users/{said['id']}")
    assert found(entra, "ann@corp.example") == []
    again = entra.makes("Ann@corp.example", **sent)
    assert (again["active"], again["id"] != said["id"]) == (True, True)
    assert found(entra, "ann@corp.example") == [again["id"]]
    assert person_of(again) == person
    assert person_of(again).is_active
    assert not person.roles.open().exists()
    assert cast.admin.notifications.filter(object_key=f"made again:{again['id']}").count() == 1
    assert entra.send("GET", f"Users/{said['id']}").status_code == 404
    assert entra.send("POST", "Users", {"schemas": [USER], "userName": "ann@corp.example"}).status_code == 409


@pytest.mark.parametrize("deleted", [True, False])
def test_what_entra_renames_as_it_deletes_it_is_found_by_its_first_name(entra, cast, deleted):
    """Entra ID puts the object id before the name, and deletes thirty days later."""
    said = entra.makes("ann@corp.example", externalId="7")
    place, tomb = f"Users/{said['id']}", "6f8b0c7d2f5f4c0f9f62b9ad7f7a1c11ann@corp.example"
    renamed = entra.patches(place, OFF, {"op": "Replace", "path": "userName", "value": tomb})
    assert (renamed.json()["active"], renamed.json()["userName"]) == (False, tomb)
    if deleted:
        assert entra.send("DELETE", place).status_code == 204
    again = entra.makes("ann@corp.example", externalId="8", active=True)
    assert (again["active"], person_of(again).login) == (False, "ann@corp.example")
    assert found(entra, "ann@corp.example") == [again["id"]]
    assert entra.send("DELETE", place).status_code == 404
    assert cast.admin.notifications.filter(object_key__startswith="returned:").count() == 1


def test_a_name_that_the_directory_took_from_one_account_is_free_for_another(entra):
    said = entra.makes("ann.berg@corp.example", externalId="7")
    entra.patches(
        f"Users/{said['id']}", {"op": "Replace", "path": "userName", "value": "ann.lind@corp.example"}
    )
    other = entra.makes("ann.berg@corp.example", externalId="8")
    assert person_of(other) != person_of(said)
    assert (person_of(said).login, person_of(other).login) == (
        "ann.berg@corp.example",
        "ann.berg@corp.example-2",
    )
    assert found(entra, "ann.berg@corp.example") == [other["id"]]


def test_a_name_that_is_too_long_is_refused_when_it_changes_too(entra):
    said = entra.makes("ann@corp.example")
    for name in ("a" * 255, "two words", ""):
        change = {"op": "Replace", "path": "userName", "value": name}
        assert entra.patches(f"Users/{said['id']}", change).status_code == 400
    assert person_of(said).managed.user_name == "ann@corp.example"


def test_okta_deactivates_and_activates_the_same_account(entra, cast):
    said = entra.makes("ann@corp.example", externalId="00u1")
    for active in (False, True):
        answer = entra.patches(f"Users/{said['id']}", {"op": "replace", "value": {"active": active}})
        assert answer.json()["active"] is active
        assert found(entra, "ann@corp.example") == [said["id"]]
    assert person_of(said).is_active


@pytest.mark.parametrize(("before", "after"), [("7", "8"), ("7", ""), ("", "8")])
def test_another_external_id_waits_for_an_admin(entra, cast, before, after):
    """The same name may be of another person by now."""
    said = entra.makes("ann@corp.example", externalId=before)
    person = person_of(said)
    entra.send("DELETE", f"Users/{said['id']}")
    again = entra.makes("ann@corp.example", externalId=after, active=True)
    place = f"Users/{again['id']}"
    for _ in range(2):
        assert entra.patches(place, ON).json()["active"] is False
        assert entra.send("GET", place).json()["active"] is False
    assert found(entra, "ann@corp.example") == [again["id"]]
    assert cast.admin.notifications.filter(object_key=f"returned:{person.pk}:{again['id']}").count() == 1
    leaving.reactivate(person=person, reason="The same person.", by=cast.admin)
    assert entra.patches(place, OFF).json()["active"] is False
    assert entra.patches(place, ON).json()["active"] is True


def test_what_an_admin_ended_waits_when_it_is_made_again(entra, cast):
    said = entra.makes("ann@corp.example", externalId="7")
    person = person_of(said)
    leaving.deactivate(person=person, reason="Under investigation.", by=cast.admin)
    entra.send("DELETE", f"Users/{said['id']}")
    assert entra.makes("ann@corp.example", externalId="7", active=True)["active"] is False
    assert cast.admin.notifications.filter(object_key__startswith=f"returned:{person.pk}:").count() == 1


def test_the_external_id_finds_the_account_under_another_name(entra, cast):
    said = entra.makes("ann.berg@corp.example", externalId="7")
    entra.send("DELETE", f"Users/{said['id']}")
    again = entra.makes("ann.lind@corp.example", externalId="7", displayName="Ann Lind")
    assert person_of(again).pk == ManagedAccount.objects.get().person_id
    assert found(entra, "ann.lind@corp.example") == [again["id"]]
    assert person_of(again).full_name == "Ann Lind"


def test_made_again_it_takes_no_name_of_another_and_no_account_of_another_directory(entra, cast):
    said = entra.makes("ann@corp.example", externalId="7")
    entra.makes("ben@corp.example", externalId="9")
    entra.send("DELETE", f"Users/{said['id']}")
    for name in ("ben@corp.example", cast.owner.login):
        answer = entra.send("POST", "Users", {"schemas": [USER], "userName": name, "externalId": "7"})
        assert answer.status_code == 409
    okta = Sender(cast.admin, "Okta")
    answer = okta.send("POST", "Users", {"schemas": [USER], "userName": "ann@corp.example"})
    assert (answer.status_code, "deactivated" in answer.json()["detail"]) == (409, True)
    assert not ManagedAccount.objects.get(user_name="ann@corp.example").person.is_active


def test_deleted_and_made_again_inactive_it_stays_inactive(entra, cast):
    said = entra.makes("ann@corp.example", externalId="7")
    entra.send("DELETE", f"Users/{said['id']}")
    again = entra.makes("ann@corp.example", externalId="7", active=False)
    assert again["active"] is False
    assert entra.patches(f"Users/{again['id']}", ON).json()["active"] is True


def test_the_address_of_an_account_made_again_waits_as_every_other(entra):
    said = entra.makes("ann@corp.example", externalId="7", emails=[{"value": "ann@corp.example"}])
    entra.send("DELETE", f"Users/{said['id']}")
    again = entra.makes("ann@corp.example", externalId="7", emails=[{"value": "x@evil.example"}])
    assert person_of(again).email == "ann@corp.example"
    assert [row.value for row in reported_identities.waiting()] == ["x@evil.example"]


def test_who_read_an_older_state_does_not_overwrite(entra):
    said = entra.makes("ann@corp.example", displayName="Ann")
    place, seen = f"Users/{said['id']}", said["meta"]["version"]
    rename = {"op": "Replace", "path": "displayName", "value": "Anna"}
    assert entra.patches(place, rename, HTTP_IF_MATCH=seen).status_code == 200
    stale = entra.patches(place, rename | {"value": "Anne"}, HTTP_IF_MATCH=seen)
    assert stale.status_code == 412
    assert entra.send("DELETE", place, HTTP_IF_MATCH=seen).status_code == 412
    now = entra.send("GET", place)
    assert now.json()["displayName"] == "Anna"
    assert entra.send("GET", place, HTTP_IF_NONE_MATCH=now["ETag"]).status_code == 304


def test_what_is_wrong_is_answered_as_scim_has_it(entra):
    for method, path, body, status in (
        ("POST", "Users", {"schemas": [USER]}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "two words"}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "ann\n"}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "ann", "displayName": "Ann\nBcc: x"}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "ann", "externalId": "7" * 201}, 400),
        (
            "POST",
            "Users",
            {"schemas": [USER], "userName": "ann", "emails": [{"value": f"{'a' * 60}@{'b.' * 99}example"}]},
            400,
        ),
        ("POST", "Groups", {"schemas": [GROUP], "displayName": "Claims", "externalId": "7" * 201}, 400),
        ("PATCH", "Users/00000000-0000-0000-0000-000000000000", {}, 404),
        ("POST", "Users", {"schemas": [USER], "userName": "a" * 255}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "ann", "emails": [{"value": "nothing"}]}, 400),
        ("POST", "Users", {"schemas": [USER], "userName": "ann", "displayName": "x" * 121}, 400),
        ("POST", "Users", [], 400),
        ("GET", "Users?filter=userName zz 1", None, 400),
        ("GET", 'Users?filter=nothing eq "1"', None, 400),
        ("GET", "Users/1", None, 404),
        ("GET", "Nowhere/1", None, 404),
        ("GET", "Users/00000000-0000-0000-0000-000000000000", None, 404),
        ("GET", "Schemas/urn:none", None, 404),
        ("GET", "Me", None, 501),
        ("PUT", "Users", {}, 405),
        ("POST", ".search", {}, 501),
    ):
        answer = entra.send(method, path, body)
        assert answer.status_code == status, answer.content
        assert answer.json()["status"] == str(status)
        assert answer.json()["detail"]
        assert not ManagedAccount.objects.exists()


def test_discovery_says_what_is_kept_and_nothing_else(entra):
    assert entra.send("GET", "ServiceProviderConfig").json()["patch"] == {"supported": True}
    said = entra.send("GET", f"Schemas/{USER}").json()
    names = {one["name"] for one in said["attributes"]}
    assert {"userName", "displayName", "emails", "active"} <= names
    assert not names & {"password", "phoneNumbers", "photos", "title"}
    kinds = entra.send("GET", "ResourceTypes").json()["Resources"]
    assert {one["endpoint"] for one in kinds} == {"/Users", "/Groups"}


def test_keys_open_until_they_end_and_wrong_ones_are_counted(entra, cast):
    good = entra.token
    entra.token = good[:-1] + ("A" if good[-1] != "A" else "B")
    assert entra.send("GET", "Users").status_code == 401
    entra.token = good
    assert entra.send("GET", "Users").status_code == 200
    renewed = actions.renew_key(
        directory=entra.row, expires_at=clock.now() + timedelta(days=9), by=cast.admin
    )
    assert entra.send("GET", "Users").status_code == 401
    entra.token = renewed.text
    assert entra.send("GET", "Users").status_code == 200
    with time_machine.travel(clock.now() + timedelta(days=10)):
        assert entra.send("GET", "Users").status_code == 401
    actions.revoke_key(directory=entra.row, reason="Lost.", by=cast.admin)
    assert entra.send("GET", "Users").status_code == 401
    entra.token = "no key"
    statuses = {entra.send("GET", "Users").status_code for _ in range(20)}
    assert statuses == {401, 429}


def test_only_admins_connect_directories_and_their_keys_are_kept_nowhere(cast, as_):
    with pytest.raises(Refused):
        actions.add_directory(name="X", expires_at=clock.now() + timedelta(days=1), by=cast.owner)
    page = as_(cast.admin).post(
        at("connect-directory"), {"name": "Entra ID", "expires_on": clock.today() + timedelta(days=30)}
    )
    (token,) = set(re.findall(r"plk_[\w-]+", page.content.decode()))
    row = Directory.objects.get()
    assert token.split("_", 2)[2] not in f"{row.secret_hash}{row.public}"
    assert token.encode() not in as_(cast.admin).get(reverse("directories")).content
    page = as_(cast.admin).post(
        at("directories/renew", row.pk), {"expires_on": clock.today() + timedelta(days=9)}
    )
    (renewed,) = set(re.findall(r"plk_[\w-]+", page.content.decode()))
    assert renewed != token
    assert renewed.encode() not in as_(cast.admin).get(reverse("directories")).content


def test_a_group_moves_nobody_and_its_unit_is_accepted_person_by_person(entra, cast, as_):
    said = entra.makes("ann@corp.example", displayName="Ann Berg")
    entra.send(
        "POST", "Groups", {"schemas": [GROUP], "displayName": "Claims", "members": [{"value": said["id"]}]}
    )
    person, group = person_of(said), entra.row.groups.get()
    admin = as_(cast.admin)
    admin.post(at("groups/propose-unit", group.pk), {"unit": cast.unit.pk})
    person.refresh_from_db()
    assert person.unit is None
    assert "Ann Berg" in admin.get(reverse("directories")).content.decode()
    account = ManagedAccount.objects.get()
    answer = admin.post(reverse("directory-accept", args=[account.pk, cast.unit.pk]))
    assert answer.status_code == 302
    person.refresh_from_db()
    assert person.unit == cast.unit
    assert admin.post(reverse("directory-accept", args=[account.pk, cast.elsewhere.pk])).status_code == 403


def test_what_a_directory_keeps_is_not_edited_here(entra, cast, as_):
    said = entra.makes("ann@corp.example", displayName="Ann Berg", emails=[{"value": "ann@corp.example"}])
    person = person_of(said)
    url = reverse("admin:governance_user_change", args=[person.pk])
    admin = as_(cast.admin)
    sent = {
        "full_name": "Somebody else",
        "email": "x@evil.example",
        "unit": "",
        "manager": "",
        "reason": "I say so",
    }
    admin.post(url, sent | {"is_auditor": "on"})
    person.refresh_from_db()
    assert (person.full_name, person.email) == ("Ann Berg", "ann@corp.example")
    assert person.is_auditor
