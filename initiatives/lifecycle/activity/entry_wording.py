"""Entries of the audit log in plain words: one sentence for each kind of act.

A sentence is a text with the facts of the entry in braces. `{name:way}` words a fact by one of `WAYS`; `{all:way}`
gives the way every fact. `<one|other>` is the first of its parts whose facts all say something, or nothing; `{name?}`
stands for no words, and where it stands it alone decides about its part.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from string import Formatter
from typing import Any

from governance.contracts.wording import role_words
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from governance.vocabulary import EvidenceKind, HoldKind, Role, Seat, SignOffVerdict, TakesEffect
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.contributions import Contribution, contributed
from initiatives.models.imports import REGISTER_KINDS
from initiatives.models.integration.processes import DRILL_KINDS, PROCESS_STATES
from initiatives.models.integration.proposals import PROPOSED_KINDS
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS
from initiatives.models.notes import EVENT_KINDS
from initiatives.models.versions import outage_words

ANSWERS = {"no": "Not yet: ", "not_applicable": "Not applicable: ", "not_reported": "Not reported"}
VERDICTS = {
    SignOffVerdict.APPROVE: "approved",
    SignOffVerdict.CONDITION: "approved with a condition",
    SignOffVerdict.OBJECT: "objected",
    SignOffVerdict.RECUSE: "recused themselves",
    SignOffVerdict.WITHDRAWN: "withdrew the sign-off",
}
# Holds that a person opens, and those that a person lifts; the others come and go with what somebody did.
OPENED_BY_PEOPLE, LIFTED_BY_PEOPLE = ("concern",), ("concern", "residency")
_CHOICE = re.compile(r"<([^<>]*)>")


def sentence(kind: str, facts: dict, rulebook) -> str:
    """What an entry says, as a sentence that goes on from the name of who acted. `rulebook` words the keys."""
    template = contributed.sentences.get(kind)
    if template is None:
        return f"{kind}{_rest(facts)}."
    try:
        chosen = _CHOICE.sub(lambda match: _choice(match[1], facts), template)
        return _Sentence(rulebook).vformat(chosen, (), facts)
    except (KeyError, IndexError, TypeError, ValueError):
        # A body of another release may lack a fact that the sentence names; it is still shown.
        return f"{kind}{_rest(facts)}."


class _Sentence(Formatter):
    """Facts in their places, each in its way."""

    def __init__(self, rulebook):
        self.rulebook = rulebook

    def get_value(self, key, args, kwargs):
        """A fact; all of them under "all"; nothing where it was only asked for."""
        if key == "all":
            return kwargs
        return "" if key.endswith("?") else kwargs[key]

    def format_field(self, value, format_spec):
        """The fact in words."""
        return contributed.ways[format_spec](value, self.rulebook) if format_spec else str(value)


def _choice(parts: str, facts: dict) -> str:
    # Where the other part would deny it, a fact that is missing is no answer.
    known = facts.__getitem__ if "|" in parts else facts.get
    for part in parts.split("|"):
        names = re.findall(r"{(\w+)\?}", part) or re.findall(r"{(\w+)", part)
        if all(map(known, names)):
            return part
    return ""


def _rest(facts: dict) -> str:
    plain = [
        f"{key.replace('_', ' ')} {value}"
        for key, value in facts.items()
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != ""
    ]
    return f" ({'; '.join(plain)})" if plain else ""


def question(rulebook, key: str) -> str:
    """The question behind a key of the rulebook; a key it no longer knows stays a key."""
    known = rulebook.requirements.get(key) or rulebook.criteria.get(key)
    return f"“{known.question}”" if known else key


def _questions(keys, rulebook) -> str:
    return " and ".join(question(rulebook, key) for key in keys)


def _gate(rulebook, key) -> str:
    return f"“{rulebook.gates[key].title}”" if key in rulebook.gates else str(key or "")


def day_of(text, _rulebook=None) -> str:
    """A day or moment as the audit log keeps it, as people write it."""
    if not text:
        return "now"
    moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def _hold(key) -> str:
    return HoldKind.word(key).lower()


def _opening(facts, rulebook) -> str:
    return "looked at" if facts.get("way") == "look" else "opened"


def _term(facts, rulebook) -> str:
    """What a term or policy says of regions."""
    parts = [f"{word} {', '.join(facts[word])}" for word in ("allowed", "forbidden") if facts[word]]
    of = f" for {', '.join(facts['classes'])}" if facts["classes"] else ""
    until = f" until {day_of(facts['to_day'])}" if facts["to_day"] else ""
    return f"{facts['reference']}, {', '.join(parts)}{of}, from {day_of(facts['from_day'])}{until}"


def _effort(facts, rulebook) -> str:
    """What an effort took: hours, money, days waited; and what it was."""
    took = [f"{facts['hours']} hours"] if facts["hours"] else []
    took += [f"{facts['currency']} {facts['money']}"] if facts["money"] else []
    if facts["waited_days"]:
        for_whom = f" for {facts['waits_for']}" if facts["waits_for"] else ""
        took.append(f"{facts['waited_days']} days waited{for_whom}")
    return ended(", ".join(took) + (f": {facts['words']}" if facts["words"] else ""))


def _found(facts, rulebook) -> str:
    new, gone = facts.get("against") or [], facts.get("gone") or []
    said = [" ".join(ended(words) for _, words in new)] if new else []
    if gone:
        said.append("No longer so: " + " ".join(ended(words) for _, words in gone))
    return f"changed what the register says: {' '.join(said)}" if said else "looked into the register."


def _excused(facts, rulebook) -> str:
    if "obligation_on" in facts:
        return f"let one decision on this initiative pass “{facts['text']}”, due on {facts['obligation_on']}."
    return f"let decisions pass “{facts['text']}” once."


def _page_day(text, rulebook) -> str:
    return day(date.fromisoformat(text))


def _tried(facts, rulebook) -> str:
    days = [_page_day(one, rulebook) for one in facts.get("decisions") or []]
    if days:
        return f"had decisions from {days[0]} to {days[1]} judged by rulebook {facts['version']}."
    return f"had worked out what rulebook {facts['version']} would do on {_page_day(facts['day'], rulebook)}."


def _in_effect(facts, rulebook) -> str:
    if facts.get("effective_on"):
        return f" It decides what is supported from {_page_day(facts['effective_on'], rulebook)}."
    if facts.get("takes_effect") == TakesEffect.CASE_BY_CASE:
        return " It decides what is supported from the next gate or re-attestation of each initiative."
    return ""


def _fields(names) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _changed(after: dict, before: dict) -> str:
    return _fields(name for name in after if after[name] != before.get(name))


# way: (what is worded, rulebook) -> words
WAYS: dict[str, Callable[..., Any]] = {
    "day": day_of,
    "page_day": _page_day,
    "seat": lambda key, rulebook: Seat.word(key),
    "role": lambda key, rulebook: Role.word(key).lower(),
    "roles": lambda keys, rulebook: role_words(keys),
    "stage": lambda key, rulebook: stage_word(key),
    "gate": lambda key, rulebook: _gate(rulebook, key),
    "question": lambda key, rulebook: question(rulebook, key),
    "questions": _questions,
    "voided": lambda rows, rulebook: _questions(dict.fromkeys(key for _, key in rows), rulebook),
    "answer": lambda key, rulebook: ANSWERS.get(key, ""),
    "verdict": lambda key, rulebook: VERDICTS.get(key, key),
    "judged": lambda key, rulebook: "approved" if key == "approve" else "refused",
    "rows": lambda key, rulebook: REGISTER_KINDS[key].lower(),
    "event": lambda key, rulebook: EVENT_KINDS.get(key, key).lower(),
    "drill": lambda key, rulebook: DRILL_KINDS.get(key, key).lower(),
    "process": lambda key, rulebook: PROCESS_STATES.get(key, key).lower(),
    "evidence": lambda key, rulebook: EvidenceKind.word(key).lower(),
    "condition": lambda key, rulebook: CONDITIONS_OF_SYSTEMS[key].lower(),
    "proposed": lambda key, rulebook: PROPOSED_KINDS.get(key, key).lower(),
    "hold": lambda key, rulebook: _hold(key),
    "opened": lambda key, rulebook: "opened a hold" if key in OPENED_BY_PEOPLE else "triggered a hold",
    "lifted": lambda key, rulebook: (
        "lifted the hold" if key in LIFTED_BY_PEOPLE else "brought the hold to its end"
    ),
    "outage": lambda hours, rulebook: outage_words(hours),
    "files": lambda count, rulebook: f"{count} file{'s are' if count != 1 else ' is'}",
    "ended": lambda text, rulebook: ended(text),
    "plain": lambda key, rulebook: key.replace("_", " "),
    "len": lambda rows, rulebook: str(len(rows)),
    "list": lambda words, rulebook: ", ".join(words),
    "names": lambda words, rulebook: "; ".join(words),
    "sentences": lambda words, rulebook: " ".join(words),
    "fields": lambda names, rulebook: _fields(names),
    "changed": lambda facts, rulebook: _changed(facts["after"], facts["before"]),
    "redefined": lambda facts, rulebook: _changed(facts["said"], facts["before"]),
    "opening": _opening,
    "term": _term,
    "effort": _effort,
    "found": _found,
    "excused": _excused,
    "tried": _tried,
    "in_effect": _in_effect,
    "unforeseen": lambda facts, rulebook: (
        "" if facts.get("forecast") else " Nobody had it worked out before."
    ),
}

# kind of entry: the sentence after the name of who acted
SENTENCES: dict[str, str] = {
    EntryKind.REGISTERED: "registered the initiative in {unit}, with {owner} as owner: {problem}",
    EntryKind.BUSINESS_CASE_STATED: "stated of money and dates: {all:changed}.",
    EntryKind.DETAILS_CHANGED: "changed {all:changed}.",
    EntryKind.HANDOVER_PROPOSED: "asked {successor} to take over what {person} holds here: {what}.",
    EntryKind.HANDOVER_ACCEPTED: "took over from {person}: {what}.",
    EntryKind.HANDOVER_DECLINED: "declined to take over from {person}.",
    EntryKind.HANDOVER_WITHDRAWN: "withdrew the handover from {person} to {successor}.",
    EntryKind.ABSENCE_PLANNED: "planned to be away from {first:day} to {last:day}.",
    EntryKind.ABSENCE_ENDED: "ended the absence of {person}.",
    EntryKind.DELEGATE_NAMED: "asked {person} to stand in: {what}.",
    EntryKind.DELEGATION_ACCEPTED: "accepted to stand in for {person}: {what}.",
    EntryKind.DELEGATION_DECLINED: "declined to stand in for {person}: {what}.",
    EntryKind.DELEGATION_RETURNED: "no longer stands in for {person}: {what}.",
    EntryKind.UNIT_CHANGED: "took the initiative along from {before} to {after}: the units were merged.",
    EntryKind.BOARD_CHANGED: (
        "changed who decides, with the units: <{after}|no board>, in place of <{before}|no board>."
    ),
    EntryKind.VENDOR_ADDED: "listed the vendor {vendor}.",
    EntryKind.REGION_ADDED: "added the region {region}<, in {within}.|.>",
    EntryKind.VENDOR_TERM_FILED: "filed terms of {vendor}: {all:term}.",
    EntryKind.VENDOR_TERM_CONFIRMED: "confirmed terms of {vendor} that {filed_by} filed: {all:term}.",
    EntryKind.VENDOR_TERM_WITHDRAWN: "withdrew terms of {vendor}, {reference}: {why}",
    EntryKind.UNIT_POLICY_SET: "set a policy of {unit}: {all:term}.",
    EntryKind.UNIT_POLICY_WITHDRAWN: "withdrew a policy of {unit}, {reference}: {why}",
    EntryKind.UNIT_MOVED: "moved the unit {unit} from <{before}|the top> to <{after}|the top>.",
    EntryKind.UNITS_MERGED: "merged the unit {unit} into {into}, with {initiatives} initiatives and {people} people.",
    EntryKind.NOT_SIMILAR: "said that {other} is not similar.",
    EntryKind.INTAKE_LINK_MADE: "made the intake link of {unit}, open until {until:day}.",
    EntryKind.INTAKE_LINK_CLOSED: "switched off the intake link of {unit}.",
    EntryKind.INTAKE_RECEIVED: "took down what somebody wrote to {unit} by its intake link.",
    EntryKind.INTAKE_BECAME_IDEA: (
        "made this idea of what somebody wrote to {unit} by its intake link"
        "<{invitation?}, and asked the admins to invite them>."
    ),
    EntryKind.INTAKE_DECLINED: "declined what somebody wrote to {unit} by its intake link: {why}",
    EntryKind.INTAKE_SENDER_INVITED: "invited {person}, who wrote by an intake link.",
    EntryKind.INTAKE_SENDER_NOT_INVITED: "did not invite somebody who wrote by an intake link: {why}",
    EntryKind.INTAKE_SENDER_REMOVED: "deleted who had written by an intake link.",
    EntryKind.RENAMED: "renamed it from “{before}” to “{after}”.",
    EntryKind.EVENT_RECORDED: "recorded an event of {on:day}, {event_kind:event}: {words}",
    EntryKind.FUNDING_RECORDED: (
        "recorded that {decided_by} gave money<{amount?} {currency} {amount}> on {on:day} "
        "(<{approved_stage?}approved {approved_stage:stage}, supported {supported:stage}|before it was registered "
        "here>): "
        "{basis}"
    ),
    EntryKind.OBSERVED: "observed on {on:day}, {layer} layer: {words}",
    EntryKind.DRILL_RECORDED: "recorded a drill of {observed_on:day}, {drill_kind:drill}<, on {of}>: {result}.",
    EntryKind.DRILL_WITHDRAWN: "withdrew the {of}, with its evidence: {why}",
    EntryKind.PROCESS_RECORDED: "recorded the process “{name}”: {status:process}<, {held_by}.|.>",
    EntryKind.PROCESS_WITHDRAWN: "withdrew the process record “{name}”: {why}",
    EntryKind.PROCESS_REOPENED: "reopened the process “{name}”: {person}, who knew it, left.",
    EntryKind.SIGN_ON_RECORDED: (
        "recorded the sign-on flow, as gone through on {reviewed_on:day}: <{explainer} can explain "
        "it.|understood by nobody.>"
    ),
    EntryKind.TRACE_SAMPLE_ADDED: (
        "added a sample of {outputs} outputs, {hits} of which cite a governed source: {result}."
    ),
    EntryKind.NOTE_WITHDRAWN: "withdrew the {note} “{of}”: {why}",
    EntryKind.EFFORT_NOTED: "noted effort in the {layer} layer, week of {week:day}: {all:effort}",
    EntryKind.EFFORT_WITHDRAWN: "withdrew effort in the {layer} layer, week of {week:day}, {all:effort} Why: {why}",
    EntryKind.EFFORTS_IMPORTED: (
        "let {entered} lines of “{file}” enter as effort, {hours} hours from {since:day} to {until:day}<; "
        "{replaced} took the place of older ones.|.>"
    ),
    EntryKind.CONTINUED: "let it go on as {stage:stage} until {until:day}, instead of {was:day}: {why}",
    EntryKind.RISK_TIER_PROPOSED: "proposed the risk tier {tier}: {worst_credible_harm}",
    EntryKind.RISK_TIER_CONFIRMED: "confirmed the risk tier {tier}.",
    EntryKind.WITHDRAWN: "withdrew the idea<, joined to {joined_to}.|.>",
    EntryKind.ANSWERED: "answered {requirement:question} {answer:answer}{text}",
    EntryKind.NOT_APPLICABLE_ACCEPTED: (
        "accepted, in the seat {seat:seat}, that {requirement:question} does not apply: {why}"
    ),
    EntryKind.DECLARED: "declared for {key:plain}: {text}",
    EntryKind.OUTCOME_REPORTED: "reported {key:plain} as {result}: {outcome}",
    EntryKind.EVIDENCE_ADDED: (
        "added the {evidence_kind:evidence} “{title}”, observed {observed_on:day}<, result {result}>, for "
        "{covers:questions}.< It was captured from {captured_from}.>< It supersedes item {supersedes}.>"
    ),
    EntryKind.EVIDENCE_OFFERED: "offered item {evidence} for {covers:questions} too.",
    EntryKind.EVIDENCE_VERIFIED: "verified “{title}” for {requirement:question} Where: {place}. Seen: {words}",
    EntryKind.STANDALONE_DECLARED: "declared that the initiative stands alone: {why}",
    EntryKind.STANDALONE_ACCEPTED: "accepted as {seat:seat} that the initiative stands alone.",
    EntryKind.STANDALONE_ENDED: "ended the declaration that the initiative stands alone: {why:ended}",
    EntryKind.EVIDENCE_NOT_SHOWN: "opened “{title}” and says it does not show {requirement:question} {words}",
    EntryKind.EVIDENCE_WITHDRAWN: "withdrew the evidence “{title}”.",
    EntryKind.PAST_READ: "read the page “{page}” as of {as_of}.",
    EntryKind.EVIDENCE_OPENED: "{all:opening} the file of “{title}”.",
    EntryKind.EVIDENCE_FILE_MISSING: "found the file of “{title}” missing; it does not count until it is back.",
    EntryKind.EVIDENCE_FILE_CHANGED: (
        "found another file in the place of that of “{title}”; it does not count until the right one is back."
    ),
    EntryKind.DERIVED_CORRECTED: "corrected what was kept: {what} said {kept}, and the facts say {right}.",
    EntryKind.FILES_CONFIRMED_GONE: "confirmed that {count:files} gone: {why}",
    EntryKind.EVIDENCE_FILE_FOUND: "found the file of “{title}” back in its place.",
    EntryKind.CLAUSE_MAPPED: (
        "named a control for clause {clause} of contract version {version}, in the {layer} layer: "
        "{control:ended} Shown by “{title}”."
    ),
    EntryKind.MAPPING_CLOSED: (
        "ended the control of clause {clause} of contract version {version}, in the {layer} layer: "
        "{control:ended}"
    ),
    EntryKind.ARCHITECTURE_DECIDED: "recorded a decision on architecture of {on:day}, “{title}”: {text}",
    EntryKind.ARCHITECTURE_DECISION_WITHDRAWN: "withdrew the decision on architecture “{title}” of {on:day}: {why}",
    EntryKind.CONTRACT_WRITTEN: "wrote version {number} of the contract, {clauses:len} clauses.",
    EntryKind.CONTRACT_START_PLANNED: (
        "planned version {number} of the contract <from {wanted_from:day} on.|from its last approval on.>"
    ),
    EntryKind.CLAUSE_WRITTEN: (
        "<{before?}rewrote|wrote> clause {clause} for version {number} of the contract: {sentence}"
    ),
    EntryKind.CLAUSE_REMOVED: "took clause {clause} out of version {number} of the contract: {sentence}",
    EntryKind.CLAUSE_MOVED: "let clauses {clause} and {past} of version {number} of the contract change places.",
    EntryKind.WORD_WRITTEN: "worded “{key}” as “{words}”<, before that “{before}”> in the contract.",
    EntryKind.WORD_RETIRED: "no longer offers “{words}” ({key}) for the contract.",
    EntryKind.CLAUSE_COMMENTED: "commented on clause {clause} of the contract: {text}",
    EntryKind.COMMENT_RESOLVED: "resolved a comment on clause {clause} of the contract: {text}",
    EntryKind.CONTRACT_PROPOSED: "sent version {number} of the contract to the board.",
    EntryKind.CONTRACT_WITHDRAWN: "withdrew version {number} of the contract.",
    EntryKind.CONTRACT_APPROVED: "approved version {number} of the contract in the seat {seat:seat}.",
    EntryKind.CONTRACT_OBJECTED: "objected to version {number} of the contract in the seat {seat:seat}: {text}",
    EntryKind.CONTRACT_OBJECTION_WITHDRAWN: "withdrew the objection to the contract: {text}",
    EntryKind.CONTRACT_IN_FORCE: "put version {number} of the contract in force from {starts_at:day}.",
    EntryKind.APPROVAL_ASKED: "asked {approvers:roles} to approve “{action}” on {resource} for {subject}.",
    EntryKind.APPROVAL_ANSWERED: (
        "{verdict:judged} “{action}” on {resource} for {subject}, as {role:role}.< Why: {why}>"
    ),
    EntryKind.APPROVAL_USED: "used the approval of “{action}” on {resource} for {subject}.",
    EntryKind.ROLE_PROPOSED: "asked {person} to be {role:role}.",
    EntryKind.ROLE_ACCEPTED: "accepted to be {role:role}: {words}",
    EntryKind.ROLE_ACCEPTED_AGAIN: "accepted again to be {role:role}.",
    EntryKind.ROLE_DECLINED: "declined to be {role:role}.",
    EntryKind.ROLE_ENDED: "ended the role of {person} as {role:role}.",
    EntryKind.COMPONENT_RECORDED: (
        "recorded {version} in the layer {layer}, from {runs_from:day}<, in place of {replaces}>."
    ),
    EntryKind.COMPONENT_LISTED: "said in the register of components of {component}: {after:fields}.",
    EntryKind.EVALUATION_DECLARED: (
        "declared for {model} on {data_set}: {metric} of {comparison:plain} {threshold} is good enough."
    ),
    EntryKind.EVALUATION_RESULT_RECORDED: (
        "recorded {result} as {metric} of {model} on {data_set}, {n} examples, measured on {measured_on:day}: "
        "<{meets?}it meets its threshold.|it does not meet its threshold.>"
    ),
    EntryKind.EVALUATION_WITHDRAWN: "withdrew the evaluation of {model}, {metric} on {data_set}: {why}",
    EntryKind.SCOPE_PLANNED: "planned scope {number} for {stage:stage}: {users} users.",
    EntryKind.SCOPE_IN_FORCE: "put scope {number} in force: {users} users<, in place of scope {replaces}>.",
    EntryKind.CHANGED: "recorded a change: {what}, from {effective_at:day}.< It ended evidence for {voided:voided}.>",
    EntryKind.CHANGE_COMPLETED: "added who approved “{what}” ({approver}) and the way back.",
    EntryKind.DEPENDANT_ADDED: (
        "recorded that {who} depends on it; bearable outage {hours:outage}<; {executive} is asked to state "
        "it>."
    ),
    EntryKind.DEPENDENCE_STATED: "stated: {words}",
    EntryKind.DEPENDENCE_DECLINED: "declined to state that {who} depends on it: {why}",
    EntryKind.DEPENDANT_CLOSED: "recorded that {who} no longer depends on it.",
    EntryKind.KEY_MADE: "made the key {public} for {system}, which expires on {expires_at:day}.",
    EntryKind.KEY_REVOKED: "revoked the key {public} of {system}.",
    EntryKind.SWITCHED_OFF: "switched its systems off: whatever they ask is denied.",
    EntryKind.SWITCHED_ON: "switched its systems on again.",
    EntryKind.HOLD_OPENED: "{hold_kind:opened}, {hold_kind:hold}: {why}",
    EntryKind.HOLD_LIFTED: "{hold_kind:lifted}, {hold_kind:hold}: {why}",
    EntryKind.OBLIGATION_OPENED: "opened an obligation of <{responsible}|nobody>, due on {due:day}: “{text}”.",
    EntryKind.OBLIGATION_COMPLETED: "completed “{text}”: {note}",
    EntryKind.OBLIGATION_EXCUSED: "{all:excused}",
    EntryKind.GAP_OPENED: "opened a gap, owned by {owner}, due {due:day}: {text}",
    EntryKind.GAP_CLOSED: "closed the gap “{text}”<{evidence?} with evidence.|, accepted by its owner.>",
    EntryKind.USERS_TOLD: "told the users: {how}",
    EntryKind.STAGE_CHANGED: (
        "moved the stage from {from:stage} to {to:stage} ({basis}); the evidence supported {supported:stage} "
        "then.< Why: {why}>"
    ),
    EntryKind.RE_ATTESTED: "confirmed that production is accepted again.",
    EntryKind.REVIEW_OPENED: "opened a review of {gate:gate}, under rulebook {rulebook}.",
    EntryKind.SIGNED_OFF: "{verdict:verdict} in the seat {seat:seat}.",
    EntryKind.SIGN_OFF_WITHDRAWN: "withdrew the sign-off of the seat {seat:seat}.",
    EntryKind.ASKED: "asked on {criterion:question} {text}",
    EntryKind.REQUIREMENTS_DRAWN: (
        "drew, by the checkpoint of {checkpoint} entries, what somebody outside the team verifies: "
        "{drawn:questions}<; in place of {in_place_of:questions}>."
    ),
    EntryKind.QUESTION_ANSWERED: "answered the board on {criterion:question} {text}",
    EntryKind.CONDITION_FIXED: "fixed a condition for {owner}, due {due:day}: {text}",
    EntryKind.CONDITION_MET: "met the condition “{text}”: {note}",
    EntryKind.REVIEW_APPROVED: "approved the gate {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_APPROVED_WITH_CONDITIONS: "approved the gate, with conditions {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_REFUSED: "refused the gate {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_RETURNED: "returned the review with questions {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_WITHDRAWN: "withdrew the review {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_EXPIRED: "let the review expire {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_MOVED_TO_RULEBOOK: "moved the review from rulebook {before} to {after}.",
    EntryKind.WAIVER_REQUESTED: "asked for a waiver of {key:question} until {until:day}: {why}",
    EntryKind.WAIVER_AGREED: (
        "agreed to the waiver of {key:question} until {until:day}<{runs?}; it runs.|; a second one is needed.>"
    ),
    EntryKind.WAIVER_REFUSED: "refused the waiver of {key:question}.",
    EntryKind.WAIVER_LAPSED: "saw the request of a waiver of {key:question} run out.",
    EntryKind.PROFILE_ADDED: "added a data profile of {system}, {data_set}<: {found:sentences}|.>",
    EntryKind.DRIFT_CONFIRMED: "confirmed that the data of {system}, {data_set}, changed: {found:sentences}",
    EntryKind.REFUSED: "was refused ({act}): {answer}",
    EntryKind.TERM_NAMED: "wrote “{term}” into the glossary<: {meaning}|.>",
    EntryKind.TERM_CHANGED: "changed the business term {term}: {all:changed}.",
    EntryKind.CHANGE_PROPOSED: "proposed a change, {change:proposed}: {about}: {why}",
    EntryKind.PROPOSAL_CONFIRMED: "confirmed what {proposed_by} proposed, {change:proposed}: {about}.",
    EntryKind.PROPOSAL_DECLINED: "declined what {proposed_by} proposed, {change:proposed}: {about}: {why}",
    EntryKind.PROPOSAL_WITHDRAWN: "withdrew a proposal, {change:proposed}: {about}.",
    EntryKind.TERM_USED: "recorded that the initiative uses the term {term}.",
    EntryKind.TERM_NO_LONGER_USED: "recorded that the initiative no longer uses the term {term}.",
    EntryKind.DEFINITION_WRITTEN: "wrote down what {system} means by {term} in {field}: {said[meaning]}",
    EntryKind.DEFINITION_CHANGED: "changed what {system} means by {term} in {field}: {all:redefined}.",
    EntryKind.DEFINITION_WITHDRAWN: "withdrew what {system} means by {term} in {field}: {why}",
    EntryKind.CONFLICT_FOUND: "brought up a conflict of definitions: {words}",
    EntryKind.CONFLICT_GONE: "brought an end to a conflict of definitions: {words}",
    EntryKind.CONFLICT_RECONCILED: "reconciled a conflict of definitions: {words} {decision}",
    EntryKind.DIFFERENCE_ACCEPTED: (
        "accepted a difference of definitions: {words} {decision:ended} It shows in {downstream:list}."
    ),
    EntryKind.REGISTER_FOUND: "{all:found}",
    EntryKind.SYSTEM_DESCRIBED: "described the system {system}.",
    EntryKind.SYSTEM_CHANGED: "changed what is said of {system}: {after:fields}.",
    EntryKind.SYSTEM_DISOWNED: "said that {system} is not theirs: {why}",
    EntryKind.SYSTEM_RETIRED: "recorded that {system} was retired: {why}",
    EntryKind.CUSTOMISATION_ADDED: "recorded that {team} customised {system}: {what:ended}",
    EntryKind.CUSTOMISATION_CLOSED: "recorded that {system} is no longer customised by {team}.",
    EntryKind.ACCOUNT_OPENED: "recorded the service account {account} in {system}.",
    EntryKind.ACCOUNT_CHANGED: "changed the service account {account} in {system}.",
    EntryKind.ACCOUNT_REVIEWED: "looked at what the service account {account} may do in {system}: {privileges:ended}",
    EntryKind.ACCOUNT_CLOSED: "recorded that the service account {account} in {system} was closed: {why}",
    EntryKind.LINK_ADDED: "connected the initiative to {system}.",
    EntryKind.LINK_CHANGED: "changed the link to {system}: {after:fields}.",
    EntryKind.LINK_CLOSED: "closed the link to {system}: {why}",
    EntryKind.LINK_ANSWERED: (
        "<{accepts?}agreed|declined>, as owner of {system}, that the initiative depends on it.< {words}>"
    ),
    EntryKind.SOURCE_ACCEPTED: (
        "accepted {system} in its condition ({condition:condition}) until {until}: {consequence}"
    ),
    EntryKind.RULEBOOK_LOADED: "loaded rulebook {version}, as a draft that does not change.",
    EntryKind.PUBLICATION_PROPOSED: "proposed to publish rulebook {version}.",
    EntryKind.RULEBOOK_PUBLISHED: (
        "put rulebook {version} in force, proposed by {admin}.{all:in_effect}< What fell may be fixed until "
        "{grace_until:page_day}.>{all:unforeseen}"
    ),
    EntryKind.RULEBOOK_COPIED: "began a draft of rulebook {version}, copied from {base}.",
    EntryKind.DRAFT_EDITED: "edited the draft of rulebook {version}: {said:ended}",
    EntryKind.DRAFT_LOADED: "made the draft of rulebook {version} a version.",
    EntryKind.DRAFT_DROPPED: "dropped the draft of rulebook {version}.",
    EntryKind.RULEBOOK_TRIED: "{all:tried}",
}
CONTRIBUTION = Contribution(act_words=[sentence], sentences=SENTENCES, ways=WAYS)
