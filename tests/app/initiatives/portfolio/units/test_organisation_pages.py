"""Units, boards and seats on their own pages: what is shown, who acts, and what is said before a seat ends."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from django.urls import reverse

from adoption.demo import initiative_acts
from governance import clock
from governance.audit_log import entries
from governance.database.row_history import acting
from governance.models import Board, Entry, Membership, Unit, User
from governance.organisation import actions as organisation_actions
from governance.permission_result import Refused
from governance.vocabulary import BoardRole
from governance.web.form_fields import PersonField, sign_offs_lost
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.roles.forms import ProposeForm
from initiatives.models import Review
from initiatives.models.imports import ROOT
from initiatives.portfolio.units import seat_preview, tree
from initiatives.portfolio.units.forms import AddBoardForm, AddUnitForm, GrantForm, MergeForm, MoveForm
from tests.support import factories
from tests.support.database import snapshots
from tests.support.initiatives.initiative_pages import SIGNED, at

WHY = "Two teams became one."
pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def foreign(cast) -> Unit:
    """A unit as an import of other organisations' inventories makes it."""
    with acting(system="import", reason="Asserted by a source"):
        root = Unit(name=ROOT[0], code=ROOT[1])
        root.save()
        unit = Unit(name="Fleet Ltd", code="imported-fleet", parent=root)
        unit.save()
        entries.record("unit added", unit=unit.code)
    return unit


@pytest.fixture
@snapshots.kept
def signed_off(cast) -> Review:
    """A review for the prototype on which the seat for business value, the only one that must sign, signed off."""
    initiative = factories.make_initiative(cast)
    initiative_acts.parts(initiative, cast.team)
    initiative_acts.ground_gate(initiative, "prototype", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(initiative), by=cast.owner)
    initiative_acts.sign_off(review, "business_value", cast.seat_value)
    return review


def words(response) -> str:
    return " ".join(response.content.decode().split())


def held(person: User) -> Membership:
    return Membership.objects.held_at(clock.now()).get(person=person)


# Units


def test_the_tree_counts_what_is_in_each_unit_and_names_who_decides(cast):
    factories.make_initiative(cast)
    factories.make_initiative(cast, title="Another", unit=cast.unit.parent)
    rows = {row.unit.code: row for row in tree.own_rows()}
    assert list(rows) == ["northgate", "logistics", "retail", "accounts"]
    assert [(row.depth, row.initiatives, row.with_below) for row in rows.values()] == [
        (0, 0, 2),
        (1, 0, 0),
        (1, 1, 2),
        (2, 1, 1),
    ]
    assert (rows["retail"].board, rows["accounts"].board) == (cast.board, None)
    assert (rows["accounts"].decides, rows["logistics"].decides) == (cast.board, None)
    assert rows["accounts"].people == 4


def test_a_unit_is_added_with_a_code_of_its_name_and_renamed(cast, as_):
    client = as_(cast.admin)
    sent = {"name": "Key accounts", "parent": cast.unit.pk, "code": ""}
    assert client.post(at("add-unit"), sent).status_code == 302
    unit = Unit.objects.get(code="key-accounts")
    assert unit.parent == cast.unit
    client.post(at("add-unit"), sent)
    assert Unit.objects.get(code="key-accounts-2").name == "Key accounts"
    again = client.post(at("add-unit"), sent | {"code": "retail"})
    assert "The code retail is taken. Choose another." in words(again)
    assert 'value="Key accounts"' in words(again)
    renamed = client.post(at("units/rename", unit.pk), {"name": "Large accounts"}, follow=True)
    assert renamed.redirect_chain == [(reverse("units"), 302)]
    assert "Key accounts is now called Large accounts." in words(renamed)
    unit = Unit.objects.get(pk=unit.pk)
    assert (unit.name, unit.code) == ("Large accounts", "key-accounts")
    entry = Entry.objects.acts().latest("pk")
    facts = entry.facts["facts"]
    assert (entry.kind, facts["before"], facts["after"]) == (
        "unit changed",
        {"name": "Key accounts"},
        {"name": "Large accounts"},
    )
    last = Entry.objects.acts().latest("pk").pk
    organisation_actions.rename_unit(unit=unit, name="Large accounts", by=cast.admin)
    assert Entry.objects.acts().latest("pk").pk == last, "the same name again is no act"
    with pytest.raises(ValidationError, match="Enter the name"):
        organisation_actions.rename_unit(unit=unit, name="  ", by=cast.admin)
    with pytest.raises(Refused, match="Only admins"):
        organisation_actions.rename_unit(unit=unit, name="Mine", by=cast.owner)


def test_a_unit_moves_only_as_it_was_shown(cast, as_):
    client, url = as_(cast.admin), reverse("unit-move", args=[cast.unit.pk])
    said = {"into": cast.elsewhere.pk, "reason": WHY}
    shown = client.post(url, said)
    assert "Account management moves below Logistics." in words(shown)
    assert Unit.objects.get(pk=cast.unit.pk).parent.code == "retail", "looking moves nothing"
    seen = shown.context["seen"]
    factories.make_initiative(cast)
    changed = client.post(url, said | {"seen": seen})
    assert "The consequences have changed after you opened the page." in words(changed)
    assert client.post(url, said | {"seen": changed.context["seen"]}).status_code == 302
    assert Unit.objects.get(pk=cast.unit.pk).parent == cast.elsewhere
    merge = reverse("unit-merge", args=[cast.unit.pk])
    shown = client.post(merge, said)
    assert "You cannot undo the merge." in words(shown)
    assert client.post(merge, said | {"seen": shown.context["seen"]}).status_code == 302
    page = words(client.get(reverse("units")))
    assert "Account management, now part of Logistics" in page


def test_auditors_read_both_pages_without_acts_and_others_read_neither(cast, as_, foreign):
    for name in ("units", "boards"):
        assert as_(cast.owner).get(reverse(name)).status_code == 403
        page = as_(cast.auditor).get(reverse(name))
        assert page.status_code == 200
        assert "Actions" not in words(page)
        assert "Add a" not in words(page)
        assert "Actions" in words(as_(cast.admin).get(reverse(name)))
    seat = held(cast.seat_value)
    for address in (
        at("add-unit"),
        at("units/rename", cast.unit.pk),
        reverse("unit-move", args=[cast.unit.pk]),
        reverse("unit-merge", args=[cast.unit.pk]),
        at("add-board"),
        reverse("seat-grant", args=[cast.board.pk]),
        at("seats/revoke", seat.pk),
    ):
        assert as_(cast.auditor).get(address).status_code == 403
        assert as_(cast.auditor).post(address, {"name": "x", "reason": "x"}).status_code == 403
    assert Membership.objects.get(pk=seat.pk).ends_at is None


# Imported units


def test_imported_units_stand_apart_and_no_form_of_the_organisation_offers_them(cast, as_, foreign):
    page = words(as_(cast.admin).get(reverse("units")))
    assert "One unit from imports" in page
    assert page.index("Fleet Ltd") > page.index("One unit from imports")
    assert foreign not in [row.unit for row in tree.own_rows()]
    forms = [
        AddUnitForm().fields["parent"],
        MoveForm().fields["into"],
        MergeForm(unit=cast.unit).fields["into"],
        AddBoardForm().fields["unit"],
    ]
    for field in forms:
        assert foreign not in field.queryset
        assert cast.unit in field.queryset
    client = as_(cast.admin)
    for name in ("governance_unit", "governance_board", "governance_user"):
        assert "Fleet Ltd" not in words(client.get(reverse(f"admin:{name}_add")))


def test_the_server_refuses_an_imported_unit_with_a_sentence(cast, as_, foreign):
    said = "came with an imported list"
    for act, fields in (
        (organisation_actions.add_unit, {"name": "Part", "code": "part", "parent": foreign}),
        (organisation_actions.add_board, {"name": "Fleet board", "unit": foreign}),
        (organisation_actions.add_person, {"login": "eve", "full_name": "Eve", "unit": foreign}),
    ):
        with pytest.raises(ValidationError, match=said):
            act(**fields, by=cast.admin)
    client = as_(cast.admin)
    for address, fields in (
        (at("add-unit"), {"name": "Part", "parent": foreign.pk}),
        (reverse("unit-move", args=[cast.unit.pk]), {"into": foreign.pk, "reason": WHY}),
        (reverse("unit-merge", args=[cast.unit.pk]), {"into": foreign.pk, "reason": WHY}),
        (at("add-board"), {"name": "Fleet board", "unit": foreign.pk}),
        (reverse("register"), {"title": "T", "problem": "P", "unit": foreign.pk, "owner": cast.owner.pk}),
        ("/accounts/add/", {"text": "user name,name,unit\neve,Eve,Fleet Ltd\n", "step": "enter"}),
    ):
        answer = client.post(address, fields)
        assert answer.status_code == 200
        assert said in words(answer), address
    assert not Board.objects.filter(unit=foreign).exists()
    assert not User.objects.filter(login="eve").exists()


def test_an_imported_unit_is_taken_over_and_the_root_of_imports_stays(cast, as_, foreign):
    url = reverse("unit-move", args=[foreign.pk])
    said = {"into": cast.elsewhere.pk, "reason": WHY}
    client = as_(cast.admin)
    assert client.post(url, said | {"seen": client.post(url, said).context["seen"]}).status_code == 302
    assert Unit.objects.get(pk=foreign.pk) in Unit.objects.own()
    root = Unit.objects.get(code=ROOT[1])
    answer = client.post(reverse("unit-move", args=[root.pk]), said)
    assert "Imported cannot move, because imports put their units below Imported." in words(answer)


# Boards and seats


def test_boards_say_who_holds_what_and_what_is_vacant_and_each_quorum(cast, as_):
    seat = held(cast.seat_risk)
    before = words(as_(cast.admin).get(reverse("boards")))
    assert "Vacant:" not in before
    assert str(cast.seat_risk) in before
    assert "Prototype:" in before
    client = as_(cast.admin)
    client.post(at("seats/revoke", seat.pk), SIGNED | {"reason": WHY})
    after = words(client.get(reverse("boards")))
    assert "Vacant: Risk and compliance." in after
    assert "Risk and compliance must sign and cannot: no one has this seat." in after
    assert str(cast.seat_risk) not in words(client.get(reverse("boards"))), "once the word of it was read"


def test_a_seat_is_granted_after_what_it_means_was_said_and_cools_off(cast, as_, signed_off):
    client, url = as_(cast.admin), f"{reverse('seat-grant', args=[cast.board.pk])}?seat=risk_compliance"
    assert '<option value="risk_compliance" selected>' in words(client.get(url))
    said = {"seat": BoardRole.RISK_COMPLIANCE, "person": cast.owner.pk}
    shown = words(client.post(url, said | {"step": "look"}))
    assert f"{cast.seat_risk} also holds this seat." in shown
    assert f"works on {signed_off.initiative.ref}, and cannot sign off there." in shown
    assert "unless the chair or a second admin confirms it earlier." in shown
    assert not Membership.objects.filter(person=cast.owner).exists(), "looking grants nothing"
    assert client.post(url, said | SIGNED).status_code == 302
    row = held(cast.owner)
    assert (row.seat, row.granted_by) == ("risk_compliance", cast.admin)
    assert "cooling off" in words(client.get(reverse("boards")))
    assert f"{cast.owner} already holds this seat." in words(client.post(url, said))


def test_what_is_wrong_with_a_seat_is_said_at_its_field(cast):
    day = clock.today()

    request = RequestFactory().get("/")
    request.user = cast.admin

    def wrong(**said) -> dict:
        form = GrantForm(
            SIGNED | {"seat": "chair", "person": cast.owner.pk} | said,
            board=cast.board,
            by=cast.admin,
            request=request,
            purpose="",
        )
        form.is_valid()
        return form.errors

    assert wrong() == {}
    assert "A seat cannot start before" in str(wrong(starts_on=day - timedelta(days=1))["starts_on"])
    assert "The last day is before the first day" in str(
        wrong(starts_on=day + timedelta(days=3), ends_on=day + timedelta(days=2))["ends_on"]
    )
    assert "A delegate must have the same seat" in str(
        wrong(delegate_of=held(cast.seat_value).pk)["delegate_of"]
    )
    assert "person" in wrong(person=cast.admin.pk), "nobody seats themselves"
    lender = organisation_actions.appoint(
        board=cast.board,
        person=cast.lead,
        seat="adoption_change",
        ends_at=clock.now() + timedelta(days=2),
        by=cast.admin,
    )
    lent = wrong(
        seat="adoption_change",
        person=cast.outsider.pk,
        delegate_of=lender.pk,
        starts_on=day + timedelta(days=9),
    )
    assert "starts_on" in lent
    with pytest.raises(ValidationError) as early:
        organisation_actions.appoint(
            board=cast.board,
            person=cast.outsider,
            seat="adoption_change",
            starts_at=clock.now() + timedelta(days=9),
            delegate_of=lender,
            by=cast.admin,
        )
    assert set(early.value.message_dict) == {"ends_at"}


def test_a_seat_of_a_time_ends_with_its_last_day(cast, as_):
    first, last = clock.today() + timedelta(days=1), clock.today() + timedelta(days=3)
    as_(cast.admin).post(
        reverse("seat-grant", args=[cast.board.pk]),
        SIGNED | {"seat": "adoption_change", "person": cast.outsider.pk, "starts_on": first, "ends_on": last},
    )
    row = Membership.objects.get(person=cast.outsider)
    assert (clock.local_day(row.starts_at), clock.local_day(row.ends_at)) == (first, last)


def test_before_a_seat_ends_the_reviews_it_leaves_without_a_quorum_are_named(cast, as_, signed_off):
    seat, ref = held(cast.seat_value), signed_off.initiative.ref
    said = " ".join(seat_preview.of_end(seat))
    assert f"The sign-off of {cast.seat_value} in the review of {ref} no longer counts." in said
    assert (
        f"Without this seat, the review of {ref} has no quorum: Business value must sign and cannot" in said
    )
    other = " ".join(seat_preview.of_end(held(cast.seat_adoption)))
    assert ref not in other
    assert "No open review loses a sign-off or its quorum. The board has 1 open review." in other
    factories.make_seat(cast, cast.sponsor, "business_value")
    said = " ".join(seat_preview.of_end(seat))
    assert "no longer counts" in said
    assert "quorum" not in said, "somebody else sits there"
    client, url = as_(cast.admin), at("seats/revoke", seat.pk)
    assert "Consequences" in words(client.get(url))
    assert Membership.objects.get(pk=seat.pk).ends_at is None
    assert client.post(url, {"reason": ""}).status_code == 200
    assert client.post(url, SIGNED | {"reason": WHY}).status_code == 302
    assert Membership.objects.get(pk=seat.pk).ends_at is not None


# Choosing people


def test_where_a_person_is_chosen_for_a_role_the_sign_off_it_costs_stands_beside_the_name(cast):
    initiative = factories.make_initiative(cast)
    request = RequestFactory().get("/")
    request.user = cast.owner
    form = ProposeForm(initiative=initiative, roles={"sponsor": "takes over"}, request=request, purpose="")
    options = dict(form.fields["sponsor"].choices)
    said = {str(key): label for key, label in options.items()}
    assert said[str(cast.seat_risk.pk)].endswith(": sits on the board, and would lose the right to sign off")
    assert "lose" not in said[str(cast.lead.pk)]
    assert cast.seat_risk.pk in sign_offs_lost(cast.board)
    assert (
        sign_offs_lost()[cast.seat_risk.pk]
        == "sits on Retail board, and would lose the right to sign off there"
    )


def test_a_list_of_more_than_ten_is_typed_into_and_a_short_one_is_not(cast):
    long = PersonField()
    assert "data-pick" in long.widget.render("person", None)
    short = PersonField()
    short.queryset = User.objects.filter(pk__in=[cast.owner.pk, cast.lead.pk])
    assert "data-pick" not in short.widget.render("person", None)
    assert "<select" in long.widget.render("person", None), "without scripts it is a select"
