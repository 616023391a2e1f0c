"""Everything that changes a case: one function an act; lock, re-read, ask, change, record, in one transaction."""

from initiatives.actions.absences import (
    accept_delegation,
    decline_delegation,
    end_absence,
    name_delegate,
    plan_absence,
)
from initiatives.actions.answers import (
    accept_not_applicable,
    answer,
    declare,
    keep_draft,
    proof_keys,
    report_outcome,
)
from initiatives.actions.approvals import answer_approval, request_approval, use_approval
from initiatives.actions.captures import capture_link
from initiatives.actions.cases import (
    change_details,
    confirm_tier,
    propose_tier,
    register,
    rename,
    withdraw,
)
from initiatives.actions.changes import (
    complete_change,
    record_component,
    record_scope,
    report_change,
)
from initiatives.actions.contracts import (
    Written,
    approve_contract,
    propose_contract,
    save_contract,
    take_back_contract,
)
from initiatives.actions.dependants import (
    add_dependant,
    decline_dependence,
    end_dependant,
    state_dependence,
)
from initiatives.actions.enforcement import (
    end_mapping,
    map_clause,
    record_architecture_decision,
    review_layer_report,
    withdraw_architecture_decision,
)
from initiatives.actions.evidence import (
    add_evidence,
    cover,
    find_missing_files,
    generate_index,
    withdraw_evidence,
)
from initiatives.actions.handovers import (
    accept_handovers,
    decline_handovers,
    propose_handover,
    take_back_handover,
)
from initiatives.actions.holds import (
    close_gap,
    excuse_debt,
    hold,
    lift_hold,
    open_gap,
    owe,
    settle,
)
from initiatives.actions.imports import confirm_batch, decide_row, map_batch, upload_batch
from initiatives.actions.keys import make_key, revoke_key, rotate_key
from initiatives.actions.moves import (
    continue_stage,
    reattest,
    reopen,
    retire,
    step_back,
    stop,
)
from initiatives.actions.notes import observe, record_event, record_funding, take_back
from initiatives.actions.people import deactivate, end_membership, reactivate
from initiatives.actions.reviews import (
    answer_question,
    ask_question,
    decide,
    expire_reviews,
    meet_condition,
    open_review,
    rebase_review,
    return_review,
    withdraw_review,
)
from initiatives.actions.roles import accept_role, decline_role, end_role, propose_role, reaccept_role
from initiatives.actions.rulebooks import publish_rulebook
from initiatives.actions.switch import record_drill, switch_off, switch_on
from initiatives.actions.units import merge_units, move_unit
from initiatives.actions.votes import sign_off, statement_for, withdraw_vote
from initiatives.actions.waivers import agree_to_waiver, refuse_waiver, request_waiver

__all__ = [
    "Written",
    "accept_delegation",
    "accept_handovers",
    "accept_not_applicable",
    "accept_role",
    "add_dependant",
    "add_evidence",
    "agree_to_waiver",
    "answer",
    "answer_approval",
    "answer_question",
    "approve_contract",
    "ask_question",
    "capture_link",
    "change_details",
    "close_gap",
    "complete_change",
    "confirm_batch",
    "confirm_tier",
    "continue_stage",
    "cover",
    "deactivate",
    "decide",
    "decide_row",
    "declare",
    "decline_delegation",
    "decline_dependence",
    "decline_handovers",
    "decline_role",
    "end_absence",
    "end_dependant",
    "end_mapping",
    "end_membership",
    "end_role",
    "excuse_debt",
    "expire_reviews",
    "find_missing_files",
    "generate_index",
    "hold",
    "keep_draft",
    "lift_hold",
    "make_key",
    "map_batch",
    "map_clause",
    "meet_condition",
    "merge_units",
    "move_unit",
    "name_delegate",
    "observe",
    "open_gap",
    "open_review",
    "owe",
    "plan_absence",
    "proof_keys",
    "propose_contract",
    "propose_handover",
    "propose_role",
    "propose_tier",
    "publish_rulebook",
    "reaccept_role",
    "reactivate",
    "reattest",
    "rebase_review",
    "record_architecture_decision",
    "record_component",
    "record_drill",
    "record_event",
    "record_funding",
    "record_scope",
    "refuse_waiver",
    "register",
    "rename",
    "reopen",
    "report_change",
    "report_outcome",
    "request_approval",
    "request_waiver",
    "retire",
    "return_review",
    "review_layer_report",
    "revoke_key",
    "rotate_key",
    "save_contract",
    "settle",
    "sign_off",
    "state_dependence",
    "statement_for",
    "step_back",
    "stop",
    "switch_off",
    "switch_on",
    "take_back",
    "take_back_contract",
    "take_back_handover",
    "upload_batch",
    "use_approval",
    "withdraw",
    "withdraw_architecture_decision",
    "withdraw_evidence",
    "withdraw_review",
    "withdraw_vote",
]
