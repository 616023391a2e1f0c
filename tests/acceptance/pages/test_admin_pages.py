"""The Django admin: accounts, names of boards and reporting duties are kept there; the rest is looked at."""

import csv
import io
import re
from datetime import datetime

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from simple_history.admin import SimpleHistoryAdmin

from governance.models import Board, Entry, Membership, Unit, User
from governance.organisation.actions import appoint
from governance.permission_result import Refused
from governance.web.admin_base import export_csv
from initiatives.models import Initiative
from tests.support import factories
from tests.support.web.security_policy import trouble_with

KEPT = {"Board", "User", "ReportingDuty"}
OURS = ("governance", "initiatives", "adoption")


WRONG = [
    (User, {"login": "OWNER", "full_name": "Twice"}, "is taken"),
    (User, {"login": "new one", "full_name": "Blank"}, "Use letters"),
    (User, {"login": "sam", "full_name": "Sam", "unit": "999999"}, "belongs to an imported list"),
]


def models_of_ours():
    return [model for model in admin.site._registry if model._meta.app_label in OURS]


def page(model, name, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def form_of(response) -> dict:
    """What a browser would send back from the form of this page."""
    form = response.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    for name, value in list(values.items()):
        if isinstance(value, datetime):
            values |= {f"{name}_0": f"{value:%Y-%m-%d}", f"{name}_1": f"{value:%H:%M:%S}", name: None}
    for inline in response.context["inline_admin_formsets"]:
        for name in inline.formset.management_form.fields:
            values[f"{inline.formset.prefix}-{name}"] = inline.formset.management_form[name].value()
    return {name: value for name, value in values.items() if value is not None and value is not False}


def add(client, model, **fields):
    url = page(model, "add")
    sent = {key: str(value) for key, value in form_of(client.get(url)).items()} | fields
    return client.post(url, sent)


@pytest.fixture
def initiative(cast):
    return factories.make_initiative(cast)


ASKED = ("?q=a", "?q=AI-1&o=1", "?e=1", "?p=99", "?nonsense=1")


def test_every_governed_model_is_listed_searchable_and_its_rows_open(cast, as_, initiative, rounds):
    """Every list plain, and asked in one of five ways in turn; in all of them with `--rounds 500`."""
    client = as_(cast.admin)
    for place, model in enumerate(models_of_ours()):
        listing = page(model, "changelist")
        for query in ("", *(ASKED if rounds >= 500 else ASKED[place % len(ASKED) :][:1])):
            response = client.get(listing + query)
            assert response.status_code in (200, 302), (model, query)
            assert query or trouble_with(response) == [], model
        row = model.objects.order_by("pk").first()
        if row is not None:
            opened = client.get(page(model, "change", row.pk))
            past_of_it = client.get(page(model, "history", row.pk))
            assert opened.status_code == past_of_it.status_code == 200, model
            assert trouble_with(opened) == trouble_with(past_of_it) == [], model
            if hasattr(model, "history"):
                past = model.history.filter(**{model._meta.pk.attname: row.pk}).first()
                if past is not None:
                    url = page(model, "simple_history", row.pk, past.history_id)
                    assert client.get(url).status_code == 200, model
                    before = model.objects.filter(pk=row.pk).values().get()
                    assert client.post(url, {}).status_code == 403, model
                    assert model.objects.filter(pk=row.pk).values().get() == before


def test_every_list_is_searched_filtered_exported_and_found_by_a_plain_name():
    for model, model_admin in admin.site._registry.items():
        assert model_admin.search_fields, model
        assert model_admin.list_filter, model
        assert model_admin.index_name, model
        assert export_csv in model_admin.actions, model
        if hasattr(model, "history"):
            assert isinstance(model_admin, SimpleHistoryAdmin), model


def test_the_index_has_groups_with_plain_names(cast, as_):
    response = as_(cast.admin).get("/admin/")
    names = [group["name"] for group in response.context["app_list"]]
    assert names == ["Organisation", "Initiatives", "Messages and sign-ins", "Audit log"]
    listed = [model["name"] for group in response.context["app_list"] for model in group["models"]]
    assert len(listed) == len(admin.site._registry)
    assert {"Seats", "Sign-offs", "Obligations", "Accounts"} <= set(listed)
    assert not [name for name in listed if name[:1].islower() or "_" in name]
    assert as_(cast.admin).get("/admin/governance/").status_code == 200
    assert as_(cast.admin).get("/admin/nothing/").status_code == 404


def test_lists_ask_as_much_for_fifty_rows_as_for_one(cast, as_, monkeypatch):
    """No list asks again for every row: with one row on the page, and with all of them."""
    factories.make_mvp(cast)
    client, wrong = as_(cast.admin), []
    for model, model_admin in admin.site._registry.items():
        counts = []
        for shown in (1, 50):
            monkeypatch.setattr(model_admin, "list_per_page", shown)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page(model, "changelist")).status_code == 200
            counts.append(len(queries))
        if counts[1] > counts[0] or counts[1] > 25:
            wrong.append((model.__name__, *counts))
    assert wrong == []


def test_what_is_exported_is_recorded(cast, as_, initiative):
    client = as_(cast.admin)
    sent = {"action": "export_csv", "_selected_action": [initiative.pk], "index": 0}
    b"".join(client.post(page(Initiative, "changelist"), sent).streaming_content)
    entry = Entry.objects.acts().filter(kind="export taken").latest("id")
    assert entry.actor_id == cast.admin.pk
    assert entry.facts["facts"] == {"name": "initiatives", "of": "the administration"}


def test_read_only_models_refuse_add_change_and_delete_and_leave_an_entry(cast, as_, initiative):
    client = as_(cast.admin)
    for model in models_of_ours():
        if model.__name__ in KEPT:
            continue
        row = model.objects.order_by("pk").first()
        before = Entry.objects.acts().filter(kind="refused").count()
        assert client.post(page(model, "add"), {}).status_code == 403, model
        assert Entry.objects.acts().filter(kind="refused").count() == before + 1, model
        if row is not None:
            assert client.post(page(model, "change", row.pk), {"title": "x"}).status_code == 403, model
            assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403, model
            assert Entry.objects.acts().filter(kind="refused").count() == before + 3
            assert model.objects.filter(pk=row.pk).exists()


def test_a_stage_is_not_edited_here(cast, as_, initiative):
    client = as_(cast.admin)
    url = page(Initiative, "change", initiative.pk)
    assert client.get(f"{url}?_to_field=").status_code == 200, "a column without a name is none"
    text = client.get(url).content.decode()
    assert 'name="stage"' not in text
    assert 'name="_save"' not in text
    response = client.post(url, {"stage": "production", "title": "Mine"})
    assert response.status_code == 403
    assert "Use the pages of the initiative" in response.content.decode()
    now = Initiative.objects.get(pk=initiative.pk)
    assert (now.stage, now.title) == ("proposed", initiative.title)
    entry = Entry.objects.acts().filter(kind="refused").latest("id")
    assert entry.initiative_ref == initiative.ref
    assert entry.actor_id == cast.admin.pk


def test_nothing_is_deleted_by_action_either(cast, as_, initiative):
    client = as_(cast.admin)
    for model in models_of_ours():
        row = model.objects.order_by("pk").first()
        count = model.objects.count()
        sent = {
            "action": "delete_selected",
            "_selected_action": [row.pk if row else 0],
            "index": 0,
            "post": "yes",
        }
        client.post(page(model, "changelist"), sent)
        assert model.objects.count() == count, model


def test_lists_are_exported_without_formulas(cast, as_):
    initiative = factories.make_initiative(cast, title='=HYPERLINK("http://evil.example","x")')
    client = as_(cast.admin)
    for model in models_of_ours():
        keys = list(model.objects.values_list("pk", flat=True)[:3])
        if not keys:
            continue
        sent = {"action": "export_csv", "_selected_action": keys, "index": 0}
        response = client.post(page(model, "changelist"), sent)
        assert response["Content-Type"].startswith("text/csv"), model
        text = b"".join(response.streaming_content).decode()
        rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff"))))
        assert len(rows) == len(keys) + 1
        assert "password" not in rows[0]
        assert not [cell for row in rows for cell in row if cell[:1] in "=+@" and cell]
    assert initiative.title.startswith("=")


def test_an_account_is_added_without_a_password(cast, as_):
    fields = {"password1": "a long enough phrase", "password2": "a long enough phrase", "unit": cast.unit.pk}
    client = as_(cast.admin)
    added = add(
        client, User, login="mira", full_name="Mira Lund", email="m@example.org", reason="New", **fields
    )
    assert added.status_code == 302
    person = User.objects.get(login="mira")
    assert not person.has_usable_password(), "nobody types the password of somebody else"
    assert person.unit == cast.unit
    assert person.history.first().history_change_reason == "New"
    assert person.history.first().history_user_id == cast.admin.pk


def test_nobody_seats_themselves(cast, as_):
    url = reverse("seat-grant", args=[cast.board.pk])
    response = as_(cast.admin).post(url, {"seat": "chair", "person": cast.admin.pk})
    assert response.status_code == 200
    with pytest.raises(Refused, match="You cannot give yourself a seat"):
        appoint(board=cast.board, person=cast.admin, seat="chair", by=cast.admin)
    assert not Membership.objects.filter(person=cast.admin).exists()


def test_bad_input_is_said_in_words(cast, as_):
    client = as_(cast.admin)
    for model, fields, said in WRONG:
        response = add(client, model, **fields)
        assert response.status_code == 200
        assert said in response.content.decode(), fields


def test_a_person_is_changed_with_a_reason_and_the_audit_log_says_what(cast, as_):
    client = as_(cast.admin)
    url = page(User, "change", cast.outsider.pk)
    sent = form_of(client.get(url)) | {"full_name": "Sam Brooke", "reason": "Married", "is_active": ""}
    assert client.post(url, sent).status_code == 302
    person = User.objects.get(pk=cast.outsider.pk)
    assert person.full_name == "Sam Brooke"
    assert person.is_active
    assert person.check_password(factories.PASSWORD)
    assert person.history.first().history_change_reason == "Married"
    facts = Entry.objects.acts().filter(kind="user changed").latest("id").facts
    assert facts["facts"]["before"] == {"full_name": "Sam Brook"}
    assert facts["reason"] == "Married"


def test_a_board_gets_another_name_and_keeps_its_unit(cast, as_):
    client = as_(cast.admin)
    url = page(Board, "change", cast.board.pk)
    sent = form_of(client.get(url)) | {"name": "Sales board", "unit": cast.elsewhere.pk, "reason": "Clearer"}
    assert client.post(url, sent).status_code == 302
    board = Board.objects.get(pk=cast.board.pk)
    assert (board.name, board.unit_id) == ("Sales board", cast.board.unit_id)
    assert Entry.objects.acts().filter(kind="board changed").latest("id").actor_id == cast.admin.pk
    assert client.post(page(Board, "add"), {"name": "Second", "unit": cast.elsewhere.pk}).status_code == 403


def test_units_and_seats_are_changed_on_their_own_pages(cast, as_):
    client = as_(cast.admin)
    seat = Membership.objects.get(person=cast.seat_risk)
    for row, sent in ((cast.unit, {"name": "Key accounts"}), (seat, {"person": cast.outsider.pk})):
        assert client.post(page(type(row), "change", row.pk), sent).status_code == 403
        assert client.post(page(type(row), "add"), sent).status_code == 403
    assert Unit.objects.get(pk=cast.unit.pk).name == cast.unit.name
    assert Membership.objects.get(pk=seat.pk).person == cast.seat_risk


def test_no_page_takes_the_password_of_somebody_else(cast, as_):
    client = as_(cast.admin)
    sent = {"password1": "another long phrase", "password2": "another long phrase", "usable_password": "true"}
    for person in (cast.lead, cast.admin):
        url = f"/admin/governance/user/{person.pk}/password/"
        client.get(url)
        client.post(url, sent)
        assert User.objects.get(pk=person.pk).check_password(factories.PASSWORD)
    for url in (page(User, "add"), page(User, "change", cast.lead.pk)):
        assert 'type="password"' not in client.get(url).content.decode()
    assert client.get(reverse("admin:password_change")).url == "/account/password/"


def test_an_account_ends_by_the_act_that_ends_its_roles(cast, as_, initiative):
    client = as_(cast.admin)
    url = reverse("admin:governance_user_deactivate", args=[cast.owner.pk])
    assert url in client.get(page(User, "change", cast.owner.pk)).content.decode()
    text = client.get(url).content.decode()
    assert f"Business owner of {initiative}" in text
    assert "This field is required" in client.post(url, {}).content.decode()
    assert client.post(url, {"reason": "Left the house"}).status_code == 302
    assert not User.objects.get(pk=cast.owner.pk).is_active
    assert not initiative.roles.in_force().exists()
    assert (
        client.post(
            reverse("admin:governance_user_deactivate", args=[cast.admin.pk]), {"reason": "x"}
        ).status_code
        == 403
    )
    back = reverse("admin:governance_user_reactivate", args=[cast.owner.pk])
    assert client.post(back, {"reason": "Came back"}).status_code == 302
    assert User.objects.get(pk=cast.owner.pk).is_active
    assert client.get(reverse("admin:governance_user_deactivate", args=[999999])).status_code == 404


def test_auditors_look_and_touch_nothing(cast, as_, initiative, rounds):
    """They touch no row anywhere; every third model is looked at, with `--rounds 500` every one."""
    client = as_(cast.auditor)
    assert client.get("/admin/").status_code == 200
    for place, model in enumerate(models_of_ours()):
        looks = rounds >= 500 or place % 3 == 0 or model.__name__ in KEPT
        assert not looks or client.get(page(model, "changelist")).status_code == 200, model
        row = model.objects.order_by("pk").first()
        if row is not None:
            if looks:
                response = client.get(page(model, "change", row.pk))
                assert response.status_code == 200, model
                assert 'name="_save"' not in response.content.decode()
            assert client.post(page(model, "change", row.pk), {}).status_code == 403, model
        assert client.post(page(model, "add"), {}).status_code == 403, model
    for name in ("deactivate", "reactivate"):
        url = reverse(f"admin:governance_user_{name}", args=[cast.lead.pk])
        assert client.post(url, {"reason": "x"}).status_code == 403


def test_others_are_told_that_it_is_not_for_them(cast, as_, client):
    assert client.get("/admin/").url == "/sign-in/?next=/admin/"
    assert client.get("/admin/login/").url.startswith("/sign-in/")
    response = as_(cast.owner).get("/admin/", follow=True)
    assert response.status_code == 403
    assert "Only admins and auditors can open Admin" in response.content.decode()
    assert as_(cast.admin).post("/admin/logout/").url == "/sign-in/"


def test_pages_of_the_admin_carry_no_inline_script_or_style(cast, as_, initiative):
    client = as_(cast.admin)
    for url in ("/admin/", page(User, "changelist"), page(User, "change", cast.lead.pk), page(User, "add")):
        text = client.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*(src=|application/json))[^>]*>", text), url
        assert "<style" not in text
        assert not re.search(r"\son\w+=", text)


@pytest.mark.parametrize("ticked", ["", " ", "x", "1.5", "9" * 30])
def test_rows_ticked_under_keys_that_are_none_are_said_to_be_gone(cast, as_, initiative, ticked):
    """Django itself breaks down over them."""
    sent = {"action": "export_csv", "index": "0", "_selected_action": [ticked]}
    answer = as_(cast.admin).post("/admin/initiatives/initiative/", sent, follow=True)
    assert "Some of these rows are missing. Select them again." in answer.content.decode()
