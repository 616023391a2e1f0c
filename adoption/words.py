"""Entries about what came of the cases in plain words; hung on those of the cases by `AppConfig.ready()`."""

from adoption.models.incidents import SEVERITIES
from adoption.models.problems import PROBLEM_STATES
from adoption.models.signals import SIGNAL_KINDS
from initiatives.words import _day


def _kind(facts: dict) -> str:
    """What people do, in words."""
    return SIGNAL_KINDS.get(facts["signal_kind"], facts["signal_kind"]).lower()


def _title(facts: dict) -> str:
    return f"“{facts['title']}”"


def _goal(facts) -> str:
    """Target and baseline as a sentence's end: "target 60 %, before 20 %"."""

    def said(text: str) -> str:
        value = float(text)
        return (
            f"{value * 100:.10g} %" if facts["unit"] == "share" else f"{value:.10g} {facts['unit']}".strip()
        )

    before = f", before {said(facts['baseline'])}" if facts["baseline"] else ""
    return f"target {said(facts['target'])}{before}"


def _came(facts) -> str:
    new, corrected = facts["new"], facts["corrected"]
    said = [f"{new} reading{'' if new == 1 else 's'}"] if new else []
    said += [f"{corrected} correction{'' if corrected == 1 else 's'}"] if corrected else []
    return f"{' and '.join(said)} of {facts['since']} to {facts['until']}"


# What these acts change waits, if for anybody, for people on the case and its board; pulses have their own page.
QUIET = {
    *("measure declared", "goal moved", "measure ended", "readings recorded", "figures filed"),
    *("pulse written", "pulse opened", "pulse links replaced", "pulse closed", "pulse comment removed"),
}


def _at(facts) -> str:
    return f"the meeting of {facts['board']} on {_day(facts['held_on'])}"


SENTENCES = {
    "measure declared": lambda facts, book: f"declared a measure: {facts['words']}; {_goal(facts)}.",
    "goal moved": lambda facts, book: f"moved the goal of {facts['words']}: {_goal(facts)}. {facts['why']}",
    "measure ended": lambda facts, book: f"ended the measure {facts['words']}: {facts['why']}",
    "readings recorded": lambda facts, book: (
        f"sent {_came(facts)}{' from ' + facts['source'] if facts['source'] else ''}."
    ),
    "figures filed": lambda facts, book: (
        f"filed what its readings show until {facts['until']} as evidence: {facts['result']}."
    ),
    "lesson answered": lambda facts, book: (
        f"answered a lesson, which {'applies' if facts['applies'] else 'does not apply'}: {facts['words']}"
        f" (the lesson: “{facts['text']}”)"
    ),
    "lesson entered": lambda facts, book: (
        f"entered a lesson from outside ({facts['source']}): “{facts['text']}”"
    ),
    "lesson confirmed": lambda facts, book: f"let a lesson from outside into the library: “{facts['text']}”",
    "lesson taken out": lambda facts, book: f"took a lesson out of the library: {facts['why']}",
    "lesson came again": lambda facts, book: (
        f"said that a lesson which was known here came again: “{facts['text']}”"
        if facts["known"]
        else "took back that a known lesson came again."
    ),
    "post-mortem started": lambda facts, book: "began to write the post-mortem.",
    "post-mortem written": lambda facts, book: "went on writing the post-mortem.",
    "post-mortem published": lambda facts, book: "published the post-mortem; the adoption seat confirms it.",
    "post-mortem handed in": lambda facts, book: "handed the post-mortem in; the adoption seat confirms it.",
    "post-mortem confirmed": lambda facts, book: (
        "confirmed the post-mortem"
        f"{', and that nothing can be learned from it for others' if facts.get('no_lesson') else ''}"
        f"{': ' + facts['note'] if facts['note'] else '.'}"
    ),
    "post-mortem commented": lambda facts, book: f"commented on “{facts['section']}”: {facts['text']}",
    "post-mortem comment settled": lambda facts, book: (
        f"settled a comment on the post-mortem: {facts['text']}"
    ),
    "gap linked": lambda facts, book: f"named in the post-mortem what is still open: {facts['text']}",
    "attached": lambda facts, book: f"attached “{facts['title']}” to the post-mortem.",
    "attachment taken out": lambda facts, book: (
        f"took “{facts['title']}” out of the post-mortem: {facts['why']}"
    ),
    "attachment file missing": lambda facts, book: f"found the file of “{facts['title']}” gone from storage.",
    "attachment file changed": lambda facts, book: f"found another file in the place of “{facts['title']}”.",
    "attachment file found": lambda facts, book: f"found the file of “{facts['title']}” back in its place.",
    "attachment opened": lambda facts, book: f"opened “{facts['title']}”, attached to the post-mortem.",
    "post-mortem sent back": lambda facts, book: f"sent the post-mortem back: {facts['why']}",
    "pulse written": lambda facts, book: f"wrote the pulse “{facts['title']}”.",
    "pulse opened": lambda facts, book: (
        f"opened the pulse “{facts['title']}” for {sum(team['invited'] for team in facts['teams'])} people."
    ),
    "pulse links replaced": lambda facts, book: f"made the links of the pulse “{facts['title']}” anew.",
    "pulse closed": lambda facts, book: (
        f"closed the pulse “{facts['title']}”: {sum(team['answered'] for team in facts['teams'])} of"
        f" {sum(team['invited'] for team in facts['teams'])} answered"
        f"{'' if facts['results'] else ', too few to say anything'}."
    ),
    "pulse comment removed": lambda facts, book: f"took a comment out of a pulse: {facts['why']}",
    "signal reported": lambda facts, book: (
        f"took down what somebody reported without a name: {facts['group']}, {_kind(facts)}."
    ),
    "signal computed": lambda facts, book: (
        f"worked out a signal from readings: {facts['group']}, {_kind(facts)}."
    ),
    "signal moved": lambda facts, book: f"worked out a signal anew: {facts['group']}, {facts['words']}",
    "signal answered": lambda facts, book: (
        f"answered for the board on {facts['group']}: {facts['words']}"
        + (" It is no longer so." if facts["over"] else "")
    ),
    "signal ended": lambda facts, book: (
        f"said that it is no longer so of {facts['group']} ({_kind(facts)}): {facts['why']}"
    ),
    "asked who reported": lambda facts, book: "asked who reported something; whoever it was has been told.",
    "problem link opened": lambda facts, book: "made an address at which users report problems.",
    "problem link renewed": lambda facts, book: "made another address at which users report problems.",
    "problem link closed": lambda facts, book: "switched off the address at which users report problems.",
    "problem reported": lambda facts, book: f"took down a problem that a user reported: {facts['words']}",
    "problem treated": lambda facts, book: (
        f"treated a problem that a user reported ({PROBLEM_STATES[facts['became']].lower()}): {facts['words']}"
    ),
    # Incidents
    "incident opened": lambda facts, book: (
        f"opened the incident {_title(facts)}, severity {SEVERITIES[facts['severity']]}."
    ),
    "incident line written": lambda facts, book: f"wrote on {_title(facts)}: {facts['words']}",
    "incident part taken": lambda facts, book: (
        f"noted that {facts['who']} is the {facts['role']} of {_title(facts)}."
    ),
    "incident contained": lambda facts, book: f"said that {_title(facts)} is contained.",
    "incident resolved": lambda facts, book: f"said that {_title(facts)} is resolved.",
    "incident amended": lambda facts, book: f"put right what is known of {_title(facts)}.",
    "incident closed": lambda facts, book: f"closed the incident {_title(facts)}: {facts['words']}",
    "incident reopened": lambda facts, book: f"opened {_title(facts)} again: {facts['why']}",
    "incident severity corrected": lambda facts, book: (
        f"corrected {_title(facts)} from severity {facts['before']} to {facts['severity']}: {facts['why']}"
    ),
    "incidents merged": lambda facts, book: (
        f"said that {_title(facts)} is the same as “{facts['into']}”: {facts['why']}"
    ),
    "dependants warned": lambda facts, book: f"warned those who depend on it: {', '.join(facts['who'])}.",
    "board told": lambda facts, book: f"had the whole board told of {_title(facts)}.",
    "edge clause taken over": lambda facts, book: (
        f"took clause {facts['clause']} from {_title(facts)} into the draft of the contract: {facts['sentence']}"
    ),
    "reporting duties laid out": lambda facts, book: (
        f"laid out reporting duties: {'; '.join(facts['names'])}."
    ),
    "reporting duty added": lambda facts, book: (
        f"added a reporting duty: {facts['name']}, {facts['days']} days."
    ),
    "reporting clock started": lambda facts, book: (
        f"started a reporting clock on {_title(facts)}: {facts['duty']}, by {_day(facts['due'])}."
    ),
    "reporting deadline met": lambda facts, book: (
        f"said what was reported of {_title(facts)} ({facts['duty']}): {facts['words']}"
    ),
    "no reporting duty": lambda facts, book: (
        f"judged that {_title(facts)} need not be reported to an authority: {facts['why']}"
    ),
    "meeting planned": lambda facts, book: f"planned {_at(facts)}.",
    "meeting changed": lambda facts, book: f"changed day, place or secretary: {_at(facts)}.",
    "agenda point added": lambda facts, book: (
        f"put a point on the agenda of {facts['board']}: {facts['words']}."
    ),
    "agenda point left out": lambda facts, book: f"left it out of {_at(facts)}: {facts['why']}",
    "agenda point put back": lambda facts, book: f"put it on the agenda of {_at(facts)} again.",
    "agenda point placed": lambda facts, book: (
        f"put it at place {facts['place']} of {_at(facts)}: {facts['why']}"
    ),
    "meeting begun": lambda facts, book: f"began {_at(facts)}.",
    "attendance written": lambda facts, book: (
        f"noted who was at the meeting of {facts['board']}: {facts['there']}."
    ),
    "minutes written": lambda facts, book: f"wrote minutes at {_at(facts)}, version {facts['version']}.",
    "meeting closed": lambda facts, book: f"closed {_at(facts)}.",
    "meeting called off": lambda facts, book: f"called off {_at(facts)}: {facts['why']}",
    "pack taken": lambda facts, book: (
        f"took the pack of {_at(facts)}, {len(facts['cases'])} cases; its SHA-256 is {facts['sha256']}."
    ),
}
