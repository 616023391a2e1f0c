"""Entries of the record in plain words: one sentence for each kind of act.

A sentence is a text with the facts of the entry in braces. `{name:way}` words a fact by one of `WAYS`; `{all:way}`
gives the way every fact. `<one|other>` is the first of its parts whose facts all say something, or nothing; `{name?}`
stands for no words, and where it stands it alone decides about its part.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from string import Formatter
from typing import Any

from governance.models.people import SEATS
from governance.permission_result import ended
from governance.templatetags.plumbline import day, stage_word
from initiatives.approvals.queries import role_words
from initiatives.models.evidence import EVIDENCE_KINDS
from initiatives.models.holds import HOLD_KINDS
from initiatives.models.imports import REGISTER_KINDS
from initiatives.models.initiative import ROLES
from initiatives.models.integration.processes import DRILL_KINDS, PROCESS_STATES
from initiatives.models.integration.proposals import PROPOSED_KINDS
from initiatives.models.integration.systems import CONDITIONS_OF_SYSTEMS
from initiatives.models.notes import EVENT_KINDS
from initiatives.models.versions import outage_words

ANSWERS = {"answered": "", "no": "No: ", "not_applicable": "Does not apply: ", "not_reported": "Not reported"}
OUTCOMES = {
    "approved": "approved the gate",
    "approved with conditions": "approved the gate, with conditions",
    "refused": "refused the gate",
    "returned": "returned the review with questions",
    "withdrawn": "withdrew the review",
    "expired": "let the review expire",
}
VERDICTS = {
    "approve": "approved",
    "approve_with_condition": "approved with a condition",
    "object": "objected",
    "recuse": "recused themselves",
    "withdrawn": "withdrew the vote",
}
# Holds that a person opens, and those that a person lifts; the others come and go with what somebody did.
OPENED_BY_PEOPLE, LIFTED_BY_PEOPLE = ("concern",), ("concern", "residency")
_CHOICE = re.compile(r"<([^<>]*)>")


def sentence(kind: str, facts: dict, book) -> str:
    """What an entry says, as a sentence that goes on from the name of who acted. `book` words the keys."""
    if kind.startswith("review ") and kind.removeprefix("review ") in OUTCOMES:
        why = f": {facts['why']}" if facts.get("why") else ""
        return ended(f"{OUTCOMES[kind.removeprefix('review ')]} {_gate(book, facts.get('gate'))}{why}")
    template = SENTENCES.get(kind)
    if template is None:
        return f"{kind}{_rest(facts)}."
    try:
        chosen = _CHOICE.sub(lambda match: _choice(match[1], facts), template)
        return _Sentence(book).vformat(chosen, (), facts)
    except (KeyError, IndexError, TypeError, ValueError):
        # A body of another release may lack a fact that the sentence names; it is still shown.
        return f"{kind}{_rest(facts)}."


class _Sentence(Formatter):
    """Facts in their places, each in its way."""

    def __init__(self, book):
        self.book = book

    def get_value(self, key, args, kwargs):
        """A fact; all of them under "all"; nothing where it was only asked for."""
        if key == "all":
            return kwargs
        return "" if key.endswith("?") else kwargs[key]

    def format_field(self, value, format_spec):
        """The fact in words."""
        return WAYS[format_spec](value, self.book) if format_spec else str(value)


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


def question(book, key: str) -> str:
    """The question behind a key of the rulebook; a key it no longer knows stays a key."""
    known = book.requirements.get(key) or book.criteria.get(key)
    return f"“{known.question}”" if known else key


def _questions(keys, book) -> str:
    return " and ".join(question(book, key) for key in keys)


def _gate(book, key) -> str:
    return f"“{book.gates[key].title}”" if key in book.gates else str(key or "")


def day_of(text, _book=None) -> str:
    """A day or moment as the record keeps it, as people write it."""
    if not text:
        return "now"
    moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def _hold(key) -> str:
    return HOLD_KINDS[key][0].lower() if key in HOLD_KINDS else str(key)


def _opening(facts, book) -> str:
    return "looked at" if facts.get("way") == "look" else "opened"


def _term(facts, book) -> str:
    """What a term or policy says of regions."""
    parts = [f"{word} {', '.join(facts[word])}" for word in ("allowed", "forbidden") if facts[word]]
    of = f" for {', '.join(facts['classes'])}" if facts["classes"] else ""
    until = f" until {day_of(facts['to_day'])}" if facts["to_day"] else ""
    return f"{facts['reference']}, {', '.join(parts)}{of}, from {day_of(facts['from_day'])}{until}"


def _effort(facts, book) -> str:
    """What an effort took: hours, money, days waited; and what it was."""
    took = [f"{facts['hours']} hours"] if facts["hours"] else []
    took += [f"{facts['currency']} {facts['money']}"] if facts["money"] else []
    if facts["waited_days"]:
        for_whom = f" for {facts['waits_for']}" if facts["waits_for"] else ""
        took.append(f"{facts['waited_days']} days waited{for_whom}")
    return ended(", ".join(took) + (f": {facts['words']}" if facts["words"] else ""))


def _measured(facts, book) -> str:
    found = f": {' '.join(facts['found'])}" if facts["found"] else ""
    return ended(f"measured {facts['title']}, {facts['rows']} rows{found}")


def _found(facts, book) -> str:
    new, gone = facts.get("against") or [], facts.get("gone") or []
    said = [" ".join(ended(words) for _, words in new)] if new else []
    if gone:
        said.append("No longer so: " + " ".join(ended(words) for _, words in gone))
    return f"changed what the register says: {' '.join(said)}" if said else "looked into the register."


def _excused(facts, book) -> str:
    if "owed_on" in facts:
        return f"let one decision on this case pass “{facts['text']}”, owed on {facts['owed_on']}."
    return f"let decisions pass “{facts['text']}” once."


def _page_day(text, book) -> str:
    return day(date.fromisoformat(text))


def _tried(facts, book) -> str:
    days = [_page_day(one, book) for one in facts.get("decisions") or []]
    if days:
        return f"had decisions from {days[0]} to {days[1]} judged by rulebook {facts['version']}."
    return f"had worked out what rulebook {facts['version']} would do on {_page_day(facts['day'], book)}."


def _fields(names) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _changed(after: dict, before: dict) -> str:
    return _fields(name for name in after if after[name] != before.get(name))


# way: (what is worded, book) -> words
WAYS: dict[str, Callable[..., Any]] = {
    "day": day_of,
    "page_day": _page_day,
    "seat": lambda key, book: SEATS.get(key) or str(key).replace("_", " ").capitalize(),
    "role": lambda key, book: ROLES.get(key, str(key).replace("_", " ")).lower(),
    "roles": lambda keys, book: role_words(keys),
    "stage": lambda key, book: stage_word(key),
    "gate": lambda key, book: _gate(book, key),
    "question": lambda key, book: question(book, key),
    "questions": _questions,
    "voided": lambda rows, book: _questions(dict.fromkeys(key for _, key in rows), book),
    "answer": lambda key, book: ANSWERS[key],
    "verdict": lambda key, book: VERDICTS.get(key, key),
    "judged": lambda key, book: "approved" if key == "approve" else "refused",
    "rows": lambda key, book: REGISTER_KINDS[key].lower(),
    "event": lambda key, book: EVENT_KINDS.get(key, key).lower(),
    "drill": lambda key, book: DRILL_KINDS.get(key, key).lower(),
    "process": lambda key, book: PROCESS_STATES.get(key, key).lower(),
    "evidence": lambda key, book: EVIDENCE_KINDS.get(key, key).lower(),
    "condition": lambda key, book: CONDITIONS_OF_SYSTEMS[key].lower(),
    "proposed": lambda key, book: PROPOSED_KINDS.get(key, key).lower(),
    "hold": lambda key, book: _hold(key),
    "opened": lambda key, book: "opened a hold" if key in OPENED_BY_PEOPLE else "brought about a hold",
    "lifted": lambda key, book: (
        "lifted the hold" if key in LIFTED_BY_PEOPLE else "brought the hold to its end"
    ),
    "outage": lambda hours, book: outage_words(hours),
    "files": lambda count, book: f"{count} file{'s are' if count != 1 else ' is'}",
    "ended": lambda text, book: ended(text),
    "plain": lambda key, book: key.replace("_", " "),
    "len": lambda rows, book: str(len(rows)),
    "list": lambda words, book: ", ".join(words),
    "names": lambda words, book: "; ".join(words),
    "sentences": lambda words, book: " ".join(words),
    "fields": lambda names, book: _fields(names),
    "changed": lambda facts, book: _changed(facts["after"], facts["before"]),
    "redefined": lambda facts, book: _changed(facts["said"], facts["before"]),
    "opening": _opening,
    "term": _term,
    "effort": _effort,
    "measured": _measured,
    "found": _found,
    "excused": _excused,
    "tried": _tried,
    "unforeseen": lambda facts, book: "" if facts.get("forecast") else " Nobody had it worked out before.",
}

# kind of entry: the sentence after the name of who acted
SENTENCES = {
    "estate read": "read the table “{file}” ({kind_of_rows:rows})<{repeats?}, the same as before>.",
    "estate mapped": "said what the columns of table {table} mean.",
    "estate rows chosen": "chose what becomes of {rows} rows of table {table}.",
    "estate confirmed": (
        "confirmed table {table} ({kind_of_rows:rows}): {new} rows are new, {replaced} replace something."
    ),
    "estate entered": (
        "brought table {table} into the register: {entered} rows entered, {replaced} replaced words."
    ),
    "estate dropped": "dropped the table “{file}”; nothing of it entered.",
    "inventory uploaded": "uploaded the inventory “{file}” of {source}.",
    "inventory confirmed": "confirmed the inventory of {source}: {counts[imported]} cases came in as claims.",
    "registered": "registered the case in {unit}, with {owner} as owner: {problem}",
    "details changed": "changed {all:changed}.",
    "handover proposed": "asked {successor} to take over what {person} holds here: {what}.",
    "handover accepted": "took over from {person}: {what}.",
    "handover declined": "declined to take over from {person}.",
    "handover taken back": "took the handover from {person} to {successor} back.",
    "absence planned": "planned to be away from {first:day} to {last:day}.",
    "absence ended": "ended the absence of {person}.",
    "delegate named": "asked {person} to stand in: {what}.",
    "delegation accepted": "accepted to stand in for {person}: {what}.",
    "delegation declined": "declined to stand in for {person}: {what}.",
    "delegation given back": "no longer stands in for {person}: {what}.",
    "unit changed": "took the case along from {before} to {after}: the units were merged.",
    "board changed": (
        "changed who decides, with the units: <{after}|no board>, in place of <{before}|no board>."
    ),
    "vendor added": "listed the vendor {vendor}.",
    "region added": "added the region {region}<, in {within}.|.>",
    "vendor term filed": "filed terms of {vendor}: {all:term}.",
    "vendor term confirmed": "confirmed terms of {vendor} that {filed_by} filed: {all:term}.",
    "vendor term withdrawn": "withdrew terms of {vendor}, {reference}: {why}",
    "unit policy set": "set a policy of {unit}: {all:term}.",
    "unit policy withdrawn": "withdrew a policy of {unit}, {reference}: {why}",
    "unit moved": "moved the unit {unit} from <{before}|the top> to <{after}|the top>.",
    "units merged": "merged the unit {unit} into {into}, with {cases} cases and {people} people.",
    "renamed": "renamed it from “{before}” to “{after}”.",
    "event recorded": "recorded an event of {on:day}, {event_kind:event}: {words}",
    "funding recorded": (
        "recorded that {decided_by} gave money<{amount?} {currency} {amount}> on {on:day} "
        "(<{claimed?}claimed {claimed:stage}, supported {supported:stage}|before it was registered here>): "
        "{basis}"
    ),
    "observed": "observed on {on:day}, {layer} layer: {words}",
    "drill recorded": "recorded a drill of {observed_on:day}, {drill_kind:drill}<, on {of}>: {result}.",
    "drill withdrawn": "took back the {of}, with its evidence: {why}",
    "process recorded": "recorded the process “{name}”: {status:process}<, {held_by}.|.>",
    "process withdrawn": "took back the record of the process “{name}”: {why}",
    "process reopened": "reopened the process “{name}”: {person}, who knew it, left.",
    "sign-on recorded": (
        "recorded the sign-on flow, as gone through on {reviewed_on:day}: <{explainer} can explain "
        "it.|understood by nobody.>"
    ),
    "trace sample added": (
        "added a sample of {outputs} outputs, {hits} of which cite a governed source: {result}."
    ),
    "note taken back": "took back the {note} “{of}”: {why}",
    "effort noted": "noted effort in the {layer} layer, week of {week:day}: {all:effort}",
    "effort taken back": "took back effort in the {layer} layer, week of {week:day}, {all:effort} Why: {why}",
    "efforts imported": (
        "let {entered} lines of “{file}” enter as effort, {hours} hours from {since:day} to {until:day}<; "
        "{replaced} took the place of older ones.|.>"
    ),
    "continued": "let it go on as {stage:stage} until {until:day}, instead of {was:day}: {why}",
    "risk tier proposed": "proposed the risk tier {tier}: {worst_credible_harm}",
    "risk tier confirmed": "confirmed the risk tier {tier}.",
    "withdrawn": "withdrew the idea<, joined to {joined_to}.|.>",
    "answered": "answered {requirement:question} {answer:answer}{text}",
    "not applicable accepted": (
        "accepted, in the seat {seat:seat}, that {requirement:question} does not apply: {why}"
    ),
    "declared": "declared for {key:plain}: {text}",
    "outcome reported": "reported {key:plain} as {result}: {outcome}",
    "evidence added": (
        "added the {evidence_kind:evidence} “{title}”, observed {observed_on:day}<, result {result}>, for "
        "{covers:questions}.< It was captured from {captured_from}.>< It supersedes item {supersedes}.>"
    ),
    "evidence offered": "offered item {evidence} for {covers:questions} too.",
    "evidence withdrawn": "withdrew the proof “{title}”.",
    "past read": "read the page “{page}” as of {as_of}.",
    "evidence opened": "{all:opening} the file of “{title}”.",
    "evidence file missing": "found the file of “{title}” missing; it does not count until it is back.",
    "evidence file changed": (
        "found another file in the place of that of “{title}”; it does not count until the right one is back."
    ),
    "files confirmed gone": "confirmed that {count:files} gone: {why}",
    "evidence file found": "found the file of “{title}” back in its place.",
    "clause mapped": (
        "named a control for clause {clause} of contract version {version}, in the {layer} layer: "
        "{control:ended} Shown by “{title}”."
    ),
    "mapping ended": (
        "ended the control of clause {clause} of contract version {version}, in the {layer} layer: "
        "{control:ended}"
    ),
    "layer report read": "read “{title}” from outside the build team, for {requirement:question} {words}",
    "architecture decided": "recorded a decision on architecture of {on:day}, “{title}”: {text}",
    "architecture decision withdrawn": "withdrew the decision on architecture “{title}” of {on:day}: {why}",
    "contract written": "wrote version {number} of the contract, {clauses:len} clauses.",
    "contract start planned": (
        "planned version {number} of the contract <from {wanted_from:day} on.|from its last approval on.>"
    ),
    "clause written": (
        "<{before?}rewrote|wrote> clause {clause} for version {number} of the contract: {sentence}"
    ),
    "clause removed": "took clause {clause} out of version {number} of the contract: {sentence}",
    "clause moved": "let clauses {clause} and {past} of version {number} of the contract change places.",
    "word written": "worded “{key}” as “{words}”<, before that “{before}”> in the contract.",
    "word retired": "no longer offers “{words}” ({key}) for the contract.",
    "clause commented": "commented on clause {clause} of the contract: {text}",
    "comment settled": "settled a comment on clause {clause} of the contract: {text}",
    "contract proposed": "sent version {number} of the contract to the board.",
    "contract taken back": "took version {number} of the contract back.",
    "contract approved": "approved version {number} of the contract in the seat {seat:seat}.",
    "contract in force": "put version {number} of the contract in force from {starts_at:day}.",
    "approval asked": "asked {approvers:roles} to approve “{action}” on {resource} for {subject}.",
    "approval answered": (
        "{verdict:judged} “{action}” on {resource} for {subject}, as {role:role}.< Why: {why}>"
    ),
    "approval used": "used the approval of “{action}” on {resource} for {subject}.",
    "role proposed": "asked {person} to be {role:role}.",
    "role accepted": "accepted to be {role:role}: {words}",
    "role accepted again": "accepted again to be {role:role}.",
    "role declined": "declined to be {role:role}.",
    "role ended": "ended the role of {person} as {role:role}.",
    "component recorded": (
        "recorded {version} in the layer {layer}, from {runs_from:day}<, in place of {replaces}>."
    ),
    "scope planned": "planned scope {number} for {stage:stage}: {users} users.",
    "scope in force": "put scope {number} in force: {users} users<, in place of scope {replaces}>.",
    "changed": "recorded a change: {what}, from {effective_at:day}.< It ended proof for {voided:voided}.>",
    "change completed": "added who approved “{what}” ({approver}) and the way back.",
    "dependant added": (
        "recorded that {who} depends on it; bearable outage {hours:outage}<; {executive} is asked to state "
        "it>."
    ),
    "dependence stated": "stated: {words}",
    "dependence declined": "declined to state that {who} depends on it: {why}",
    "dependant ended": "recorded that {who} no longer depends on it.",
    "key made": "made the key {public} for {system}, which opens until {expires_at:day}.",
    "key revoked": "revoked the key {public} of {system}.",
    "switched off": "switched its systems off: whatever they ask is denied.",
    "switched on": "switched its systems on again.",
    "hold opened": "{hold_kind:opened}, {hold_kind:hold}: {why}",
    "hold lifted": "{hold_kind:lifted}, {hold_kind:hold}: {why}",
    "debt opened": "opened a debt: <{debtor}|nobody> owes “{text}” by {due:day}.",
    "debt settled": "settled “{text}”: {note}",
    "debt excused": "{all:excused}",
    "gap opened": "opened a gap, owned by {owner}, due {due:day}: {text}",
    "gap closed": "closed the gap “{text}”<{evidence?} with proof.|, accepted by its owner.>",
    "users told": "told the users: {how}",
    "stage changed": (
        "moved the stage from {from:stage} to {to:stage} ({basis}); the proof supported {supported:stage} "
        "then.< Why: {why}>"
    ),
    "re-attested": "confirmed that production is accepted again.",
    "review opened": "opened a review of {gate:gate}, under rulebook {rulebook}.",
    "signed off": "{verdict:verdict} in the seat {seat:seat}.",
    "vote withdrawn": "withdrew the vote of the seat {seat:seat}.",
    "asked": "asked on {criterion:question} {text}",
    "question answered": "answered the board on {criterion:question} {text}",
    "condition fixed": "fixed a condition for {owner}, due {due:day}: {text}",
    "condition met": "met the condition “{text}”: {note}",
    "review moved to rulebook": "moved the review from rulebook {before} to {after}.",
    "waiver requested": "asked for a waiver of {key:question} until {until:day}: {why}",
    "waiver agreed": (
        "agreed to the waiver of {key:question} until {until:day}<{runs?}; it runs.|; a second agreement "
        "is needed.>"
    ),
    "waiver refused": "refused the waiver of {key:question}.",
    "waiver lapsed": "saw the request of a waiver of {key:question} run out.",
    "profile added": "sent a sample of {system} to be measured: {title}.",
    "profile measured": "{all:measured}",
    "profile failed": "could not measure {title}: {why}",
    "sample deleted": "removed the sample {title}; what was measured stays.",
    "population described": "described the whole population beside {title}, in {strata} parts.",
    "drift confirmed": (
        "confirmed that the data of {system} changed from {earlier} to {later}: {found:sentences}"
    ),
    "refused": "was refused ({act}): {answer}",
    "term named": "wrote “{term}” into the glossary<: {meaning}|.>",
    "term changed": "changed the business term {term}: {all:changed}.",
    "change proposed": "proposed a change, {change:proposed}: {about}: {why}",
    "proposal confirmed": "confirmed what {proposed_by} proposed, {change:proposed}: {about}.",
    "proposal declined": "declined what {proposed_by} proposed, {change:proposed}: {about}: {why}",
    "proposal taken back": "took a proposal back, {change:proposed}: {about}.",
    "term used": "recorded that the case uses the term {term}.",
    "term no longer used": "recorded that the case no longer uses the term {term}.",
    "definition written": "wrote down what {system} means by {term} in {field}: {said[meaning]}",
    "definition changed": "changed what {system} means by {term} in {field}: {all:redefined}.",
    "definition withdrawn": "took back what {system} means by {term} in {field}: {why}",
    "conflict found": "brought up a conflict of definitions: {words}",
    "conflict gone": "brought an end to a conflict of definitions: {words}",
    "conflict reconciled": "reconciled a conflict of definitions: {words} {decision}",
    "difference accepted": (
        "accepted a difference of definitions: {words} {decision:ended} It shows in {downstream:list}."
    ),
    "register found": "{all:found}",
    "system described": "described the system {system}.",
    "system changed": "changed what is said of {system}: {after:fields}.",
    "system disowned": "said that {system} is not theirs: {why}",
    "system retired": "recorded that {system} was retired: {why}",
    "customisation added": "recorded that {team} customised {system}: {what:ended}",
    "customisation ended": "recorded that {system} is no longer customised by {team}.",
    "account opened": "recorded the service account {account} in {system}.",
    "account changed": "changed the service account {account} in {system}.",
    "account reviewed": "looked at what the service account {account} may do in {system}: {privileges:ended}",
    "account closed": "recorded that the service account {account} in {system} was closed: {why}",
    "link added": "tied the case to {system}.",
    "link changed": "changed the link to {system}: {after:fields}.",
    "link ended": "ended the link to {system}: {why}",
    "link answered": (
        "<{accepts?}agreed|declined>, as owner of {system}, that the case depends on it.< {words}>"
    ),
    "source accepted": (
        "accepted {system} in its condition ({condition:condition}) until {until}: {consequence}"
    ),
    "rulebook loaded": "loaded rulebook {version}, as a draft that does not change.",
    "publication proposed": "proposed to publish rulebook {version}.",
    "rulebook published": (
        "put rulebook {version} in force, proposed by {admin}.< What fell may be mended until "
        "{grace_until:page_day}.>{all:unforeseen}"
    ),
    "rulebook copied": "began a draft of rulebook {version}, copied from {base}.",
    "draft edited": "edited the draft of rulebook {version}: {said:ended}",
    "draft loaded": "made the draft of rulebook {version} a version.",
    "draft dropped": "dropped the draft of rulebook {version}.",
    "rulebook tried": "{all:tried}",
}
