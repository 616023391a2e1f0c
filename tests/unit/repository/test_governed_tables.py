"""Each governed table has its line in GOVERNED, from which its guard is made and by which its entries are judged."""

from governance.audit_log import row_capture
from governance.models import User
from governance.offline import verify

# Columns that name another person than who writes them, by what the person is there.
NAMES_ANOTHER = {
    "whom a right, a role, a hold or a mark is about": {
        "governance_breakglass.person_id",
        "governance_externalidentity.person_id",
        "governance_factorreset.person_id",
        "governance_legalhold.person_id",
        "governance_membership.person_id",
        "governance_sameperson.one_id",
        "governance_sameperson.other_id",
        "initiatives_handover.person_id",
        "initiatives_handover.successor_id",
        "initiatives_roleassignment.person_id",
        "adoption_attendance.person_id",
    },
    "who is to do something": {
        "adoption_incident.lead_id",
        "adoption_incident.scribe_id",
        "adoption_incident.speaker_id",
        "adoption_meeting.secretary_id",
        "governance_delegation.delegate_id",
        "governance_eventreceiver.owner_id",
        "governance_servicekey.principal_id",
        "governance_user.manager_id",
        "initiatives_changerecord.approver_id",
        "initiatives_condition.owner_id",
        "initiatives_dependant.executive_id",
        "initiatives_gap.owner_id",
        "initiatives_obligation.responsible_id",
        "initiatives_processrecord.budget_holder_id",
        "initiatives_processrecord.holder_id",
        "initiatives_serviceaccount.owner_id",
        "initiatives_signonflow.explainer_id",
        "initiatives_system.knowledge_holder_id",
        "initiatives_system.owner_id",
    },
    "of whom something is reported": {"initiatives_effort.waits_for_id", "initiatives_effort.worked_by_id"},
    "which a guard of its own checks": {
        "governance_membership.granted_by_id",
        "initiatives_approvalanswer.on_behalf_of_id",
        "initiatives_condition.proposed_by_id",
        "initiatives_question.asked_by_id",
    },
}


def test_each_captured_table_has_a_line_of_columns_that_exist():
    assert [one.msg for one in row_capture.check_models()] == []


def test_a_governed_table_without_its_line_stops_the_start(monkeypatch):
    monkeypatch.delitem(verify.GOVERNED, "initiatives_hold")
    assert [one.id for one in row_capture.check_models()] == ["plumbline.E003"]


def test_each_column_of_a_person_names_who_acts_or_is_stated():
    found = {
        f"{model._meta.db_table}.{field.column}"
        for model in row_capture.captured_models()
        for field in model._meta.concrete_fields
        if field.is_relation and field.related_model is User
    }
    acting = {f"{table}.{name}" for table, line in verify.GOVERNED.items() for name in line.names}
    stated = set().union(*NAMES_ANOTHER.values())
    assert acting & stated == set()
    assert found == acting | stated


def test_what_an_act_needs_may_change_and_names_who_acts():
    wrong = [
        (table, need)
        for table, needs in verify.NEEDS.items()
        for need in needs
        if not set(need.columns) <= {*verify.GOVERNED[table].changes, *verify.GOVERNED[table].once}
        or (need.named and need.named not in verify.GOVERNED[table].names)
    ]
    assert wrong == []
