"""Entries of the record in plain words: one sentence for each kind of act."""

from datetime import date, datetime

from governance.answers import ended
from governance.models.people import SEATS
from governance.templatetags.plumbline import stage_word
from initiatives import register_words, rulebook_words
from initiatives.approving import role_words
from initiatives.estate.fields import KINDS
from initiatives.models.evidence import EVIDENCE_KINDS
from initiatives.models.holds import HOLD_KINDS
from initiatives.models.initiative import ROLES
from initiatives.models.notes import EVENT_KINDS
from initiatives.models.processes import DRILL_KINDS, PROCESS_STATES
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


def sentence(kind: str, facts: dict, book) -> str:
    """What an entry says, as a sentence that goes on from the name of who acted. `book` words the keys."""
    if kind.startswith("review ") and kind.removeprefix("review ") in OUTCOMES:
        why = f": {facts['why']}" if facts.get("why") else ""
        return ended(f"{OUTCOMES[kind.removeprefix('review ')]} {_gate(book, facts.get('gate'))}{why}")
    write = SENTENCES.get(kind)
    if write is None:
        return f"{kind}{_rest(facts)}."
    try:
        return write(facts, book)
    except (KeyError, TypeError, ValueError):
        # A body of another release may lack a fact that the sentence names; it is still shown.
        return f"{kind}{_rest(facts)}."


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


def _questions(book, keys) -> str:
    return " and ".join(question(book, key) for key in keys)


def _gate(book, key) -> str:
    return f"“{book.gates[key].title}”" if key in book.gates else str(key or "")


def _day(text) -> str:
    """A day or moment as the record keeps it, as people write it."""
    if not text:
        return "now"
    moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    return f"{moment.day} {moment:%B %Y}"


def _seat(key) -> str:
    return SEATS.get(key) or str(key).replace("_", " ").capitalize()


def _role(key) -> str:
    return ROLES.get(key, str(key).replace("_", " ")).lower()


# Holds that a person opens, and those that a person lifts; the others come and go with what somebody did.
OPENED_BY_PEOPLE, LIFTED_BY_PEOPLE = ("concern",), ("concern", "residency")


def _opened(kind: str) -> str:
    return "opened a hold" if kind in OPENED_BY_PEOPLE else "brought about a hold"


def _lifted(kind: str) -> str:
    return "lifted the hold" if kind in LIFTED_BY_PEOPLE else "brought the hold to its end"


def _hold(key) -> str:
    return HOLD_KINDS[key][0].lower() if key in HOLD_KINDS else str(key)


def _changed_details(facts, book) -> str:
    names = [name for name in facts["after"] if facts["after"][name] != facts["before"][name]]
    return f"changed {', '.join(names)}."


def _stage(facts, book) -> str:
    why = f" Why: {facts['why']}" if facts.get("why") else ""
    return (
        f"moved the stage from {stage_word(facts['from'])} to {stage_word(facts['to'])} ({facts['basis']}); "
        f"the proof supported {stage_word(facts['supported'])} then.{why}"
    )


def _evidence(facts, book) -> str:
    kind = EVIDENCE_KINDS.get(facts["evidence_kind"], facts["evidence_kind"]).lower()
    result = f", result {facts['result']}" if facts.get("result") else ""
    replaces = f" It supersedes item {facts['supersedes']}." if facts.get("supersedes") else ""
    if facts.get("captured_from"):
        replaces = f" It was captured from {facts['captured_from']}.{replaces}"
    return (
        f"added the {kind} “{facts['title']}”, observed {_day(facts['observed_on'])}{result}, for "
        f"{_questions(book, facts['covers'])}.{replaces}"
    )


def _term(facts) -> str:
    """What a term or policy says of regions."""
    parts = [f"{word} {', '.join(facts[word])}" for word in ("allowed", "forbidden") if facts[word]]
    of = f" for {', '.join(facts['classes'])}" if facts["classes"] else ""
    until = f" until {_day(facts['to_day'])}" if facts["to_day"] else ""
    return f"{facts['reference']}, {', '.join(parts)}{of}, from {_day(facts['from_day'])}{until}"


def _changed(facts, book) -> str:
    voided = facts.get("voided") or []
    ends = (
        f" It ended proof for {_questions(book, dict.fromkeys(key for _, key in voided))}." if voided else ""
    )
    return f"recorded a change: {facts['what']}, from {_day(facts['effective_at'])}.{ends}"


def _component(facts, book) -> str:
    replaces = f", in place of {facts['replaces']}" if facts.get("replaces") else ""
    return f"recorded {facts['version']} in the layer {facts['layer']}, from {_day(facts['runs_from'])}{replaces}."


def _scope(facts, book) -> str:
    replaces = f", in place of scope {facts['replaces']}" if facts.get("replaces") else ""
    return f"put scope {facts['number']} in force: {facts['users']} users{replaces}."


def _dependant(facts, book) -> str:
    asked = f"; {facts['executive']} is asked to state it" if facts.get("executive") else ""
    return (
        f"recorded that {facts['who']} depends on it; bearable outage {outage_words(facts['hours'])}{asked}."
    )


def _funding(facts, book) -> str:
    amount = f" {facts['currency']} {facts['amount']}" if facts.get("amount") else ""
    given = (
        f"claimed {stage_word(facts['claimed'])}, supported {stage_word(facts['supported'])}"
        if facts["claimed"]
        else "before it was registered here"
    )
    return f"recorded that {facts['decided_by']} gave money{amount} on {_day(facts['on'])} ({given}): {facts['basis']}"


def _effort(facts) -> str:
    """What an effort took: hours, money, days waited; and what it was."""
    took = [f"{facts['hours']} hours"] if facts["hours"] else []
    took += [f"{facts['currency']} {facts['money']}"] if facts["money"] else []
    if facts["waited_days"]:
        for_whom = f" for {facts['waits_for']}" if facts["waits_for"] else ""
        took.append(f"{facts['waited_days']} days waited{for_whom}")
    return ended(", ".join(took) + (f": {facts['words']}" if facts["words"] else ""))


def _signed(facts, book) -> str:
    verdict = VERDICTS.get(facts["verdict"], facts["verdict"])
    return f"{verdict} in the seat {_seat(facts['seat'])}."


# kind of entry: (facts, book) -> the sentence after the name of who acted
SENTENCES = {
    "estate read": lambda f, b: (
        f"read the table “{f['file']}” ({KINDS[f['kind_of_rows']].lower()})"
        f"{', the same as before' if f.get('repeats') else ''}."
    ),
    "estate mapped": lambda f, b: f"said what the columns of table {f['table']} mean.",
    "estate rows chosen": lambda f, b: f"chose what becomes of {f['rows']} rows of table {f['table']}.",
    "estate confirmed": lambda f, b: (
        f"confirmed table {f['table']} ({KINDS[f['kind_of_rows']].lower()}): {f['new']} rows are new, "
        f"{f['replaced']} replace something."
    ),
    "estate entered": lambda f, b: (
        f"brought table {f['table']} into the register: {f['entered']} rows entered, {f['replaced']} replaced words."
    ),
    "estate dropped": lambda f, b: f"dropped the table “{f['file']}”; nothing of it entered.",
    "inventory uploaded": lambda f, b: f"uploaded the inventory “{f['file']}” of {f['source']}.",
    "inventory confirmed": lambda f, b: (
        f"confirmed the inventory of {f['source']}: {f['counts']['imported']} cases came in as claims."
    ),
    "registered": lambda f, b: (
        f"registered the case in {f['unit']}, with {f['owner']} as owner: {f['problem']}"
    ),
    "details changed": _changed_details,
    "handover proposed": lambda f, b: (
        f"asked {f['successor']} to take over what {f['person']} holds here: {f['what']}."
    ),
    "handover accepted": lambda f, b: f"took over from {f['person']}: {f['what']}.",
    "handover declined": lambda f, b: f"declined to take over from {f['person']}.",
    "handover taken back": lambda f, b: f"took the handover from {f['person']} to {f['successor']} back.",
    "absence planned": lambda f, b: f"planned to be away from {_day(f['first'])} to {_day(f['last'])}.",
    "absence ended": lambda f, b: f"ended the absence of {f['person']}.",
    "delegate named": lambda f, b: f"asked {f['person']} to stand in: {f['what']}.",
    "delegation accepted": lambda f, b: f"accepted to stand in for {f['person']}: {f['what']}.",
    "delegation declined": lambda f, b: f"declined to stand in for {f['person']}: {f['what']}.",
    "delegation given back": lambda f, b: f"no longer stands in for {f['person']}: {f['what']}.",
    "unit changed": lambda f, b: (
        f"took the case along from {f['before']} to {f['after']}: the units were merged."
    ),
    "board changed": lambda f, b: (
        f"changed who decides, with the units: {f['after'] or 'no board'}, in place of {f['before'] or 'no board'}."
    ),
    "vendor added": lambda f, b: f"listed the vendor {f['vendor']}.",
    "region added": lambda f, b: (
        f"added the region {f['region']}" + (f", in {f['within']}." if f["within"] else ".")
    ),
    "vendor term filed": lambda f, b: f"filed terms of {f['vendor']}: {_term(f)}.",
    "vendor term confirmed": lambda f, b: (
        f"confirmed terms of {f['vendor']} that {f['filed_by']} filed: {_term(f)}."
    ),
    "vendor term withdrawn": lambda f, b: f"withdrew terms of {f['vendor']}, {f['reference']}: {f['why']}",
    "unit policy set": lambda f, b: f"set a policy of {f['unit']}: {_term(f)}.",
    "unit policy withdrawn": lambda f, b: f"withdrew a policy of {f['unit']}, {f['reference']}: {f['why']}",
    "unit moved": lambda f, b: (
        f"moved the unit {f['unit']} from {f['before'] or 'the top'} to {f['after'] or 'the top'}."
    ),
    "units merged": lambda f, b: (
        f"merged the unit {f['unit']} into {f['into']}, with {f['cases']} cases and {f['people']} people."
    ),
    "renamed": lambda f, b: f"renamed it from “{f['before']}” to “{f['after']}”.",
    "event recorded": lambda f, b: (
        f"recorded an event of {_day(f['on'])}, {EVENT_KINDS.get(f['event_kind'], f['event_kind']).lower()}: "
        f"{f['words']}"
    ),
    "funding recorded": _funding,
    "observed": lambda f, b: f"observed on {_day(f['on'])}, {f['layer']} layer: {f['words']}",
    "drill recorded": lambda f, b: (
        f"recorded a drill of {_day(f['observed_on'])}, {DRILL_KINDS.get(f['drill_kind'], f['drill_kind']).lower()}"
        + (f", on {f['of']}" if f["of"] else "")
        + f": {f['result']}."
    ),
    "drill withdrawn": lambda f, b: f"took back the {f['of']}, with its evidence: {f['why']}",
    "process recorded": lambda f, b: (
        f"recorded the process “{f['name']}”: {PROCESS_STATES.get(f['status'], f['status']).lower()}"
        + (f", {f['held_by']}." if f["held_by"] else ".")
    ),
    "process withdrawn": lambda f, b: f"took back the record of the process “{f['name']}”: {f['why']}",
    "process reopened": lambda f, b: f"reopened the process “{f['name']}”: {f['person']}, who knew it, left.",
    "sign-on recorded": lambda f, b: (
        f"recorded the sign-on flow, as gone through on {_day(f['reviewed_on'])}: "
        + (f"{f['explainer']} can explain it." if f["explainer"] else "understood by nobody.")
    ),
    "trace sample added": lambda f, b: (
        f"added a sample of {f['outputs']} outputs, {f['hits']} of which cite a governed source: {f['result']}."
    ),
    "note taken back": lambda f, b: f"took back the {f['note']} “{f['of']}”: {f['why']}",
    "effort noted": lambda f, b: (
        f"noted effort in the {f['layer']} layer, week of {_day(f['week'])}: {_effort(f)}"
    ),
    "effort taken back": lambda f, b: (
        f"took back effort in the {f['layer']} layer, week of {_day(f['week'])}, {_effort(f)} Why: {f['why']}"
    ),
    "efforts imported": lambda f, b: (
        f"let {f['entered']} lines of “{f['file']}” enter as effort, {f['hours']} hours from {_day(f['since'])} to "
        f"{_day(f['until'])}" + (f"; {f['replaced']} took the place of older ones." if f["replaced"] else ".")
    ),
    "continued": lambda f, b: (
        f"let it go on as {stage_word(f['stage'])} until {_day(f['until'])}, instead of {_day(f['was'])}: {f['why']}"
    ),
    "risk tier proposed": lambda f, b: f"proposed the risk tier {f['tier']}: {f['worst_credible_harm']}",
    "risk tier confirmed": lambda f, b: f"confirmed the risk tier {f['tier']}.",
    "withdrawn": lambda f, b: (
        "withdrew the idea" + (f", joined to {f['joined_to']}." if f["joined_to"] else ".")
    ),
    "answered": lambda f, b: f"answered {question(b, f['requirement'])} {ANSWERS[f['answer']]}{f['text']}",
    "not applicable accepted": lambda f, b: (
        f"accepted, in the seat {_seat(f['seat'])}, that {question(b, f['requirement'])} does not apply: {f['why']}"
    ),
    "declared": lambda f, b: f"declared for {f['key'].replace('_', ' ')}: {f['text']}",
    "outcome reported": lambda f, b: (
        f"reported {f['key'].replace('_', ' ')} as {f['result']}: {f['outcome']}"
    ),
    "evidence added": _evidence,
    "evidence offered": lambda f, b: f"offered item {f['evidence']} for {_questions(b, f['covers'])} too.",
    "evidence withdrawn": lambda f, b: f"withdrew the proof “{f['title']}”.",
    "past read": lambda f, b: f"read the page “{f['page']}” as of {f['as_of']}.",
    "evidence opened": lambda f, b: (
        f"{'looked at' if f.get('way') == 'look' else 'opened'} the file of “{f['title']}”."
    ),
    "evidence file missing": lambda f, b: (
        f"found the file of “{f['title']}” missing; it does not count until it is back."
    ),
    "evidence file changed": lambda f, b: (
        f"found another file in the place of that of “{f['title']}”; it does not count until the right one is back."
    ),
    "files confirmed gone": lambda f, b: (
        f"confirmed that {f['count']} file{'s are' if f['count'] != 1 else ' is'} gone: {f['why']}"
    ),
    "evidence file found": lambda f, b: f"found the file of “{f['title']}” back in its place.",
    "clause mapped": lambda f, b: (
        f"named a control for clause {f['clause']} of contract version {f['version']}, in the {f['layer']} layer: "
        f"{ended(f['control'])} Shown by “{f['title']}”."
    ),
    "mapping ended": lambda f, b: (
        f"ended the control of clause {f['clause']} of contract version {f['version']}, in the {f['layer']} layer: "
        f"{ended(f['control'])}"
    ),
    "layer report read": lambda f, b: (
        f"read “{f['title']}” from outside the build team, for {question(b, f['requirement'])} {f['words']}"
    ),
    "architecture decided": lambda f, b: (
        f"recorded a decision on architecture of {_day(f['on'])}, “{f['title']}”: {f['text']}"
    ),
    "architecture decision withdrawn": lambda f, b: (
        f"withdrew the decision on architecture “{f['title']}” of {_day(f['on'])}: {f['why']}"
    ),
    "contract written": lambda f, b: (
        f"wrote version {f['number']} of the contract, {len(f['clauses'])} clauses."
    ),
    "contract start planned": lambda f, b: (
        f"planned version {f['number']} of the contract "
        + (f"from {_day(f['wanted_from'])} on." if f["wanted_from"] else "from its last approval on.")
    ),
    "clause written": lambda f, b: (
        f"{'rewrote' if f['before'] else 'wrote'} clause {f['clause']} for version {f['number']} of the contract: "
        f"{f['sentence']}"
    ),
    "clause removed": lambda f, b: (
        f"took clause {f['clause']} out of version {f['number']} of the contract: {f['sentence']}"
    ),
    "clause moved": lambda f, b: (
        f"let clauses {f['clause']} and {f['past']} of version {f['number']} of the contract change places."
    ),
    "word written": lambda f, b: (
        f"worded “{f['key']}” as “{f['words']}”"
        + (f", before that “{f['before']}”" if f["before"] else "")
        + " in the contract."
    ),
    "word retired": lambda f, b: f"no longer offers “{f['words']}” ({f['key']}) for the contract.",
    "clause commented": lambda f, b: f"commented on clause {f['clause']} of the contract: {f['text']}",
    "comment settled": lambda f, b: f"settled a comment on clause {f['clause']} of the contract: {f['text']}",
    "contract proposed": lambda f, b: f"sent version {f['number']} of the contract to the board.",
    "contract taken back": lambda f, b: f"took version {f['number']} of the contract back.",
    "contract approved": lambda f, b: (
        f"approved version {f['number']} of the contract in the seat {_seat(f['seat'])}."
    ),
    "contract in force": lambda f, b: (
        f"put version {f['number']} of the contract in force from {_day(f['starts_at'])}."
    ),
    "approval asked": lambda f, b: (
        f"asked {role_words(f['approvers'])} to approve “{f['action']}” on {f['resource']} for {f['subject']}."
    ),
    "approval answered": lambda f, b: (
        f"{'approved' if f['verdict'] == 'approve' else 'refused'} “{f['action']}” on {f['resource']} for "
        f"{f['subject']}, as {_role(f['role'])}." + (f" Why: {f['why']}" if f["why"] else "")
    ),
    "approval used": lambda f, b: (
        f"used the approval of “{f['action']}” on {f['resource']} for {f['subject']}."
    ),
    "role proposed": lambda f, b: f"asked {f['person']} to be {_role(f['role'])}.",
    "role accepted": lambda f, b: f"accepted to be {_role(f['role'])}: {f['words']}",
    "role accepted again": lambda f, b: f"accepted again to be {_role(f['role'])}.",
    "role declined": lambda f, b: f"declined to be {_role(f['role'])}.",
    "role ended": lambda f, b: f"ended the role of {f['person']} as {_role(f['role'])}.",
    "component recorded": _component,
    "scope planned": lambda f, b: (
        f"planned scope {f['number']} for {stage_word(f['stage'])}: {f['users']} users."
    ),
    "scope in force": _scope,
    "changed": _changed,
    "change completed": lambda f, b: f"added who approved “{f['what']}” ({f['approver']}) and the way back.",
    "dependant added": _dependant,
    "dependence stated": lambda f, b: f"stated: {f['words']}",
    "dependence declined": lambda f, b: f"declined to state that {f['who']} depends on it: {f['why']}",
    "dependant ended": lambda f, b: f"recorded that {f['who']} no longer depends on it.",
    "key made": lambda f, b: (
        f"made the key {f['public']} for {f['system']}, which opens until {_day(f['expires_at'])}."
    ),
    "key revoked": lambda f, b: f"revoked the key {f['public']} of {f['system']}.",
    "switched off": lambda f, b: "switched its systems off: whatever they ask is denied.",
    "switched on": lambda f, b: "switched its systems on again.",
    "hold opened": lambda f, b: f"{_opened(f['hold_kind'])}, {_hold(f['hold_kind'])}: {f['why']}",
    "hold lifted": lambda f, b: f"{_lifted(f['hold_kind'])}, {_hold(f['hold_kind'])}: {f['why']}",
    "debt opened": lambda f, b: (
        f"opened a debt: {f['debtor'] or 'nobody'} owes “{f['text']}” by {_day(f['due'])}."
    ),
    "debt settled": lambda f, b: f"settled “{f['text']}”: {f['note']}",
    "debt excused": lambda f, b: (
        f"let one decision on this case pass “{f['text']}”, owed on {f['owed_on']}."
        if "owed_on" in f
        else f"let decisions pass “{f['text']}” once."
    ),
    "gap opened": lambda f, b: f"opened a gap, owned by {f['owner']}, due {_day(f['due'])}: {f['text']}",
    "gap closed": lambda f, b: (
        f"closed the gap “{f['text']}”" + (" with proof." if f["evidence"] else ", accepted by its owner.")
    ),
    "users told": lambda f, b: f"told the users: {f['how']}",
    "stage changed": _stage,
    "re-attested": lambda f, b: "confirmed that production is accepted again.",
    "review opened": lambda f, b: (
        f"opened a review of {_gate(b, f['gate'])}, under rulebook {f['rulebook']}."
    ),
    "signed off": _signed,
    "vote withdrawn": lambda f, b: f"withdrew the vote of the seat {_seat(f['seat'])}.",
    "asked": lambda f, b: f"asked on {question(b, f['criterion'])} {f['text']}",
    "question answered": lambda f, b: f"answered the board on {question(b, f['criterion'])} {f['text']}",
    "condition fixed": lambda f, b: f"fixed a condition for {f['owner']}, due {_day(f['due'])}: {f['text']}",
    "condition met": lambda f, b: f"met the condition “{f['text']}”: {f['note']}",
    "review moved to rulebook": lambda f, b: f"moved the review from rulebook {f['before']} to {f['after']}.",
    "waiver requested": lambda f, b: (
        f"asked for a waiver of {question(b, f['key'])} until {_day(f['until'])}: {f['why']}"
    ),
    "waiver agreed": lambda f, b: (
        f"agreed to the waiver of {question(b, f['key'])} until {_day(f['until'])}"
        + ("; it runs." if f["runs"] else "; a second agreement is needed.")
    ),
    "waiver refused": lambda f, b: f"refused the waiver of {question(b, f['key'])}.",
    "waiver lapsed": lambda f, b: f"saw the request of a waiver of {question(b, f['key'])} run out.",
    "profile added": lambda f, b: f"sent a sample of {f['system']} to be measured: {f['title']}.",
    "profile measured": lambda f, b: ended(
        f"measured {f['title']}, {f['rows']} rows" + (f": {' '.join(f['found'])}" if f["found"] else "")
    ),
    "profile failed": lambda f, b: f"could not measure {f['title']}: {f['why']}",
    "sample deleted": lambda f, b: f"removed the sample {f['title']}; what was measured stays.",
    "population described": lambda f, b: (
        f"described the whole population beside {f['title']}, in {f['strata']} parts."
    ),
    "drift confirmed": lambda f, b: (
        f"confirmed that the data of {f['system']} changed from {f['earlier']} to {f['later']}: "
        f"{' '.join(f['found'])}"
    ),
    "refused": lambda f, b: f"was refused ({f['act']}): {f['answer']}",
} | register_words.SENTENCES
SENTENCES |= rulebook_words.SENTENCES
