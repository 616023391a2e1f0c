"""New keys, addresses and names that a provider reports: people and admins are told, and admins answer many at once."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import travel

from governance import clock
from governance.database.row_history import acting
from governance.identity import actions, linked_accounts, reported_identities, views
from governance.identity.reported_identities import ADDRESS, KEY, NAME
from governance.models import (
    Entry,
    ExternalIdentity,
    ManagedAccount,
    Notification,
    ReportedIdentity,
    SamePerson,
    SignatureProof,
    User,
)
from governance.permission_result import Conflict, Refused
from governance.sign_in import account_notifications
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.portfolio.units import leaving
from tests.app.governance.identity.conftest import there_and_back
from tests.app.governance.identity.test_one_human_one_account import open_door  # noqa: F401
from tests.support.attacks.unguarded_writes import unguarded
from tests.support.factories import make_person
from tests.support.identity.provider_signing import linked
from tests.support.initiatives.initiative_pages import SIGNED, seen
from tests.support.servers.directories import Sender

PAGE = "/identity/reported/"
DAY = linked_accounts.cooling_off.LASTS


def comes(idp, subject, **claims):
    """The answer to somebody who signs in at the provider, and their browser."""
    idp.who = {"sub": subject, **claims}
    client = Client()
    return there_and_back(client, idp), client


def denied(response) -> str:
    return response.context["denied"].code if response.status_code == 403 else ""


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def waiting(kind) -> list[ReportedIdentity]:
    return list(ReportedIdentity.objects.waiting().filter(kind=kind))


def takes_over(admin: User, rows, **sent):
    client = signed_in(admin)
    shown = seen(client.get(PAGE))
    return client.post(PAGE, {"take": [row.pk for row in rows]} | shown | SIGNED | sent)


@pytest.fixture
def known(provider, ana):
    """Ana, whom the provider knows as `old`."""
    linked(ana, provider, "old")
    return ana


# --- Keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("makes_people", [True, False])
def test_a_provider_that_issues_all_subjects_anew_makes_nobody_and_one_task(
    request, provider, idp, admin, makes_people
):
    if makes_people:
        request.getfixturevalue("open_door")
    people = [make_person(f"person-{number}") for number in range(30)]
    for number, person in enumerate(people):
        linked(person, provider, f"old-{number}")
    for _ in range(2):
        for number, person in enumerate(people):
            answer, client = comes(idp, f"new-{number}", email=person.email.upper(), name=person.full_name)
            assert denied(answer) == "new key"
            assert client.get("/account/").status_code == 302
    assert User.objects.count() == 31
    assert len(waiting(KEY)) == 30
    (task,) = reported_identities.tasks(admin)
    assert (task.verb, "30" in task.text, task.link) == ("confirm", True, f"{PAGE}#key")
    told = Notification.objects.filter(kind="account", person__in=people, object_key__startswith="reported:")
    assert told.count() == 30

    page = signed_in(admin).get(f"{PAGE}?tick=all")
    ((kind, rows),) = page.context["groups"]
    assert (kind, {(one["now"], one["row"].value) for one in rows}) == (
        KEY,
        {(f"old-{number}", f"new-{number}") for number in range(30)},
    )
    assert all(one["ticked"] for one in rows)
    assert takes_over(admin, waiting(KEY)[1:]).status_code == 302
    assert [row.person for row in waiting(KEY)] == [people[0]]
    for number, person in enumerate(people[1:], 1):
        (link,) = ExternalIdentity.objects.open().filter(person=person)
        assert (link.key, link.linked_by) == (f"new-{number}", admin)
        subjects = person.notifications.filter(kind="account").values_list("object_key", flat=True)
        assert f"identity:{link.pk}" in subjects
    kinds = list(Entry.objects.acts().values_list("kind", flat=True))
    assert kinds.count(EntryKind.IDENTITY_LINKED) == 30 + 29
    assert kinds.count(EntryKind.IDENTITY_REVOKED) == 29
    assert SignatureProof.objects.filter(act="identity", person=admin).count() == 29

    assert denied(comes(idp, "new-7")[0]) == "waits"
    with travel(clock.now() + DAY * 1.01):
        assert comes(idp, "new-7")[1].get("/account/").context["user"] == people[7]
        assert denied(comes(idp, "old-7", email=people[7].email)[0]) == "new key"


def test_another_provider_with_the_same_people_reports_their_keys(request, provider, idp, known, admin):
    """A new tenant is another provider: its first sign-in of a linked person makes no second account."""
    linked_accounts.revoke_link(identity=ExternalIdentity.objects.get(), reason="Moved", by=admin)
    assert denied(comes(idp, "new", email=known.email)[0]) == "unknown"  # no open link: as anybody
    elsewhere = actions.add_provider(
        name="Elsewhere",
        slug="elsewhere",
        kind="other",
        issuer="https://elsewhere.example",
        client_id="x",
        authentication="secret",
        secret="x",
        scopes="openid",
        key_claim="sub",
        by=admin,
    )
    linked(known, elsewhere, "there")
    assert denied(comes(idp, "new", email=known.email)[0]) == "new key"
    assert reported_identities.signed_facts(waiting(KEY)[0])["now"] == "there"
    takes_over(admin, waiting(KEY))
    assert set(ExternalIdentity.objects.open().values_list("key", flat=True)) == {"there", "new"}


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "nobody@example.org"},
        {"email": "ana@example.org", "email_verified": False},
        {"email": "ben@example.org"},  # of an account without a link
        {"email": "two@example.org"},  # of two accounts
        {"email": "gone@example.org"},  # of an account that ended
    ],
)
def test_what_names_not_exactly_one_linked_person_is_not_reported(provider, idp, known, admin, claims):
    make_person("ben")
    for login in ("one", "other", "gone"):
        person = make_person(login)
        linked(person, provider, f"key of {login}")
        with unguarded("governance_user"), acting(by=admin):
            person.email = "gone@example.org" if login == "gone" else "two@example.org"
            person.is_active = login != "gone"
            person.save()
    assert denied(comes(idp, "new", **claims)[0]) == "unknown"
    assert not ReportedIdentity.objects.exists()


def test_who_a_directory_makes_again_with_another_id_keeps_the_account(open_door, idp, admin):  # noqa: F811
    """The directory has the new key of the person, so no address is needed."""
    directory = Sender(admin, provider=open_door)
    said = directory.makes("lea@corp.example", externalId="lea-7")
    assert comes(idp, "lea-7")[0].status_code == 302
    directory.send("DELETE", f"Users/{said['id']}")
    assert denied(comes(idp, "lea-7")[0]) == "ended"
    directory.makes("lea@corp.example", externalId="lea-8")
    (kept,) = ManagedAccount.objects.all()
    leaving.reactivate(person=kept.person, reason="The same person.", by=admin)
    people = User.objects.count()
    assert denied(comes(idp, "lea-8")[0]) == "new key"
    assert ([row.person for row in waiting(KEY)], User.objects.count()) == ([kept.person], people)
    takes_over(admin, waiting(KEY))
    with travel(clock.now() + DAY * 1.01):
        assert comes(idp, "lea-8")[1].get("/account/").context["user"] == kept.person


def test_the_page_asks_the_database_as_often_for_many_rows_as_for_few(
    provider, idp, known, admin, django_assert_max_num_queries
):
    client = signed_in(admin)
    comes(idp, "new", email=known.email)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    asked = len(few)
    for number in range(5):
        person = make_person(f"person-{number}")
        linked(person, provider, f"old-{number}")
        comes(idp, f"new-{number}", email=person.email)
    client.get(PAGE)  # counts the inbox again
    with django_assert_max_num_queries(asked):
        assert len(client.get(PAGE).context["groups"][0][1]) == 6


def test_a_page_shows_so_many_and_then_the_others(provider, idp, admin, monkeypatch):
    monkeypatch.setattr(views, "SHOWN", 2)
    for number in range(3):
        person = make_person(f"person-{number}")
        linked(person, provider, f"old-{number}")
        comes(idp, f"new-{number}", email=person.email)
    page = signed_in(admin).get(PAGE)
    assert (page.context["shown"], page.context["waiting"]) == (2, 3)
    takes_over(admin, [one["row"] for one in page.context["groups"][0][1]])
    assert len(signed_in(admin).get(PAGE).context["groups"][0][1]) == 1


def test_a_key_of_another_person_is_not_reported_for_this_one(provider, idp, known, admin):
    row = linked_accounts.link_for(person=make_person("ben"), provider=provider, key="bens", by=admin)
    linked_accounts.revoke_link(identity=row, reason="Left", by=admin)
    assert denied(comes(idp, "bens", email=known.email)[0]) == "unknown"
    assert not ReportedIdentity.objects.exists()


def test_a_declined_key_gets_an_account_of_its_own(open_door, idp, known, admin):  # noqa: F811
    comes(idp, "new", email=known.email)
    (row,) = waiting(KEY)
    assert signed_in(admin).post(f"{PAGE}decline/", {"take": row.pk}).status_code == 302
    answer, client = comes(idp, "new", email=known.email)
    assert answer.status_code == 302
    other = client.get("/account/").context["user"]
    assert other != known
    assert {known.pk, other.pk} == set(SamePerson.objects.values_list("one_id", "other_id").get())
    assert not waiting(KEY)


def test_nobody_takes_over_for_themselves_or_without_the_right_or_the_signature(provider, idp, admin, known):
    linked(admin, provider, "admins")
    comes(idp, "new", email=admin.email)
    comes(idp, "newer", email=known.email)
    own, anas = sorted(waiting(KEY), key=lambda row: row.person != admin)
    (first, second) = signed_in(admin).get(PAGE).context["groups"][0][1]
    assert {one["row"].person: bool(one["why_not"]) for one in (first, second)} == {admin: True, known: False}
    assert takes_over(admin, [own]).status_code == 403
    assert takes_over(admin, [anas], password="wrong").status_code == 200
    assert takes_over(admin, []).status_code == 200
    with pytest.raises(Refused):
        reported_identities.take_over(reports=[anas], proofs={}, by=known)
    with pytest.raises(Refused):
        reported_identities.decline(reports=[anas], by=known)
    assert signed_in(known).get(PAGE).status_code == 403
    assert set(ExternalIdentity.objects.open().values_list("key", flat=True)) == {"admins", "old"}
    reported_identities.take_over(reports=[anas], proofs={}, by=admin)
    with pytest.raises(Conflict):
        reported_identities.take_over(reports=[anas], proofs={}, by=admin)


def test_a_row_that_changed_since_it_was_shown_is_not_signed(provider, idp, known, admin):
    comes(idp, "new", email=known.email)
    (row,) = waiting(KEY)
    client = signed_in(admin)
    shown = seen(client.get(PAGE))
    comes(idp, "newest", email=known.email)
    answer = client.post(PAGE, {"take": row.pk} | shown | SIGNED)
    assert answer.status_code != 302
    assert ExternalIdentity.objects.open().get().key == "old"


# --- Addresses and names ----------------------------------------------------------------------------------------------


def mails(mailoutbox) -> list[set[str]]:
    mailoutbox.clear()
    account_notifications.send()
    return [set(mail.recipients()) for mail in mailoutbox]


def test_another_address_is_told_at_both_addresses_and_asked_of_an_admin(
    provider, idp, known, admin, mailoutbox
):
    account_notifications.send()
    for _ in range(2):
        answer, _client = comes(idp, "old", email="lind@example.org", email_verified=True)
        assert answer.status_code == 302
    known.refresh_from_db()
    assert known.email == "ana@example.org"
    (row,) = waiting(ADDRESS)
    assert [task.link for task in reported_identities.tasks(admin)] == [f"{PAGE}#address"]
    assert {"ana@example.org", "lind@example.org"} in mails(mailoutbox)
    assert takes_over(admin, [row]).status_code == 302
    known.refresh_from_db()
    assert (known.email, known.address_changed_at is not None) == ("lind@example.org", True)
    assert mails(mailoutbox) == [{"ana@example.org", "lind@example.org"}]
    comes(idp, "old", email="lind@example.org", email_verified=True)
    assert not waiting(ADDRESS)


def test_an_address_that_nobody_states_is_verified_gets_no_mail_and_says_so(
    provider, idp, known, admin, mailoutbox
):
    account_notifications.send()
    comes(idp, "old", email="lind@example.org")
    (row,) = waiting(ADDRESS)
    assert row.verified is False
    assert all("lind@example.org" not in to for to in mails(mailoutbox))
    comes(idp, "old", email="other@example.org", email_verified=False)
    assert [one.value for one in waiting(ADDRESS)] == ["lind@example.org"]


def test_an_address_that_is_right_again_is_no_longer_asked_about(provider, idp, known):
    comes(idp, "old", email="lind@example.org")
    comes(idp, "old", email="ANA@example.org")
    assert not ReportedIdentity.objects.exists()


@pytest.mark.parametrize(
    ("name", "reported"), [("Ruiz, Ana", False), ("ANA RUIZ", False), ("Ana Lind", True)]
)
def test_another_name_is_told_quietly_and_asked_of_an_admin(
    provider, idp, known, admin, mailoutbox, name, reported
):
    account_notifications.send()
    comes(idp, "old", name=name)
    assert len(waiting(NAME)) == reported
    assert known.notifications.filter(kind=reported_identities.CHANGED_NAME).count() == reported
    if reported:
        assert takes_over(admin, waiting(NAME)).status_code == 302
        known.refresh_from_db()
        assert known.full_name == name


def test_a_declined_address_is_not_reported_again(provider, idp, known, admin):
    comes(idp, "old", email="lind@example.org")
    reported_identities.decline(reports=waiting(ADDRESS), by=admin)
    comes(idp, "old", email="lind@example.org")
    assert not waiting(ADDRESS)
    comes(idp, "old", email="newer@example.org")
    assert len(waiting(ADDRESS)) == 1


def test_the_page_has_no_row_of_an_account_that_ended(provider, idp, known, admin):
    comes(idp, "old", email="lind@example.org")
    leaving.deactivate(person=known, reason="Left.", by=admin)
    assert reported_identities.waiting() == []
    assert signed_in(admin).get(PAGE).context["groups"] == []
