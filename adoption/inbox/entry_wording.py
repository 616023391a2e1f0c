"""Entries of adoption in plain words, contributed to the wording of entries by `AppConfig.ready()`."""

from adoption.models.incidents import SEVERITIES
from adoption.models.monitoring import BECOMES
from adoption.models.reports import BEHAVIOUR_REPORT_KINDS, OUTCOMES
from governance.vocabulary.entry_kinds import EntryKind


def _goal(facts, rulebook) -> str:
    """Target and baseline as a sentence's end: "target 60 %, before 20 %"."""

    def said(text: str) -> str:
        value = float(text)
        return (
            f"{value * 100:.10g} %" if facts["unit"] == "share" else f"{value:.10g} {facts['unit']}".strip()
        )

    before = f", before {said(facts['baseline'])}" if facts["baseline"] else ""
    return f"target {said(facts['target'])}{before}"


def _came(facts, rulebook) -> str:
    new, corrected = facts["new"], facts["corrected"]
    said = [f"{new} measurement{'' if new == 1 else 's'}"] if new else []
    said += [f"{corrected} correction{'' if corrected == 1 else 's'}"] if corrected else []
    return f"{' and '.join(said)} of {facts['since']} to {facts['until']}"


# What these acts change waits, if for anybody, for people on the initiative and its board; surveys have their own page.
QUIET = {
    *(
        EntryKind.MEASURE_DECLARED,
        EntryKind.GOAL_MOVED,
        EntryKind.MEASURE_CLOSED,
        EntryKind.MEASUREMENTS_RECORDED,
        EntryKind.FIGURES_FILED,
    ),
    *(
        EntryKind.SURVEY_WRITTEN,
        EntryKind.SURVEY_OPENED,
        EntryKind.SURVEY_LINKS_REPLACED,
        EntryKind.SURVEY_CLOSED,
        EntryKind.SURVEY_COMMENT_REMOVED,
    ),
}
# Further ways of `initiatives.lifecycle.activity.entry_wording`.
WAYS = {
    "goal": _goal,
    "came": _came,
    "invited": lambda teams, rulebook: str(sum(team["invited"] for team in teams)),
    "answers": lambda teams, rulebook: str(sum(team["answered"] for team in teams)),
    "behaviour": lambda key, rulebook: BEHAVIOUR_REPORT_KINDS.get(key, key).lower(),
    "outcome": lambda key, rulebook: OUTCOMES[key],
    "severity": lambda key, rulebook: SEVERITIES[key],
    "becomes": lambda key, rulebook: f"{BECOMES[key][:1].lower()}{BECOMES[key][1:]}",
}

SENTENCES = {
    EntryKind.MEASURE_DECLARED: "declared a measure: {words}; {all:goal}.",
    EntryKind.GOAL_MOVED: "moved the goal of {words}: {all:goal}. {why}",
    EntryKind.MEASURE_CLOSED: "closed the measure {words}: {why}",
    EntryKind.MEASUREMENTS_RECORDED: "sent {all:came}< from {source}>.",
    EntryKind.FIGURES_FILED: "filed what its measurements show until {until} as evidence: {result}.",
    EntryKind.LESSON_ANSWERED: (
        "answered a lesson, which <{applies?}applies|does not apply>: {words} (the lesson: “{text}”)"
    ),
    EntryKind.LESSON_ENTERED: "entered a lesson from outside ({source}): “{text}”",
    EntryKind.LESSON_CONFIRMED: "let a lesson from outside into the library: “{text}”",
    EntryKind.LESSON_TAKEN_OUT: "took a lesson out of the library: {why}",
    EntryKind.LESSON_CAME_AGAIN: (
        "<{known?}said that a lesson which was known here came again: “{text}”|withdrew that a known "
        "lesson came again.>"
    ),
    EntryKind.POST_MORTEM_STARTED: "began to write the post-mortem.",
    EntryKind.POST_MORTEM_WRITTEN: "went on writing the post-mortem.",
    EntryKind.POST_MORTEM_HANDED_IN: "handed the post-mortem in; the adoption seat confirms it.",
    EntryKind.POST_MORTEM_CONFIRMED: (
        "confirmed the post-mortem<{no_lesson?}, and that nothing can be learned from it for others><: "
        "{note}|.>"
    ),
    EntryKind.POST_MORTEM_COMMENTED: "commented on “{section}”: {text}",
    EntryKind.POST_MORTEM_COMMENT_RESOLVED: "resolved a comment on the post-mortem: {text}",
    EntryKind.GAP_LINKED: "named in the post-mortem what is still open: {text}",
    EntryKind.ATTACHED: "attached “{title}” to the post-mortem.",
    EntryKind.ATTACHMENT_TAKEN_OUT: "took “{title}” out of the post-mortem: {why}",
    EntryKind.ATTACHMENT_FILE_MISSING: "found the file of “{title}” gone from storage.",
    EntryKind.ATTACHMENT_FILE_CHANGED: "found another file in the place of “{title}”.",
    EntryKind.ATTACHMENT_FILE_FOUND: "found the file of “{title}” back in its place.",
    EntryKind.ATTACHMENT_OPENED: "opened “{title}”, attached to the post-mortem.",
    EntryKind.POST_MORTEM_SENT_BACK: "sent the post-mortem back: {why}",
    EntryKind.SURVEY_WRITTEN: "wrote the survey “{title}”.",
    EntryKind.SURVEY_OPENED: "opened the survey “{title}” for {teams:invited} people.",
    EntryKind.SURVEY_LINKS_REPLACED: "made the links of the survey “{title}” anew.",
    EntryKind.SURVEY_CLOSED: (
        "closed the survey “{title}”: {teams:answers} of {teams:invited} answered<{results?}|, too few to "
        "say anything>."
    ),
    EntryKind.SURVEY_COMMENT_REMOVED: "took a comment out of a survey: {why}",
    EntryKind.REPORT_RECEIVED: "received a {what}: {title}.",
    EntryKind.REPORT_JUDGED: "judged a {what}, “{title}”: {became:outcome}<{into?}, “{into}”>. {words}",
    EntryKind.BEHAVIOUR_REPORT_COMPUTED: "worked out a behaviour report from measurements: {group}, "
    "{report_kind:behaviour}.",
    EntryKind.BEHAVIOUR_REPORT_MOVED: "worked out a behaviour report anew: {group}, {words}",
    EntryKind.BEHAVIOUR_REPORT_ENDED: "said that it is no longer so of {group} ({report_kind:behaviour}): {why}",
    EntryKind.ASKED_WHO_REPORTED: "asked who reported something; whoever it was has been told.",
    EntryKind.PROBLEM_LINK_OPENED: "made an address at which users report problems.",
    EntryKind.PROBLEM_LINK_RENEWED: "made another address at which users report problems.",
    EntryKind.PROBLEM_LINK_CLOSED: "switched off the address at which users report problems.",
    EntryKind.PUBLIC_PAGE_MADE: "made a public page for its users: {words}",
    EntryKind.PUBLIC_PAGE_WORDED: "changed what the public page says it is for: {words}",
    EntryKind.PUBLIC_PAGE_WITHDRAWN: (
        "withdrew the public page<{secret?}, because the initiative became confidential>."
    ),
    EntryKind.MONITORING_PROMISED: "promised that its monitoring is heard of at least every {every_days} days.",
    EntryKind.ALERTS_MAPPED: "said what alerts count as ({which}): {becomes:becomes}.",
    EntryKind.ALERT_MAPPING_CLOSED: "withdrew what alerts count as ({which}): {becomes:becomes}.",
    EntryKind.INCIDENT_OPENED: "opened the incident “{title}”, severity {severity:severity}.",
    EntryKind.INCIDENT_LINE_WRITTEN: "wrote on “{title}”: {words}",
    EntryKind.INCIDENT_PART_TAKEN: "noted that {who} is the {role} of “{title}”.",
    EntryKind.INCIDENT_CONTAINED: "said that “{title}” is contained.",
    EntryKind.INCIDENT_RESOLVED: "said that “{title}” is resolved.",
    EntryKind.INCIDENT_AMENDED: "put right what is known of “{title}”.",
    EntryKind.INCIDENT_CLOSED: "closed the incident “{title}”: {words}",
    EntryKind.INCIDENT_REOPENED: "opened “{title}” again: {why}",
    EntryKind.INCIDENT_SEVERITY_CORRECTED: "corrected “{title}” from severity {before} to {severity}: {why}",
    EntryKind.INCIDENTS_MERGED: "said that “{title}” is the same as “{into}”: {why}",
    EntryKind.DEPENDANTS_WARNED: "warned those who depend on it: {who:list}.",
    EntryKind.BOARD_TOLD: "had the whole board told of “{title}”.",
    EntryKind.EDGE_CLAUSE_TAKEN_OVER: (
        "took clause {clause} from “{title}” into the draft of the contract: {sentence}"
    ),
    EntryKind.REPORTING_DUTIES_LAID_OUT: "laid out reporting duties: {names:names}.",
    EntryKind.REPORTING_DUTY_ADDED: "added a reporting duty: {name}, {days} days.",
    EntryKind.REPORTING_CLOCK_STARTED: "started a reporting clock on “{title}”: {duty}, by {due:day}.",
    EntryKind.REPORTING_DEADLINE_MET: "said what was reported of “{title}” ({duty}): {words}",
    EntryKind.NO_REPORTING_DUTY: "judged that “{title}” need not be reported to an authority: {why}",
    EntryKind.MEETING_PLANNED: "planned the meeting of {board} on {held_on:day}.",
    EntryKind.MEETING_CHANGED: "changed day, place or secretary: the meeting of {board} on {held_on:day}.",
    EntryKind.AGENDA_POINT_ADDED: "put a point on the agenda of {board}: {words}.",
    EntryKind.AGENDA_POINT_LEFT_OUT: "left it out of the meeting of {board} on {held_on:day}: {why}",
    EntryKind.AGENDA_POINT_PUT_BACK: "put it on the agenda of the meeting of {board} on {held_on:day} again.",
    EntryKind.AGENDA_POINT_PLACED: "put it at place {place} of the meeting of {board} on {held_on:day}: {why}",
    EntryKind.MEETING_BEGUN: "began the meeting of {board} on {held_on:day}.",
    EntryKind.ATTENDANCE_WRITTEN: "noted who was at the meeting of {board}: {there}.",
    EntryKind.MINUTES_WRITTEN: "wrote minutes at the meeting of {board} on {held_on:day}, version {version}.",
    EntryKind.MEETING_CLOSED: "closed the meeting of {board} on {held_on:day}.",
    EntryKind.MEETING_CALLED_OFF: "called off the meeting of {board} on {held_on:day}: {why}",
    EntryKind.AUDIT_LOG_EXPORT_ASKED: (
        "asked for an export of the audit log of {of}<{with_files?}, with the files of the evidence>."
    ),
    EntryKind.AUDIT_LOG_EXPORT_TAKEN: "took the export of the audit log of {of}; its SHA-256 is {sha256}.",
    EntryKind.AUDIT_LOG_EXPORT_ERASED: "erased the file of the export of the audit log of {of}.",
    EntryKind.PACK_TAKEN: (
        "took the pack of the meeting of {board} on {held_on:day}, {initiatives:len} initiatives; its SHA-256 is "
        "{sha256}."
    ),
}
