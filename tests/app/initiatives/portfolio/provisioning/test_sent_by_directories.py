"""Requests in the shapes that Entra ID and Okta document: each is taken, and does what it says."""

import json
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from governance.database.row_history import acting
from governance.models import Entry, ManagedAccount, User
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.paths import ROOT
from tests.support.servers.directories import ENTERPRISE, GROUP, USER, Sender

pytestmark = pytest.mark.django_db

WORK = 'emails[type eq "work"].value'
MICROSOFT_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"


@pytest.fixture
def entra(cast):
    return Sender(cast.admin)


@pytest.fixture
def okta(cast):
    return Sender(cast.admin, "Okta")


@pytest.fixture
def ann(entra) -> dict:
    return entra.makes(
        "ann.berg@corp.example",
        externalId="5a1c",
        active=True,
        displayName="Ann Berg",
        name={"formatted": "Ann Berg", "familyName": "Berg", "givenName": "Ann"},
        emails=[{"primary": True, "type": "work", "value": "ann@corp.example"}],
    )


def person_of(said: dict) -> User:
    return ManagedAccount.objects.get(uid=said["id"]).person


def test_entra_makes_an_account_with_more_than_is_asked_of_it(entra):
    answer = entra.send(
        "POST",
        "Users",
        {
            "schemas": [USER, ENTERPRISE],
            "externalId": "58342554-38d6-4ec8-948c-50044d0a33fd",
            "userName": "Test_User_dfeef4c5@testuser.example",
            "active": True,
            "addresses": [{"country": "CH", "formatted": None, "type": "work"}],
            "displayName": "Tess Tuser",
            "emails": [{"type": "work", "value": "tess@testuser.example", "primary": True}],
            "meta": {"resourceType": "User"},
            "name": {
                "formatted": "givenName familyName",
                "familyName": "familyName",
                "givenName": "givenName",
            },
            "phoneNumbers": [{"type": "work", "value": "555 0100"}],
            "roles": [],
            "title": "Clerk",
            "preferredLanguage": "de",
            ENTERPRISE: {"department": "Claims", "employeeNumber": "17"},
        },
    )
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert answer["Location"] == said["meta"]["location"]
    assert answer["ETag"] == said["meta"]["version"]
    person = person_of(said)
    assert (person.login, person.full_name, person.email) == (
        "Test_User_dfeef4c5@testuser.example",
        "Tess Tuser",
        "tess@testuser.example",
    )
    assert not person.has_usable_password()
    assert not person.is_admin
    assert not person.memberships.exists()
    kept = str(ManagedAccount.objects.get(uid=said["id"]).said)
    assert "555 0100" not in kept
    assert "Clerk" not in kept


def test_what_directories_ask_is_found(entra, ann):
    for asked, count in (
        ('Users?filter=userName eq "nobody@corp.example"', 0),
        ('Users?filter=userName eq "ANN.BERG@corp.example"', 1),
        ('Users?filter=externalId eq "5a1c"', 1),
        ('Users?filter=externalId eq "5A1C"', 0),
        ('Users?filter=emails[type eq "work" and value eq "ann@corp.example"]', 1),
        ('Users?filter=userName sw "ann" and active eq true', 1),
        ('Users?filter=name.familyName co "erg" or displayName eq "nobody"', 1),
        ("Users?filter=active eq false", 0),
        ('Users?filter=id eq "3f0c"', 0),
        ("Users?startIndex=1&count=100", 1),
        ("Users?startIndex=2&count=100", 1),
        ("Users?count=0", 1),
        ("Users?sortBy=userName&sortOrder=descending", 1),
        ('Users?filter=userName eq "ann.berg@corp.example"&attributes=id,userName', 1),
        ('Groups?excludedAttributes=members&filter=displayName eq "Claims"', 0),
        ("Groups?startIndex=1&count=100", 0),
    ):
        answer = entra.send("GET", asked)
        assert answer.status_code == 200, answer.content
        said = answer.json()
        assert said["totalResults"] == count, asked
        if "attributes=id" in asked:
            assert set(said["Resources"][0]) == {"schemas", "id", "userName"}
        if "startIndex=2" in asked or "count=0" in asked:
            assert "Resources" not in said or said["Resources"] == []


def address_of(person) -> dict:
    """The address that the directory has for the person: another one than here waits for an admin."""
    report = person.reported.waiting().filter(kind="address").first()
    return {"email": report.value if report else person.email}


@pytest.mark.parametrize(
    ("operations", "changed"),
    [
        (
            [
                {"op": "Replace", "path": WORK, "value": "new@corp.example"},
                {"op": "Replace", "path": "name.familyName", "value": "Berger"},
            ],
            {"email": "new@corp.example"},
        ),
        ([{"op": "Replace", "path": "displayName", "value": "Ann Berger"}], {"full_name": "Ann Berger"}),
        ([{"op": "Add", "path": "displayName", "value": "Ann B."}], {"full_name": "Ann B."}),
        ([{"op": "Replace", "value": {"displayName": "Ann C.", "active": True}}], {"full_name": "Ann C."}),
        (
            [{"op": "Add", "value": {"name.givenName": "Anna", WORK: "anna@corp.example"}}],
            {"email": "anna@corp.example"},
        ),
        ([{"op": "Replace", "path": "active", "value": False}], {"is_active": False}),
        ([{"op": "Replace", "path": "active", "value": "False"}], {"is_active": False}),
        ([{"op": "replace", "value": {"active": False}}], {"is_active": False}),
        ([{"op": "Replace", "value": {"active": "False"}}], {"is_active": False}),
        ([{"op": "Remove", "path": "displayName"}], {"full_name": "Ann Berg"}),
        ([{"op": "Remove", "path": WORK}], {"email": ""}),
        ([{"op": "Add", "path": 'phoneNumbers[type eq "mobile"].value', "value": "555"}], {}),
        ([{"op": "Replace", "path": f"{ENTERPRISE}:department", "value": "Claims"}], {}),
        ([{"op": "Replace", "path": "title", "value": "Head"}], {}),
        (
            [{"op": "Replace", "path": "userName", "value": "ann.new@corp.example"}],
            {"login": "ann.berg@corp.example"},
        ),
    ],
)
def test_a_patch_does_what_it_says(entra, ann, operations, changed):
    answer = entra.patches(f"Users/{ann['id']}", *operations)
    assert answer.status_code == 200, answer.content
    person = person_of(ann)
    was = {
        "login": "ann.berg@corp.example",
        "full_name": "Ann Berg",
        "email": "ann@corp.example",
        "is_active": True,
    }
    now = {name: getattr(person, name) for name in was} | address_of(person)
    assert now == was | changed
    assert answer.json()["active"] is person.is_active


def test_a_manager_is_named_in_each_shape_and_taken_away(entra, ann):
    head = entra.makes("head@corp.example", displayName="Hedda Ode")
    path = f"{ENTERPRISE}:manager"
    for value in (head["id"], {"value": head["id"]}):
        answer = entra.patches(f"Users/{ann['id']}", {"op": "Add", "path": path, "value": value})
        assert answer.status_code == 200, answer.content
        assert person_of(ann).manager.full_name == "Hedda Ode"
        assert answer.json()[ENTERPRISE]["manager"]["value"] == head["id"]
        assert entra.patches(f"Users/{ann['id']}", {"op": "Remove", "path": path}).status_code == 200
        assert person_of(ann).manager is None


def test_a_manager_may_come_after_who_reports_to_them(entra, ann):
    """Named by the directory's own id, as Okta does: kept as it was sent, and in force once that account comes."""
    path = f"{ENTERPRISE}:manager"
    answer = entra.patches(f"Users/{ann['id']}", {"op": "Add", "path": path, "value": "e-4711"})
    assert answer.json()[ENTERPRISE]["manager"]["value"] == "e-4711"
    assert person_of(ann).manager is None
    entra.makes("other@corp.example", displayName="Otto Ode", externalId="e-1")
    assert person_of(ann).manager is None
    entra.makes("head@corp.example", displayName="Hedda Ode", externalId="e-4711")
    assert person_of(ann).manager.full_name == "Hedda Ode"


def test_entra_keeps_a_group(entra, ann):
    body = {
        "schemas": [GROUP, MICROSOFT_GROUP],
        "externalId": "8aa1",
        "displayName": "Claims",
        "meta": {"resourceType": "Group"},
    }
    answer = entra.send("POST", "Groups", body)
    assert answer.status_code == 201, answer.content
    place = f"Groups/{answer.json()['id']}"
    assert "members" not in entra.send("GET", f"{place}?excludedAttributes=members").json()
    adding = {"op": "Add", "path": "members", "value": [{"$ref": None, "value": ann["id"]}]}
    for _ in range(2):
        assert entra.patches(place, adding).status_code in (200, 204)
    assert [one["value"] for one in entra.send("GET", place).json()["members"]] == [ann["id"]]
    assert entra.send("GET", f"Users/{ann['id']}").json()["groups"][0]["display"] == "Claims"
    assert entra.patches(
        place, {"op": "Replace", "path": "displayName", "value": "Claims CH"}
    ).status_code in (200, 204)
    removing = {"op": "Remove", "path": "members", "value": [{"$ref": None, "value": ann["id"]}]}
    assert entra.patches(place, removing).status_code in (200, 204)
    said = entra.send("GET", place).json()
    assert said["displayName"] == "Claims CH"
    assert not said.get("members")
    assert entra.send("DELETE", place).status_code == 204
    assert entra.send("GET", place).status_code == 404


def test_okta_takes_an_account_through_its_life(okta):
    asked = 'Users?filter=userName eq "test.user@okta.local"&startIndex=1&count=100'
    assert okta.send("GET", asked).json()["totalResults"] == 0
    body = {
        "schemas": [USER],
        "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-US",
        "externalId": "00ujl29u0le5T6Aj10h7",
        "groups": [],
        "password": "1mz050nq",
        "active": True,
    }
    answer = okta.send("POST", "Users", body)
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert "password" not in said
    assert not person_of(said).has_usable_password()
    place = f"Users/{said['id']}"
    body |= {"id": said["id"], "displayName": "Test A. User", "meta": {"resourceType": "User"}}
    answer = okta.send("PUT", place, body)
    assert answer.status_code == 200, answer.content
    assert person_of(said).full_name == "Test A. User"
    for active in (False, True, False):
        assert okta.patches(place, {"op": "replace", "value": {"active": active}}).status_code == 200
        assert person_of(said).is_active is active
    answer = okta.send("PUT", place, body | {"active": True})
    assert answer.json()["active"] is True
    assert okta.send("GET", "Users?startIndex=1&count=2").json()["itemsPerPage"] == 1


def test_okta_pushes_a_group(okta):
    one, other = okta.makes("one@okta.local"), okta.makes("other@okta.local")
    answer = okta.send("POST", "Groups", {"schemas": [GROUP], "displayName": "Test SCIMv2", "members": []})
    place = f"Groups/{answer.json()['id']}"
    renamed = {"op": "replace", "value": {"id": answer.json()["id"], "displayName": "Test SCIMv3"}}
    assert okta.patches(place, renamed).status_code in (200, 204)
    everyone = [{"value": one["id"], "display": "one@okta.local"}, {"value": other["id"]}]
    assert okta.patches(place, {"op": "replace", "path": "members", "value": everyone}).status_code in (
        200,
        204,
    )
    assert len(okta.send("GET", place).json()["members"]) == 2
    out = {"op": "remove", "path": f'members[value eq "{one["id"]}"]'}
    assert okta.patches(place, out).status_code in (200, 204)
    assert [row["value"] for row in okta.send("GET", place).json()["members"]] == [other["id"]]
    body = {
        "schemas": [GROUP],
        "id": answer.json()["id"],
        "displayName": "Test SCIMv4",
        "members": [{"value": one["id"]}],
    }
    said = okta.send("PUT", place, body).json()
    assert (said["displayName"], [row["value"] for row in said["members"]]) == ("Test SCIMv4", [one["id"]])
    assert okta.send("GET", 'Groups?filter=displayName eq "Test SCIMv4"').json()["totalResults"] == 1
    assert okta.send("DELETE", place).status_code == 204


# --- Texts, managers and logins as directories really send them -------------------------------------------------------

DATA = Path(ROOT) / "tests/data/apis"
MANAGER = f"{ENTERPRISE}:manager"
LOGINS = [json.loads(line) for line in (DATA / "login-names.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("file", "field"),
    [("half-a-character-scim-user", "displayName"), ("nul-and-other-characters-scim-user", "userName")],
)
def test_an_account_with_a_character_that_nobody_sees_is_refused_by_its_field(entra, file, field):
    answer = entra.send("POST", "Users", json.loads((DATA / f"{file}.json").read_text()))
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert not ManagedAccount.objects.exists()


def test_entra_moves_a_manager_by_path_with_a_bare_id(entra, ann):
    """Also when the account has a manager already, whose name is read-only."""
    place = f"Users/{ann['id']}"
    for name in ("bo@corp.example", "cy@corp.example"):
        boss = entra.makes(name)
        body = (DATA / "entra-manager-by-path-patch.json").read_text().replace("MANAGER", boss["id"])
        answer = entra.send("PATCH", place, json.loads(body))
        assert answer.status_code == 200, answer.content
        assert answer.json()[ENTERPRISE]["manager"]["value"] == boss["id"]
        assert person_of(ann).manager == person_of(boss)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Add", "path": MANAGER, "value": "ID"},
        {"op": "replace", "path": MANAGER, "value": ["ID"]},
        {
            "op": "Replace",
            "path": MANAGER,
            "value": {"value": "ID", "displayName": "Bo", "$ref": "../Users/ID"},
        },
        {"op": "Replace", "path": MANAGER, "value": [{"$ref": None, "value": "ID"}]},
        {"op": "Replace", "path": f"{MANAGER}.value", "value": "ID"},
        {"op": "Replace", "path": "manager", "value": "ID"},
        {"op": "Replace", "value": {MANAGER: "ID"}},
        {"op": "Replace", "value": {MANAGER: {"value": "ID", "displayName": "Bo"}}},
        {
            "op": "Add",
            "value": {ENTERPRISE: {"manager": {"value": "ID", "displayName": "Bo"}, "department": "x"}},
        },
        {"op": "Add", "value": {ENTERPRISE: {"manager": "ID"}}},
    ],
)
def test_every_way_to_write_a_manager_is_taken(entra, ann, operation):
    place = f"Users/{ann['id']}"
    first, boss = entra.makes("first@corp.example"), entra.makes("bo@corp.example")
    assert entra.patches(place, {"op": "Add", "path": MANAGER, "value": first["id"]}).status_code == 200
    answer = entra.patches(place, json.loads(json.dumps(operation).replace("ID", boss["id"])))
    assert answer.status_code == 200, answer.content
    assert person_of(ann).manager == person_of(boss)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "Remove", "path": MANAGER},
        {"op": "Remove", "path": MANAGER, "value": ""},
        {"op": "Remove", "path": MANAGER, "value": [{"value": "ID"}]},
        {"op": "Replace", "path": MANAGER, "value": ""},
        {"op": "Replace", "path": MANAGER, "value": {"value": ""}},
        {"op": "Replace", "path": MANAGER, "value": None},
        {"op": "Replace", "value": {MANAGER: ""}},
    ],
)
def test_every_way_to_take_a_manager_away_is_taken(entra, ann, operation):
    boss = entra.makes("bo@corp.example")
    place = f"Users/{ann['id']}"
    assert entra.patches(place, {"op": "Add", "path": MANAGER, "value": boss["id"]}).status_code == 200
    answer = entra.patches(place, json.loads(json.dumps(operation).replace("ID", boss["id"])))
    assert answer.status_code == 200, answer.content
    assert person_of(ann).manager is None
    assert "manager" not in answer.json().get(ENTERPRISE, {})


def test_a_put_with_the_name_of_a_manager_is_taken(entra, ann):
    boss, other = entra.makes("bo@corp.example"), entra.makes("cy@corp.example")
    for one in (boss, other):
        body = ann | {
            "schemas": [USER, ENTERPRISE],
            ENTERPRISE: {"manager": {"value": one["id"], "displayName": "B"}},
        }
        answer = entra.send("PUT", f"Users/{ann['id']}", body)
        assert answer.status_code == 200, answer.content
        assert person_of(ann).manager == person_of(one)


@pytest.mark.parametrize(
    ("operation", "changed"),
    [
        ({"op": "Replace", "path": "active", "value": ["False"]}, {"is_active": False}),
        ({"op": "Replace", "path": "active", "value": [{"$ref": None, "value": "False"}]}, {"is_active": False}),
        ({"op": "Replace", "path": "displayName", "value": ["Ann B."]}, {"full_name": "Ann B."}),
        ({"op": "Replace", "path": "displayName", "value": [{"value": "Ann B."}]}, {"full_name": "Ann B."}),
        ({"op": "Add", "path": f"{USER}:displayName", "value": "Ann B."}, {"full_name": "Ann B."}),
        ({"op": "Replace", "path": "emails", "value": [{"value": "b@corp.example", "primary": "True"}]},
         {"email": "b@corp.example"}),
        ({"Op": "replace", "Path": "displayName", "Value": "Ann B."}, {"full_name": "Ann B."}),
        ({"op": "Add", "path": 'addresses[type eq "work"].streetAddress', "value": "Way 1"}, {}),
        ({"op": "Add", "path": "addresses", "value": [{"type": "work", "streetAddress": "Way 1"}]}, {}),
        ({"op": "Add", "path": "roles", "value": [{"value": "clerk", "primary": "True"}]}, {}),
        ({"op": "Add", "path": 'roles[primary eq "True"].value', "value": "clerk"}, {}),
        ({"op": "Add", "value": {f"{ENTERPRISE}:department": "Claims", f"{ENTERPRISE}:employeeNumber": "7"}}, {}),
        ({"op": "Replace", "path": "urn:ietf:params:scim:schemas:extension:custom:2.0:User:tag", "value": "x"}, {}),
        ({"op": "Remove", "path": "title", "value": ""}, {}),
    ],
)  # fmt: skip
def test_more_of_what_directories_send_beside_the_standard(entra, ann, operation, changed):
    before = vars(person_of(ann))
    answer = entra.patches(f"Users/{ann['id']}", operation)
    assert answer.status_code == 200, answer.content
    after = vars(person_of(ann)) | address_of(person_of(ann))
    differing = {name for name in before if name[0] != "_" and before[name] != after[name]}
    assert {name: after[name] for name in changed} == changed
    assert differing <= {*changed, "signs_from", "address_changed_at"}


def test_operations_are_applied_all_or_none_and_the_wrong_one_is_named(entra, ann):
    entries = Entry.objects.count()
    for wrong, words in (
        ({"op": "Replace", "path": "groups", "value": []}, "Operation 2 (Replace groups): "),
        ({"op": "Replace", "path": "emails[", "value": "x"}, "Operation 2 (Replace emails[): "),
        ({"op": "Jump", "path": "title"}, "Operation 2 (Jump title): "),
        ({"op": "Replace", "path": "active", "value": "perhaps"}, "Operation 2 (Replace active): "),
        ("Replace", "Operation 2 (not an object): "),
    ):
        answer = entra.patches(
            f"Users/{ann['id']}", {"op": "Replace", "path": "displayName", "value": "Other"}, wrong
        )
        assert answer.status_code == 400, answer.content
        assert answer.json()["detail"].startswith(words)
        assert person_of(ann).full_name == "Ann Berg"
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("body", LOGINS, ids=lambda body: body["userName"])
def test_logins_that_directories_send_are_taken_and_found(entra, body, client):
    login = body["userName"]
    answer = entra.send("POST", "Users", body)
    assert answer.status_code == 201, answer.content
    assert answer.json()["userName"] == login
    for asked in (login, login.upper().replace("SS", "ß")):
        found = entra.client.get(
            "/scim/v2/Users", {"filter": f'userName eq "{asked}"'}, HTTP_AUTHORIZATION=f"Bearer {entra.token}"
        ).json()
        assert found["totalResults"] == 1, asked
    again = entra.send("POST", "Users", body | {"userName": login.swapcase().replace("SS", "ß")})
    assert again.status_code == 409
    person = person_of(answer.json())
    with unguarded("governance_user"), acting(by=person, reason="test"):
        person.set_password("a long enough word 77")
        person.save()
    for name in (login, login.swapcase().replace("SS", "ß")):
        signed_in = client.post("/sign-in/", {"username": name, "password": "a long enough word 77"})
        assert "at most" not in signed_in.content.decode()
        assert User.objects.get_by_natural_key(name) == person


def test_a_login_has_up_to_254_letters(entra):
    long = f"{'a' * 64}@{'b' * 185}.org"
    assert len(long) == 254
    assert person_of(entra.makes(long)).login == long
    assert entra.send("POST", "Users", {"schemas": [USER], "userName": f"x{long}"}).status_code == 400


def test_the_database_tells_logins_apart_without_regard_to_initiative(entra):
    person = person_of(entra.makes("jürgen.groß@example.org"))
    with pytest.raises(IntegrityError), transaction.atomic(), acting(by=person, reason="test"):
        User.objects.create_user("JÜRGEN.GROß@EXAMPLE.ORG", full_name="Another")


def test_what_no_login_may_hold(entra):
    for letter in (*' \t\n"`<>()[]{}|\\/,;:%*=?', "\u00a0", "\u2019", "\u200b", "\u202e"):
        answer = entra.send("POST", "Users", {"schemas": [USER], "userName": f"a{letter}b"})
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue"), letter
        assert "userName" in answer.json()["detail"], letter
