"""Page steps: each is declared soundly, no other is found, and what is sent in vain leaves its entry."""

import inspect

import pytest
from django.urls import get_resolver

from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PLAIN_ACTS, ROW_ACTS, fields_of
from tests.support import factories
from tests.support.initiatives.initiative_pages import acts, at


def test_each_act_takes_its_subject_and_what_its_form_asks():
    assert get_resolver().url_patterns  # which loads every view, and with it every declaration
    for name, kind in (ROW_ACTS | INITIATIVE_ACTS | PLAIN_ACTS).items():
        if kind.fields is not fields_of:
            continue  # what it takes is made of the form
        act = getattr(kind.act, "effect", kind.act)  # a deed passes on what its effect takes
        takes = inspect.signature(act).parameters
        form = getattr(kind.form, "func", kind.form)  # of a partial
        asked = () if callable(getattr(form, "act", None)) else form.base_fields
        anything = any(one.kind is one.VAR_KEYWORD for one in takes.values())
        assert anything or {kind.noun, "by"} <= takes.keys(), name
        assert anything or set(asked) - {"password"} <= takes.keys(), name


@pytest.mark.django_db
def test_only_declared_acts_are_found_and_a_refusal_leaves_its_entry(cast, as_):
    drill = factories.make_drill(cast, factories.make_mvp(cast))
    assert as_(cast.lead).get(at("row-act", "drills", drill.pk, "burn")).status_code == 404
    assert as_(cast.lead).get(at("initiative-act", drill.initiative.ref, "burn")).status_code == 404
    with acts() as kinds:
        sent = as_(cast.seat_risk).post(at("row-act", "drills", drill.pk, "withdraw"), {"reason": "Wrong."})
    assert sent.status_code == 403
    assert kinds == ["refused"]
    drill.refresh_from_db()
    assert drill.withdrawn_at is None


@pytest.mark.django_db
def test_a_row_without_an_initiative_has_the_frame_of_its_noun(cast, as_):
    crm = factories.make_system(cast, "CRM", by=cast.second_admin)
    account = factories.make_account(cast, crm, by=cast.second_admin, owner=cast.lead)
    assert as_(cast.seat_adoption).get(at("service-accounts/close", account.pk)).status_code == 404
    assert as_(cast.lead).get(at("service-accounts/close", account.pk)).status_code == 200
    with acts() as kinds:
        assert (
            as_(cast.seat_adoption).post(at("systems/retire", crm.pk), {"reason": "Gone."}).status_code == 403
        )
    assert kinds == ["refused"]
    back = as_(cast.lead).post(
        at("service-accounts/close", account.pk, next="/systems/"), {"reason": "Gone."}
    )
    assert (back.status_code, back.url) == (302, "/systems/")
