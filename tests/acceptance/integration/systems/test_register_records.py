"""The register as evidence: what it says today in a file with its hash, voided by any change of what it lists."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from governance import clock
from governance.database.row_history import acting
from governance.models import Rulebook
from governance.permission_result import Refused
from initiatives.integration.record import actions as record_actions
from initiatives.lifecycle.changes.actions import pull
from initiatives.lifecycle.evidence.renewal import answered_by_the_register
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Link, ServiceAccount, System, Term, TermDefinition, TermUse, Transfer
from tests.support import factories
from tests.support.database import snapshots

pytestmark = pytest.mark.django_db


@pytest.fixture
@snapshots.kept
def initiative(cast):
    """An MVP that reads the CRM through a gateway, with an account and a definition."""
    initiative = factories.make_mvp(cast)
    who = {"by": cast.lead, "at": clock.now()}
    with acting(by=cast.lead, reason="Described"):
        crm = System(
            name="CRM",
            kind="bought",
            owner=cast.support,
            regions=["eu-west"],
            last_updated_on=clock.today(),
            described_by=cast.lead,
            described_at=clock.now(),
        )
        crm.save()
        account = ServiceAccount(
            system=crm,
            name="svc-summaries",
            review_by=date(2030, 1, 1),
            opened_by=cast.lead,
            opened_at=clock.now(),
        )
        account.save()
        link = Link(
            initiative=initiative,
            system=crm,
            pattern="anchor",
            direction="reads",
            access="api",
            account=account,
            data_classes=["customer notes"],
            **who,
        )
        link.save()
        Transfer(link=link, position=1, name="Gateway").save()
        term = Term(name="customer", **who)
        term.save()
        TermUse(initiative=initiative, term=term, **who).save()
        said = {"field": "customer_id", "meaning": "account", "counted_unit": "payer"}
        TermDefinition(term=term, system=crm, **said, **who).save()
    return initiative


def record(initiative, cast, covers=("int.inventory",)):
    return record_actions.record_register(initiative=initiative, covers=list(covers), by=cast.lead)


def test_what_the_register_says_is_kept_as_a_file(initiative, cast):
    item = record(initiative, cast)
    text = item.file.read().decode()
    for part in (
        "CRM (Bought system), owner",
        "path CRM (eu-west) > Gateway (region not known)",
        "svc-summaries in CRM, owner no one, may not stated, review by 1 January 2030",
        "customer in CRM, customer_id: account, format not stated, logic not stated, counted unit payer, rows from",
        "Conflicts of definitions\n- none",
    ):
        assert part in text, text
    assert (item.kind, item.file_name, len(item.sha256)) == (
        "system_record",
        f"register-{initiative.ref}.txt",
        64,
    )


def test_a_newer_record_takes_over_all_that_the_old_one_was_offered_for(initiative, cast):
    old = record(initiative, cast, ("int.inventory", "int.identity"))
    new = record(initiative, cast, ("int.definitions",))
    assert new.supersedes == old
    assert set(new.coverage.values_list("requirement", flat=True)) == {
        "int.definitions",
        "int.inventory",
        "int.identity",
    }


def test_any_system_in_it_voids_it_where_that_is_listed(initiative, cast):
    item = record(initiative, cast, ("int.inventory", "int.sources_condition", "int.definitions"))
    with act("test", by=cast.lead, initiative=initiative) as locked:
        pull(locked, ["data_source"], "CRM moved to us-east", by=cast.lead, system=System.objects.get())
    assert set(item.voidings.values_list("requirement", flat=True)) == {
        "int.inventory",
        "int.sources_condition",
    }


def test_it_answers_nothing_that_asks_for_more(initiative, cast):
    asked = answered_by_the_register(Rulebook.objects.current().parsed)
    assert "int.inventory" in asked
    assert "int.residency" not in asked, "the rulebook asks for the clause of a contract"
    for covers in ([], ["int.residency"], ["mvp.owner"]):
        with pytest.raises(ValidationError):
            record(initiative, cast, covers)


def test_there_is_nothing_to_keep_before_the_first_link(cast):
    initiative = factories.make_mvp(cast)
    with pytest.raises(Refused, match="has no links yet"):
        record(initiative, cast)


def test_only_who_works_on_the_initiative_keeps_it(initiative, cast):
    with pytest.raises(Refused):
        record_actions.record_register(initiative=initiative, covers=["int.inventory"], by=cast.seat_risk)
