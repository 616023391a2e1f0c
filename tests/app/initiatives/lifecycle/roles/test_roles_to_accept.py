"""Several roles accepted in one batch: each by its own proof, all of them or none, and only what was shown."""

import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from io import StringIO

import pyotp
import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.identity.factors import codes
from governance.identity.proofs import demands
from governance.models import Entry, FrozenStatement, Notification, SignatureProof
from governance.models.sign_in import HANDED
from governance.notifications import due as notification_due
from governance.offline import verify
from governance.people import cooling_off
from governance.permission_result import Conflict, Refused, no
from governance.sign_in import password_links
from governance.transparency_log import sealing, verification
from governance.vocabulary import Strength
from initiatives.inbox.tasks.inbox_tasks import tasks
from initiatives.lifecycle.access import roles_and_seats
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.roles import actions, handovers
from initiatives.models import Handover, RoleAssignment
from tests.app.initiatives.lifecycle.initiative.test_signing_by_passkey import prepared, signed, with_passkey
from tests.support import factories
from tests.support.identity.authenticator import ORIGIN
from tests.support.initiatives.initiative_pages import SIGNED, acts, seen, text_of
from tests.support.web import query_counts

pytestmark = pytest.mark.django_db
URL = "/roles/"


@pytest.fixture(autouse=True)
def named_address(settings):
    settings.ADDRESS = ORIGIN


def asked(cast, count: int = 2, role: str = "technical_lead") -> list[RoleAssignment]:
    """So many roles, each on an initiative of its own, proposed to the lead."""
    return [
        actions.propose_role(
            initiative=factories.make_initiative(cast, title=f"Idea number {number}"),
            role=role,
            person=cast.lead,
            by=cast.owner,
        )
        for number in range(count)
    ]


def ticked(*rows) -> dict:
    return {"take": [row.pk for row in rows]}


def open_ones(*rows) -> list[bool]:
    return [RoleAssignment.objects.get(pk=row.pk).accepted_at is None for row in rows]


class TestByPasskey:
    def test_one_assertion_signs_all_and_each_keeps_its_own_words(self, cast, as_):
        rows = asked(cast, 3)
        device, client = with_passkey(cast.lead), as_(cast.lead)
        sent = ticked(*rows[:2]) | seen(client.get(URL))
        shown = prepared(client, URL, sent)
        assert all(row.initiative.ref in shown["statement"] for row in rows[:2])
        assert rows[2].initiative.ref not in shown["statement"]
        with acts() as kinds:
            answer = client.post(URL, sent | signed(device, shown))
        assert answer.status_code == 302, text_of(answer)
        assert kinds.count("role accepted") == 2
        assert open_ones(*rows) == [False, False, True]
        proofs = list(SignatureProof.objects.order_by("id"))
        assert {proof.strength for proof in proofs} == {"passkey"}
        for proof, row, other in zip(proofs, rows[:2], reversed(rows[:2]), strict=True):
            assert row.initiative.ref in proof.statement
            assert other.initiative.ref not in proof.statement
            assert other.initiative.title not in json.dumps(proof.evidence) + proof.statement
            assert proof.digests == [one.digest for one in proofs]
            done = Entry.objects.acts().filter(kind="role accepted", initiative_ref=row.initiative.ref)
            entry = done.get(actor_id=cast.lead.pk)
            assert entry.facts["facts"]["signature"] == {"strength": "passkey", "digest": proof.digest}
            kept = Entry.objects.rows().get(table="governance_signatureproof", key=str(proof.pk))
            assert kept.initiative_ref == row.initiative.ref
            assert verify.check_signature(kept.facts["after"]) == "passkey"
        assert len({proof.salt for proof in proofs}) == 2
        assert len({proof.digest for proof in proofs}) == 2

    def test_an_export_of_one_initiative_verifies_without_the_words_of_the_others(self, cast, as_, tmp_path):
        rows = asked(cast)
        device, client = with_passkey(cast.lead), as_(cast.lead)
        sent = ticked(*rows) | seen(client.get(URL))
        client.post(URL, sent | signed(device, prepared(client, URL, sent)))
        sealing.seal(wait=True)
        assert verification.verify().findings == []
        mine, other = (row.initiative for row in rows)
        assert mine.contract_id is None
        file = tmp_path / "one.zip"
        call_command("export_audit_log", "--initiative", mine.ref, "--to", str(file), stdout=StringIO())
        with zipfile.ZipFile(file) as archive:
            archive.extractall(tmp_path)
        folder = tmp_path / "one"
        everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert other.title.encode() not in everything
        assert SignatureProof.objects.latest("id").digest.encode() in everything
        command = [sys._base_executable, "-I", "-S", "verify.py", "."]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
        assert "1 signatures by passkey: each fits its statement" in ran.stdout
        assert "1 of these signatures were given in a batch" in ran.stdout

    def test_words_of_another_statement_make_the_proof_wrong(self, cast, as_):
        rows = asked(cast)
        device, client = with_passkey(cast.lead), as_(cast.lead)
        sent = ticked(*rows) | seen(client.get(URL))
        client.post(URL, sent | signed(device, prepared(client, URL, sent)))
        kept = [row.facts["after"] for row in Entry.objects.rows().filter(table="governance_signatureproof")]
        with pytest.raises(verify.Rejected, match="a different statement"):
            verify.check_signature(kept[0] | {"statement": kept[1]["statement"]})
        with pytest.raises(verify.Rejected, match="did not sign this statement"):
            verify.check_signature(kept[0] | {"digests": [kept[0]["digest"]]})
        with pytest.raises(verify.Rejected, match="did not sign this statement"):
            verify.check_signature(kept[0] | {"digests": kept[0]["digests"][::-1]})

    def test_another_choice_than_the_one_that_was_frozen_signs_nothing(self, cast, as_):
        rows = asked(cast, 3)
        device, client = with_passkey(cast.lead), as_(cast.lead)
        sent = ticked(*rows[:2]) | seen(client.get(URL))
        for other, words in (
            (rows[:1], "The statements have changed since they were shown."),
            (rows[1:], "The statements have changed since they were shown."),
            (rows, "This statement was not shown to you."),
        ):
            shown = prepared(client, URL, sent)
            with acts() as kinds:
                answer = client.post(URL, sent | ticked(*other) | signed(device, shown))
            assert words in text_of(answer)
            assert kinds == ["signature ended"]
        assert open_ones(*rows) == [True] * 3

    def test_it_is_signed_once_and_in_time(self, cast, as_):
        rows = asked(cast, 4)
        device, client = with_passkey(cast.lead), as_(cast.lead)
        sent = ticked(*rows[:2]) | seen(client.get(URL))
        said = sent | signed(device, prepared(client, URL, sent))
        assert client.post(URL, said).status_code == 302
        again = ticked(*rows[2:]) | {name: value for name, value in said.items() if name != "take"}
        assert "This statement is already signed" in text_of(client.post(URL, again))
        sent = ticked(*rows[2:]) | seen(client.get(URL))
        shown = prepared(client, URL, sent)
        FrozenStatement.objects.update(expires_at=clock.now())
        assert "The time to sign has passed" in text_of(client.post(URL, sent | signed(device, shown)))
        assert open_ones(*rows) == [False, False, True, True]


class TestChanged:
    @pytest.mark.parametrize("by", ["passkey", "password"])
    def test_one_changed_fact_ends_it_and_the_page_says_which(self, cast, as_, by):
        rows = asked(cast)
        client = as_(cast.lead)
        device = with_passkey(cast.lead) if by == "passkey" else None
        sent = ticked(*rows) | seen(client.get(URL))
        signing = signed(device, prepared(client, URL, sent)) if device else SIGNED
        actions.accept_role(
            assignment=actions.propose_role(
                initiative=rows[1].initiative, role="technical_lead", person=cast.steward, by=cast.owner
            ),
            by=cast.steward,
        )
        with acts() as kinds:
            answer = client.post(URL, sent | signing)
        page = text_of(answer)
        assert f"Technical lead of {rows[1].initiative.ref}: in place of changed since it was shown." in page
        assert f"Technical lead of {rows[0].initiative.ref}: " not in page
        assert kinds == ["signature ended"]
        assert open_ones(*rows) == [True, True]
        assert not SignatureProof.objects.exists()
        if by == "password":  # read again, it is signed as it is now
            assert client.post(URL, sent | seen(answer) | SIGNED).status_code == 302
            assert open_ones(*rows) == [False, False]

    def test_a_role_that_was_taken_back_is_named_and_nothing_is_signed(self, cast, as_):
        rows = asked(cast)
        client = as_(cast.lead)
        sent = ticked(*rows) | seen(client.get(URL))
        actions.revoke_role(assignment=rows[0], reason="Somebody else does it", by=cast.owner)
        answer = client.post(URL, sent | SIGNED)
        assert (
            f"Technical lead of {rows[0].initiative.ref}: this statement no longer waits for you. No "
            "statement was signed." in text_of(answer)
        )
        assert open_ones(rows[1]) == [True]

    def test_what_ends_at_the_last_moment_takes_the_others_back_with_it(self, cast):
        rows = asked(cast)
        actions.revoke_role(assignment=rows[1], reason="Somebody else does it", by=cast.owner)
        with acts() as kinds, pytest.raises(Conflict):
            actions.accept_roles(assignments=rows, proofs={}, by=cast.lead)
        assert open_ones(*rows) == [True, True]
        assert kinds == ["refused"]

    def test_what_somebody_else_was_shown_is_nothing_that_one_was_shown(self, cast, as_):
        rows = asked(cast)
        initiative = factories.make_initiative(cast)
        actions.propose_role(initiative=initiative, role="sponsor", person=cast.steward, by=cast.owner)
        foreign = seen(as_(cast.steward).get(URL))
        answer = as_(cast.lead).post(URL, ticked(*rows) | foreign | SIGNED)
        assert "this statement was not shown to you" in text_of(answer)
        assert as_(cast.steward).post(URL, ticked(*rows) | foreign | SIGNED).status_code == 200
        assert open_ones(*rows) == [True, True]


class TestByPassword:
    def test_a_password_with_a_code_signs_what_the_page_showed(self, cast, as_):
        rows = asked(cast)
        secret, moment = pyotp.random_base32(), clock.now()
        with time_machine.travel(moment - timedelta(minutes=5), tick=False):
            code = pyotp.TOTP(secret).at(clock.now())
            codes.add(person=cast.lead, secret=secret, code=code)
        client = as_(cast.lead)
        with time_machine.travel(moment, tick=False):
            page = client.get(URL)
            sent = ticked(*rows) | seen(page)
            assert "Also enter the code" in text_of(client.post(URL, sent | SIGNED))
            code = pyotp.TOTP(secret).at(moment)
            assert client.post(URL, sent | SIGNED | {"sign_code": code}).status_code == 302
        proofs = list(SignatureProof.objects.order_by("id"))
        assert [proof.strength for proof in proofs] == ["password and code"] * 2
        shown = [one.get_text() for one in BeautifulSoup(page.content, "html.parser").select("pre.statement")]
        assert [proof.statement for proof in proofs] == shown
        assert all(proof.digests == [one.digest for one in proofs] for proof in proofs)

    def test_nothing_is_accepted_without_it(self, cast, as_):
        rows = asked(cast)
        client = as_(cast.lead)
        sent = ticked(*rows) | seen(client.get(URL))
        for said, words in (
            ({"password": ""}, "This field is required"),
            ({"password": "no"}, "No statement was signed."),
        ):
            assert words in text_of(client.post(URL, sent | said))
        assert "Tick at least one statement." in text_of(client.post(URL, sent | SIGNED | {"take": []}))
        assert open_ones(*rows) == [True, True]


class TestPage:
    def test_what_a_tier_asks_more_for_stands_there_with_why(self, cast, as_, monkeypatch):
        rows = asked(cast)
        initiative_acts.propose_and_confirm_tier(rows[1].initiative, cast.team, "high")
        monkeypatch.setattr(
            demands,
            "least_for",
            lambda act, tier: Strength.PASSKEY if tier == "high" else Strength.PASSWORD,
        )
        client = as_(cast.lead)
        page = client.get(URL + "?tick=all")
        assert "requires a signature by at least: passkey" in text_of(page)
        boxes = BeautifulSoup(page.content, "html.parser").select("input[name=take]")
        assert [(box["value"], box.has_attr("checked")) for box in boxes] == [(str(rows[0].pk), True)]
        forged = client.post(URL, ticked(*rows) | seen(page) | SIGNED)
        assert "requires a signature by at least: passkey" in text_of(forged)
        assert open_ones(*rows) == [True, True]
        assert client.post(URL, ticked(rows[0]) | seen(page) | SIGNED).status_code == 302

    def test_ten_cost_what_three_cost(self, cast, as_):
        client = as_(cast.lead)
        asked(cast, 3)
        before = query_counts.asked(client, URL)
        asked(cast, 7)
        assert query_counts.asked(client, URL) <= before
        page = client.get(URL + "?tick=all")
        assert text_of(page).count("checked") == 10
        assert "You are proposed for 10 roles." in text_of(page)
        rows = list(RoleAssignment.objects.to_accept(cast.lead))
        assert client.post(URL, ticked(*rows) | seen(page) | SIGNED).url == "/"
        assert SignatureProof.objects.count() == 10

    def test_what_is_withdrawn_asks_nobody_any_more(self, cast, as_):
        initiative = factories.make_initiative(cast)
        actions.propose_role(initiative=initiative, role="sponsor", person=cast.lead, by=cast.owner)
        detail_actions.withdraw(initiative=initiative, reason="Registered twice", by=cast.owner)
        assert "You have no role to accept" in text_of(as_(cast.lead).get(URL))

    def test_who_may_lift_nothing_yet_accepts_nothing(self, cast, as_, monkeypatch):
        rows = asked(cast)
        client = as_(cast.lead)
        sent = ticked(*rows) | seen(client.get(URL))
        monkeypatch.setattr(cooling_off, "may_lift", lambda *_: no("Your account was reactivated today."))
        assert "Your account was reactivated today." in text_of(client.get(URL))
        assert client.post(URL, sent | SIGNED).status_code == 403
        assert open_ones(*rows) == [True, True]


class TestTold:
    def test_the_inbox_leads_to_one_page_for_two_and_to_the_role_for_one(self, cast):
        rows = asked(cast, 2)
        (line,) = [one for one in tasks(cast.lead) if one.verb == "accept"]
        assert (line.text, line.link) == ("2 roles to accept", reverse("roles-to-accept"))
        assert "Idea number 0, Idea number 1." in line.why
        actions.decline_role(assignment=rows[0], by=cast.lead)
        (line,) = [one for one in tasks(cast.lead) if one.verb == "accept"]
        assert line.link == reverse("row-act", args=["roles", rows[1].pk, "accept"])

    def test_one_message_asks_for_all_of_a_day_and_stays_the_same_one(self, cast):
        rows = asked(cast, 5)

        def messages():
            return [
                due
                for due in notification_due.find().values()
                if due.kind == "role" and due.person == cast.lead
            ]

        (due,) = messages()
        assert due.subject == "You are asked to accept 5 roles"
        assert due.link == reverse("roles-to-accept")
        assert due.text.count("AI-") == 3
        assert "and 2 more." in due.text
        for row in rows[:4]:
            actions.accept_role(assignment=row, by=cast.lead)
        (left,) = messages()
        assert left.key == due.key
        assert left.subject == "You are asked to accept 1 role"
        assert not Notification.objects.filter(kind="role").exists()


class TestHandovers:
    def test_each_that_is_taken_over_has_its_own_proof_under_its_own_initiative(self, cast, as_):
        initiatives = [factories.make_initiative(cast, title=f"Idea number {number}") for number in range(2)]
        handovers.propose_handover(
            person=cast.owner, chosen=dict.fromkeys(initiatives, cast.lead), reason="Leaving.", by=cast.owner
        )
        device, client, url = with_passkey(cast.lead), as_(cast.lead), reverse("handovers")
        rows = Handover.objects.order_by("initiative")
        sent = {"take": [row.pk for row in rows], "step": "accept"} | seen(client.get(url))
        assert client.post(url, sent | signed(device, prepared(client, url, sent))).status_code == 302
        assert all(row.accepted_at for row in Handover.objects.all())
        kept = list(Entry.objects.rows().filter(table="governance_signatureproof").order_by("id"))
        assert [entry.initiative_ref for entry in kept] == [initiative.ref for initiative in initiatives]
        for entry, initiative, other in zip(kept, initiatives, reversed(initiatives), strict=True):
            row = entry.facts["after"]
            assert verify.check_signature(row) == "passkey"
            assert len(row["digests"]) == 2
            assert f"Business owner of {initiative.ref}" in row["statement"]
            assert other.ref not in row["statement"]

    def test_other_words_to_accept_than_were_shown_end_it(self, cast, as_):
        initiative = factories.make_initiative(cast)
        row = handovers.propose_handover(
            person=cast.owner, chosen={initiative: cast.lead}, reason="Leaving.", by=cast.owner
        )[0]
        client, url = as_(cast.lead), reverse("handovers")
        sent = {"take": row.pk, "step": "accept"} | seen(client.get(url))
        detail_actions.rename(initiative=initiative, title="Another name", reason="Clearer", by=cast.owner)
        answer = client.post(url, sent | SIGNED)
        assert f"{initiative.ref} from {cast.owner}: accepted changed since it was shown." in text_of(answer)
        assert not Handover.objects.get().accepted_at
        assert client.post(url, {"take": row.pk, "step": "decline"}).status_code == 302


def test_a_person_who_must_wait_registers_and_accepts_the_role_of_owner_later(cast):
    """The password was set by a link that another person handed over: the database lets no role begin for a day."""
    link = password_links.make(cast.owner, HANDED, by=cast.admin)
    owner = password_links.set_password(
        token=password_links.token_of(link), password="a long new password 47"
    )
    initiative = factories.make_initiative(cast, owner=owner, by=owner)
    (role,) = initiative.roles.all()
    assert (role.role, role.person, role.accepted_at) == ("owner", owner, None)
    with pytest.raises(Refused, match="Someone else reset your password"):
        actions.accept_role(assignment=role, by=owner)
    assert roles_and_seats.is_owner(initiative, owner)
