"""Entries of the audit log in plain words: one sentence for each kind of act.

A sentence is a text with the facts of the entry in braces. `{name:way}` words a fact by one of `WAYS`, and
`{all:way}` passes every fact to the way. `<one|other>` becomes the first of its parts whose facts all have a value,
or nothing. `{name?}` adds no words, and alone decides whether its part is used.
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
from initiatives.models.integration.processes import DRILL_KINDS, PROCESS_STATES
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
    """Return the entry as a sentence that follows the name of the actor. `rulebook` gives the words for keys."""
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
    """A formatter that puts each fact into its place, in its way."""

    def __init__(self, rulebook):
        self.rulebook = rulebook

    def get_value(self, key, args, kwargs):
        """Return a fact, all facts for "all", or "" for a name that ends in "?"."""
        if key == "all":
            return kwargs
        return "" if key.endswith("?") else kwargs[key]

    def format_field(self, value, format_spec):
        """Return the fact in words."""
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
    """Return the question behind a rulebook key, or the key if it is unknown."""
    known = rulebook.requirements.get(key) or rulebook.criteria.get(key)
    return f"“{known.question}”" if known else key


def _questions(keys, rulebook) -> str:
    return " and ".join(question(rulebook, key) for key in keys)


def _gate(rulebook, key) -> str:
    return f"“{rulebook.gates[key].title}”" if key in rulebook.gates else str(key or "")


def day_of(text, _rulebook=None) -> str:
    """Return a day or moment of the audit log in the words of pages."""
    if not text:
        return "now"
    moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def _hold(key) -> str:
    return HoldKind.word(key).lower()


def _opening(facts, rulebook) -> str:
    return "looked at" if facts.get("way") == "look" else "opened"


def _term(facts, rulebook) -> str:
    """Return the regions of a term or policy in words."""
    parts = [f"{word} {', '.join(facts[word])}" for word in ("allowed", "forbidden") if facts[word]]
    of = f" for {', '.join(facts['classes'])}" if facts["classes"] else ""
    until = f" until {day_of(facts['to_day'])}" if facts["to_day"] else ""
    return f"{facts['reference']}, {', '.join(parts)}{of}, from {day_of(facts['from_day'])}{until}"


def _effort(facts, rulebook) -> str:
    """Return an effort in words: hours, money, days waited, and its purpose."""
    took = [f"{facts['hours']} hours"] if facts["hours"] else []
    took += [f"{facts['currency']} {facts['money']}"] if facts["money"] else []
    if facts["waited_days"]:
        for_whom = f" for {facts['waits_for']}" if facts["waits_for"] else ""
        took.append(f"{facts['waited_days']} days of waiting{for_whom}")
    return ended(", ".join(took) + (f": {facts['words']}" if facts["words"] else ""))


def _found(facts, rulebook) -> str:
    new, gone = facts.get("against") or [], facts.get("gone") or []
    said = [" ".join(ended(words) for _, words in new)] if new else []
    if gone:
        said.append("No longer true: " + " ".join(ended(words) for _, words in gone))
    return f"changed the register: {' '.join(said)}" if said else "checked the register."


def _page_day(text, rulebook) -> str:
    return day(date.fromisoformat(text))


def _tried(facts, rulebook) -> str:
    return f"previewed what rulebook {facts['version']} would change on {_page_day(facts['day'], rulebook)}."


def _in_effect(facts, rulebook) -> str:
    if facts.get("effective_on"):
        return f" The rulebook decides the supported stage from {_page_day(facts['effective_on'], rulebook)}."
    if facts.get("takes_effect") == TakesEffect.CASE_BY_CASE:
        return (
            " The rulebook decides the supported stage of each initiative from its next gate or "
            "re-attestation."
        )
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
    "event": lambda key, rulebook: EVENT_KINDS.get(key, key).lower(),
    "drill": lambda key, rulebook: DRILL_KINDS.get(key, key).lower(),
    "process": lambda key, rulebook: PROCESS_STATES.get(key, key).lower(),
    "evidence": lambda key, rulebook: EvidenceKind.word(key).lower(),
    "condition": lambda key, rulebook: CONDITIONS_OF_SYSTEMS[key].lower(),
    "hold": lambda key, rulebook: _hold(key),
    "opened": lambda key, rulebook: "opened a hold" if key in OPENED_BY_PEOPLE else "triggered a hold",
    "lifted": lambda key, rulebook: "lifted the hold" if key in LIFTED_BY_PEOPLE else "closed the hold",
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
    "tried": _tried,
    "in_effect": _in_effect,
    "unforeseen": lambda facts, rulebook: (
        "" if facts.get("forecast") else " No one had previewed its effects."
    ),
}

# kind of entry: the sentence after the name of who acted
SENTENCES: dict[str, str] = {
    EntryKind.REGISTERED: "registered the initiative in {unit}, with {owner} as owner: {problem}",
    EntryKind.BUSINESS_CASE_STATED: "stated money and dates: {all:changed}.",
    EntryKind.DETAILS_CHANGED: "changed {all:changed}.",
    EntryKind.HANDOVER_PROPOSED: "asked {successor} to take over from {person}: {what}.",
    EntryKind.HANDOVER_ACCEPTED: "took over from {person}: {what}.",
    EntryKind.HANDOVER_DECLINED: "declined to take over from {person}.",
    EntryKind.HANDOVER_WITHDRAWN: "withdrew the handover from {person} to {successor}.",
    EntryKind.ABSENCE_PLANNED: "planned to be away from {first:day} to {last:day}.",
    EntryKind.ABSENCE_ENDED: "ended the absence of {person}.",
    EntryKind.DELEGATE_NAMED: "asked {person} to stand in: {what}.",
    EntryKind.DELEGATION_ACCEPTED: "accepted to stand in for {person}: {what}.",
    EntryKind.DELEGATION_DECLINED: "declined to stand in for {person}: {what}.",
    EntryKind.DELEGATION_ENDED: "ended the delegation from {person} to {delegate}: {what}.",
    EntryKind.DELEGATION_RETURNED: "no longer stands in for {person}: {what}.",
    EntryKind.UNIT_CHANGED: "moved the initiative from {before} to {after}: the units were merged.",
    EntryKind.BOARD_CHANGED: (
        "changed the deciding board, because the units changed: <{after}|no board> instead of "
        "<{before}|no board>."
    ),
    EntryKind.VENDOR_ADDED: "listed the vendor {vendor}.",
    EntryKind.REGION_ADDED: "added the region {region}<, in {within}.|.>",
    EntryKind.VENDOR_TERM_FILED: "recorded terms of {vendor}: {all:term}.",
    EntryKind.VENDOR_TERM_CONFIRMED: "confirmed terms of {vendor} that {filed_by} recorded: {all:term}.",
    EntryKind.VENDOR_TERM_WITHDRAWN: "withdrew terms of {vendor}, {reference}: {why}",
    EntryKind.UNIT_POLICY_SET: "set a policy of {unit}: {all:term}.",
    EntryKind.UNIT_POLICY_WITHDRAWN: "withdrew a policy of {unit}, {reference}: {why}",
    EntryKind.UNIT_MOVED: "moved the unit {unit} from <{before}|the top> to <{after}|the top>.",
    EntryKind.BOARD_TOOK_OVER: "let {board} take over as the board of {unit}.",
    EntryKind.UNITS_MERGED: "merged the unit {unit} into {into}, with {initiatives} initiatives and {people} people.",
    EntryKind.NOT_SIMILAR: "marked {other} as not similar.",
    EntryKind.MODEL_FOUND: "found the model “{model}”, which no initiative declares, in the {where}, on {seen_on:day}.",
    EntryKind.FOUND_MODEL_ANSWERED: "answered the question about the found model “{model}” ({answer})<: {why}|.>",
    EntryKind.FOUND_MODEL_DECLARED: "closed the question about the found model “{model}”: the model is declared.",
    EntryKind.RENAMED: "renamed the initiative from “{before}” to “{after}”.",
    EntryKind.EVENT_RECORDED: "recorded an event of {on:day}, {event_kind:event}: {words}",
    EntryKind.FUNDING_RECORDED: (
        "recorded that {decided_by} approved funding<{amount?} of {currency} {amount}> on {on:day} "
        "(<{approved_stage?}approved {approved_stage:stage}, supported {supported:stage}|before the "
        "initiative was registered here>): {basis}"
    ),
    EntryKind.OBSERVED: "observed on {on:day}, {layer} layer: {words}",
    EntryKind.DRILL_RECORDED: "recorded a drill of {observed_on:day}, {drill_kind:drill}<, on {of}>: {result}.",
    EntryKind.DRILL_WITHDRAWN: "withdrew the {of} and its evidence: {why}",
    EntryKind.PROCESS_RECORDED: "recorded the process “{name}”: {status:process}<, {held_by}.|.>",
    EntryKind.PROCESS_WITHDRAWN: "withdrew the process record “{name}”: {why}",
    EntryKind.PROCESS_REOPENED: "reopened the process “{name}”: {person}, who knew the process, left.",
    EntryKind.SIGN_ON_RECORDED: (
        "recorded a walk through the sign-on flow on {reviewed_on:day}: <{explainer} can explain it.|no "
        "one can explain it.>"
    ),
    EntryKind.TRACE_SAMPLE_ADDED: (
        "added a sample of {outputs} outputs, {hits} of which cite a governed source: {result}."
    ),
    EntryKind.PIPELINE_DECLARED: "declared the pipeline “{name}” ({platform}), which may file evidence.",
    EntryKind.PIPELINE_ENDED: "ended the pipeline “{name}”.",
    EntryKind.PIPELINE_CONFIRMED: "confirmed who may speak for the pipeline “{name}”.",
    EntryKind.BAR_DECLARED: "declared what the pipeline “{name}” must show for {requirement}.",
    EntryKind.BAR_CONFIRMED: "confirmed what the pipeline “{name}” must show for {requirement}.",
    EntryKind.RESULT_FILED: "filed a result as item {evidence}<, commit {commit}><, run {run}>.",
    EntryKind.NOTE_WITHDRAWN: "withdrew the {note} “{of}”: {why}",
    EntryKind.EFFORT_NOTED: "noted effort in the {layer} layer, week of {week:day}: {all:effort}",
    EntryKind.EFFORT_WITHDRAWN: "withdrew effort in the {layer} layer, week of {week:day}, {all:effort} Why: {why}",
    EntryKind.EFFORTS_IMPORTED: (
        "imported {entered} lines of “{file}” as effort, {hours} hours from {since:day} to {until:day}."
    ),
    EntryKind.CONTINUED: "continued the initiative as {stage:stage} until {until:day}, instead of {was:day}: {why}",
    EntryKind.RISK_TIER_PROPOSED: "proposed the risk tier {tier}: {worst_credible_harm}",
    EntryKind.RISK_TIER_CONFIRMED: "confirmed the risk tier {tier}.",
    EntryKind.RISK_TIER_REFUSED: "refused the proposed risk tier {proposed}: {why}",
    EntryKind.WITHDRAWN: "withdrew the idea<{joined_to?}, joined to another initiative.|.>",
    EntryKind.ANSWERED: "answered {requirement:question} {answer:answer}{text}",
    EntryKind.NOT_APPLICABLE_ACCEPTED: (
        "accepted, in the seat {seat:seat}, that {requirement:question} does not apply: {why}"
    ),
    EntryKind.DECLARED: "declared for {key:plain}: {text}",
    EntryKind.OUTCOME_REPORTED: "reported {key:plain} as {result}: {outcome}",
    EntryKind.EVIDENCE_ADDED: (
        "added the {evidence_kind:evidence} “{title}”, observed {observed_on:day}<, result {result}>, for "
        "{covers:questions}.< It was captured from {captured_from}.>< It supersedes item {supersedes}.>"
        "< The same file was observed on {known_since:day}.>< It replaces newer evidence of {replaces_newer:day}.>"
    ),
    EntryKind.EVIDENCE_OFFERED: "linked item {evidence} to {covers:questions} as well.",
    EntryKind.PROGRAM_DRAFT_SAVED: (
        "saved {how} what the program “{program}” drafted for {requirement:question}"
    ),
    EntryKind.EVIDENCE_VERIFIED: "verified “{title}” for {requirement:question}",
    EntryKind.SECOND_LOOKS_DRAWN: "drew {number} verifications for a second look, at checkpoint {checkpoint}.",
    EntryKind.SECOND_LOOK_TAKEN: "took the second look at “{title}” and {verdict}: {requirement:question}",
    EntryKind.STANDALONE_DECLARED: "declared the initiative standalone: {why}",
    EntryKind.STANDALONE_ACCEPTED: "accepted as {seat:seat} that the initiative is standalone.",
    EntryKind.STANDALONE_ENDED: "ended the declaration that the initiative is standalone: {why:ended}",
    EntryKind.EVIDENCE_NOT_SHOWN: "opened “{title}” and found that it does not show {requirement:question} {words}",
    EntryKind.EVIDENCE_WITHDRAWN: "withdrew the evidence “{title}”.< It no longer replaces “{again}”.>",
    EntryKind.PAST_READ: "read the page “{page}” as of {as_of}.",
    EntryKind.EVIDENCE_OPENED: "{all:opening} the file of “{title}”.",
    EntryKind.EVIDENCE_FILE_MISSING: (
        "found the file of “{title}” missing. The item does not count until the file is back."
    ),
    EntryKind.EVIDENCE_FILE_CHANGED: (
        "found a different file in place of the file of “{title}”. The item does not count until the right "
        "file is back."
    ),
    EntryKind.DERIVED_CORRECTED: "corrected a stored value: {what} was {kept}, and the facts support {right}.",
    EntryKind.FILES_CONFIRMED_GONE: "confirmed that {count:files} gone: {why}",
    EntryKind.EVIDENCE_FILE_FOUND: "found the file of “{title}” again.",
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
        "planned version {number} of the contract, to start <on {wanted_from:day}.|with the last approval.>"
    ),
    EntryKind.CLAUSE_WRITTEN: (
        "<{before?}rewrote|wrote> clause {clause} for version {number} of the contract: {sentence}"
    ),
    EntryKind.CLAUSE_REMOVED: "removed clause {clause} from version {number} of the contract: {sentence}",
    EntryKind.CLAUSE_MOVED: "swapped clauses {clause} and {past} of version {number} of the contract.",
    EntryKind.WORD_WRITTEN: "set the words for “{key}” in the contract to “{words}”<, instead of “{before}”>.",
    EntryKind.WORD_RETIRED: "removed “{words}” ({key}) from the words for new clauses of the contract.",
    EntryKind.CLAUSE_COMMENTED: "commented on clause {clause} of the contract: {text}",
    EntryKind.COMMENT_RESOLVED: "resolved a comment on clause {clause} of the contract: {text}",
    EntryKind.CONTRACT_PROPOSED: "sent version {number} of the contract to the board.",
    EntryKind.CONTRACT_WITHDRAWN: "withdrew version {number} of the contract.",
    EntryKind.CONTRACT_APPROVED: "approved version {number} of the contract in the seat {seat:seat}.",
    EntryKind.CONTRACT_OBJECTED: "objected to version {number} of the contract in the seat {seat:seat}: {text}",
    EntryKind.CONTRACT_OBJECTION_WITHDRAWN: "withdrew the objection to the contract: {text}",
    EntryKind.CONTRACT_ENDED: "ended version {number} of the contract: {why}",
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
    EntryKind.DEPLOYMENT_ALLOWED: (
        "allowed the deployment of version {version} ({artefact}) to {stage:stage}, which {system} asked for."
    ),
    EntryKind.DEPLOYMENT_DENIED: (
        "denied the deployment of version {version} ({artefact}) to {stage:stage}, which {system} asked for: {why}"
    ),
    EntryKind.COMPONENT_LISTED: "recorded in the register of components, for {component}: {after:fields}.",
    EntryKind.EVALUATION_DECLARED: (
        "declared for {model} on {data_set}: {metric} of {comparison:plain} {threshold} is good enough."
    ),
    EntryKind.EVALUATION_RESULT_RECORDED: (
        "recorded {result} as {metric} of {model} on {data_set}, {n} examples, measured on "
        "{measured_on:day}: <{meets?}meets the threshold.|does not meet the threshold.>"
    ),
    EntryKind.EVALUATION_WITHDRAWN: "withdrew the evaluation of {model}, {metric} on {data_set}: {why}",
    EntryKind.SCOPE_PLANNED: "planned scope {number} for {stage:stage}: {users} users.",
    EntryKind.SCOPE_ENDED: "ended scope {number}: {why}",
    EntryKind.SCOPE_IN_FORCE: "put scope {number} in force: {users} users<, in place of scope {replaces}>.",
    EntryKind.CHANGED: (
        "recorded a change: {what}, from {effective_at:day}.< The change ended evidence for {voided:voided}.>"
    ),
    EntryKind.CHANGE_COMPLETED: "added the approver of “{what}” ({approver}) and the rollback.",
    EntryKind.KEY_MADE: "made the key {public} for {system}, which expires on {expires_at:day}.",
    EntryKind.KEY_LEFT: (
        "ended the account of {person}, who was responsible for the key {public} of {system}. Another person is to be "
        "named before {until:day}."
    ),
    EntryKind.KEY_PRINCIPAL_NAMED: "named {after} instead of {before} for the key {public} of {system}.",
    EntryKind.KEY_REVOKED: "revoked the key {public} of {system}.",
    EntryKind.SWITCHED_OFF: "switched off the systems of the initiative. Plumbline denies every request.",
    EntryKind.SWITCHED_ON: "switched the systems of the initiative on again.",
    EntryKind.OBLIGATION_OPENED: "opened an obligation of <{responsible}|no one>, due on {due:day}: “{text}”.",
    EntryKind.OBLIGATION_COMPLETED: "completed “{text}”: {note}",
    EntryKind.USERS_TOLD: "told the users: {how}",
    EntryKind.STAGE_CHANGED: (
        "moved the stage from {from:stage} to {to:stage} ({basis}). The evidence supported "
        "{supported:stage} at that time.< Why: {why}>"
    ),
    EntryKind.RE_ATTESTED: "confirmed production for another term.",
    EntryKind.REVIEW_OPENED: "opened a review of {gate:gate}, under rulebook {rulebook}.",
    EntryKind.SIGNED_OFF: "{verdict:verdict} in the seat {seat:seat}.",
    EntryKind.SIGN_OFF_WITHDRAWN: "withdrew the sign-off of the seat {seat:seat}.",
    EntryKind.ASKED: "asked on {criterion:question} {text}",
    EntryKind.REQUIREMENTS_DRAWN: (
        "drew the requirements that someone outside the team verifies, with the checkpoint of "
        "{checkpoint} entries: {drawn:questions}<, in place of {in_place_of:questions}>."
    ),
    EntryKind.QUESTION_ANSWERED: "answered the board on {criterion:question} {text}",
    EntryKind.REVIEW_APPROVED: "approved the gate {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_APPROVED_WITH_CONDITIONS: "approved the gate {gate:gate} with conditions<: {why:ended}|.>",
    EntryKind.REVIEW_REFUSED: "refused the gate {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_RETURNED: "returned the review of {gate:gate} with questions<: {why:ended}|.>",
    EntryKind.REVIEW_WITHDRAWN: "withdrew the review of {gate:gate}<: {why:ended}|.>",
    EntryKind.REVIEW_EXPIRED: "let the review of {gate:gate} expire<: {why:ended}|.>",
    EntryKind.REVIEW_MOVED_TO_RULEBOOK: "moved the review from rulebook {before} to {after}.",
    EntryKind.WAIVER_REQUESTED: "asked for a waiver of {key:question} until {until:day}: {why}",
    EntryKind.WAIVER_AGREED: (
        "agreed to the waiver of {key:question} until {until:day}<{runs?}. The waiver runs.|. A second "
        "agreement is needed.>"
    ),
    EntryKind.WAIVER_REFUSED: "refused the waiver of {key:question}.",
    EntryKind.WAIVER_LAPSED: "recorded that the request for a waiver of {key:question} expired.",
    EntryKind.RISK_ACCEPTANCE_REQUESTED: (
        "asked to accept the risk “{risk}” until {until:day}, reviewed every {review_days} days: {why}"
    ),
    EntryKind.RISK_ACCEPTED: "accepted the risk “{risk}” until {until:day}, reviewed every {review_days} days.",
    EntryKind.RISK_ACCEPTANCE_REFUSED: "refused to accept the risk “{risk}”: {reason}",
    EntryKind.RISK_ACCEPTANCE_LAPSED: "recorded that the request to accept the risk “{risk}” expired.",
    EntryKind.ACCEPTED_RISK_REVIEWED: "reviewed the accepted risk “{risk}” and still accepts it: {looked_at}",
    EntryKind.ACCEPTED_RISK_ENDED: "ended the acceptance of the risk “{risk}”: {reason}",
    EntryKind.PROFILE_ADDED: "added a data profile of {system}, {data_set}<: {found:sentences}|.>",
    EntryKind.DRIFT_CONFIRMED: "confirmed that the data of {system}, {data_set}, changed: {found:sentences}",
    EntryKind.REFUSED: "was refused ({act}): {answer}",
    EntryKind.TERM_NAMED: "added “{term}” to the glossary<: {meaning}|.>",
    EntryKind.TERM_CHANGED: "changed the business term {term}: {all:changed}.",
    EntryKind.TERM_USED: "recorded that the initiative uses the term {term}.",
    EntryKind.TERM_NO_LONGER_USED: "recorded that the initiative no longer uses the term {term}.",
    EntryKind.DEFINITION_WRITTEN: "recorded the definition of {term} in {field} of {system}: {said[meaning]}",
    EntryKind.DEFINITION_CHANGED: "changed the definition of {term} in {field} of {system}: {all:redefined}.",
    EntryKind.DEFINITION_WITHDRAWN: "withdrew the definition of {term} in {field} of {system}: {why}",
    EntryKind.CONFLICT_FOUND: "reported a conflict of definitions: {words}",
    EntryKind.CONFLICT_GONE: "ended a conflict of definitions: {words}",
    EntryKind.CONFLICT_RECONCILED: "reconciled a conflict of definitions: {words} {decision}",
    EntryKind.DIFFERENCE_ACCEPTED: (
        "accepted a difference of definitions: {words} {decision:ended} The difference shows in "
        "{downstream:list}."
    ),
    EntryKind.REGISTER_FOUND: "{all:found}",
    EntryKind.SYSTEM_DESCRIBED: "described the system {system}.",
    EntryKind.SYSTEM_CHANGED: "changed the description of {system}: {after:fields}.",
    EntryKind.SYSTEM_DISOWNED: "reported that {system} does not belong to them: {why}",
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
    EntryKind.RULEBOOK_LOADED: "loaded rulebook {version}. This version cannot be edited.",
    EntryKind.PUBLICATION_PROPOSED: "proposed to publish rulebook {version}.",
    EntryKind.RULEBOOK_PUBLISHED: (
        "put rulebook {version} in force, proposed by {admin}.{all:in_effect}< Stages that are no longer "
        "supported can be fixed until {grace_until:page_day}.>{all:unforeseen}"
    ),
    EntryKind.RULEBOOK_COPIED: "began a draft of rulebook {version}, copied from {base}.",
    EntryKind.DRAFT_EDITED: "edited the draft of rulebook {version}: {said:ended}",
    EntryKind.DRAFT_LOADED: "loaded the draft of rulebook {version} as a version.",
    EntryKind.DRAFT_DROPPED: "deleted the draft of rulebook {version}.",
    EntryKind.RULEBOOK_TRIED: "{all:tried}",
}
CONTRIBUTION = Contribution(act_words=[sentence], sentences=SENTENCES, ways=WAYS)
