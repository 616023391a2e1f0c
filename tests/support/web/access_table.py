"""Who opens what: every address of the project, and what each member of the cast is answered there."""

from dataclasses import dataclass

TEAM = ("owner", "support", "lead", "steward")
BOARD = ("seat_value", "seat_risk", "seat_adoption", "chair", "deputy_chair")
WATCHERS = ("admin", "auditor")
STRANGERS = ("outsider", "sponsor")
INSIDE = (*TEAM, *BOARD, *WATCHERS)
CAST = (*INSIDE, *STRANGERS)


@dataclass(frozen=True)
class Row:
    """What reading an address answers: 200 to `opens`, `closed` to the others who see the initiative, and so on.

    `strangers` and `sent` are for people who may not see the initiative, reading and sending; `signed_out` for
    everybody who has not signed in.
    """

    opens: tuple = INSIDE
    closed: int = 403
    strangers: int = 404
    sent: int = 404
    signed_out: int = 302

    @property
    def read(self) -> bool:
        """Whether people read it at all: a button is only sent to, and an API is for machines alone."""
        return bool(self.opens) or self.closed not in (401, 405)


def only(*people, **options) -> Row:
    """A page of the initiative on which these people act; the others who see the initiative are told why not."""
    return Row(people, **options)


OPEN = Row(strangers=200, sent=405, signed_out=200)  # open to everybody, signed in or not
MEMBERS = Row(strangers=200, sent=405)  # open to everybody who signed in
ADMINS = only("admin", strangers=403, sent=403)
TRIES = only("admin", "chair", "deputy_chair", strangers=403, sent=403)  # what a rulebook would do
AUDITORS = only("auditor", strangers=403, sent=405)
AUDITS = only("auditor", strangers=403, sent=403)  # where auditors act
READ = Row(sent=405)  # a page of the initiative that takes nothing
PAGE = Row()  # a page of the initiative that everybody on it may read
OWNER = only("owner")
WORKERS = only(*TEAM)
# What several initiatives share: whoever works on an initiative whose link its owner agreed to changes it.
SHARED = only(*TEAM, "admin", strangers=403, sent=403)
ACCOUNTS = only(
    *TEAM, "admin"
)  # in such a system; whoever does not work with it is not told that they are there
TERMS = only("seat_risk", "admin", strangers=403, sent=403)  # of vendors
RUNNERS = only("owner", "lead")
CHAIR = only("chair")
LEADERS = only("chair", "deputy_chair")
NOT_NOW = only()  # nobody: the state of this initiative does not allow it, and the page says so
POST_ONLY = only(closed=302)  # sends whoever reads it on to the page it belongs to

# Read with a token of a person; a session opens nothing of it.
API = only(closed=401, strangers=401, sent=405, signed_out=401)
MACHINES = only(closed=405, strangers=405, sent=401, signed_out=405)  # asked with a key, not by people
# Read and sent by directories with a key of theirs; one of their resources takes no POST.
DIRECTORY = only(closed=401, strangers=401, sent=401, signed_out=401)
NOWHERE = only(closed=404, strangers=404, sent=404, signed_out=404)  # below an API, where there is nothing
DIRECTORY_READS = only(closed=401, strangers=401, sent=405, signed_out=401)

TABLE = {
    "access-evaluation": MACHINES,
    "access-evaluations": MACHINES,
    "access-outcomes": MACHINES,
    "access-search-subject": MACHINES,
    "access-search-resource": MACHINES,
    "access-search-action": MACHINES,
    "access-requests": MACHINES,
    "access-interactions": MACHINES,
    "evidence-results": MACHINES,
    "mcp": MACHINES,
    "otlp-traces": MACHINES,
    "otlp-logs": MACHINES,
    "scim-users": DIRECTORY,
    "scim-users-search": MACHINES,
    "scim-user": DIRECTORY_READS,
    "scim-groups": DIRECTORY,
    "scim-groups-search": MACHINES,
    "scim-group": DIRECTORY_READS,
    "scim-config": DIRECTORY_READS,
    "scim-resource-types": DIRECTORY_READS,
    "scim-resource-type": DIRECTORY_READS,
    "scim-schemas": DIRECTORY_READS,
    "scim-schema": DIRECTORY_READS,
    "scim-search": MACHINES,
    "scim-me": DIRECTORY,
    "scim-nothing": NOWHERE,
    "otlp-nothing": NOWHERE,
    "evidence-nothing": NOWHERE,
    "mcp-nothing": NOWHERE,
    "access-nothing": NOWHERE,
    "adoption-nothing": NOWHERE,
    **dict.fromkeys(
        (
            "api-initiatives",
            "api-initiative",
            "api-requirements",
            "api-tasks",
            "api-contract",
            "api-measures",
            "api-measurements",
            "api-obligations",
            "api-reviews",
            "api-review",
            "api-decisions",
            "api-logged-decisions",
            "api-logged-decision",
            "api-register",
        ),
        API,
    ),
    "api-openapi": OPEN,
    "api-nothing": NOWHERE,
    "api-reference": OPEN,
    "adoption-alerts": MACHINES,
    "adoption-alerts-address": MACHINES,
    "access-request": only(closed=401, strangers=401, sent=405, signed_out=401),
    "access-configuration": OPEN,
    "access-signing-key": OPEN,
    "access-attestation": only(closed=401, strangers=401, sent=405, signed_out=401),
    "access-client": MEMBERS,
    "fault-kit": MEMBERS,
    "healthz": OPEN,
    "readyz": OPEN,
    "metrics": only(closed=404, strangers=404, sent=405, signed_out=404),  # no PLUMBLINE_METRICS_TOKEN is set
    "help": OPEN,
    "words": OPEN,
    "rulebook": OPEN,
    "rulebook-versions": OPEN,
    "rulebook-version": Row(strangers=200, sent=405, signed_out=404),  # a draft is for people who signed in
    "sign-in": only(closed=302, strangers=302, sent=302, signed_out=200),
    "sign-out": only(closed=405, strangers=405, sent=302),
    "sign-in-factor": only(closed=302, strangers=302, sent=302, signed_out=302),  # between two steps alone
    "account": MEMBERS,
    "account-sign-out": only(closed=405, strangers=405, sent=302),
    "account-tokens": MEMBERS,
    "account-token-make": only(closed=404),  # the kind of the address of tests is another
    "account-token-rotate": only("owner", closed=404),
    "account-token-end": only(closed=405, strangers=405),
    "tokens": only("admin", strangers=403, sent=405),
    "token-end": ADMINS,
    "account-password": Row(strangers=200, sent=200),
    "account-security": MEMBERS,
    "passkey-add": only(closed=403, strangers=403, sent=403),  # the address of tests is a number
    "passkey-revoke": only(closed=404),
    "app-add": Row(strangers=200, sent=200),
    "app-revoke": only(closed=404),
    "recovery-codes": Row(strangers=200, sent=200),
    "own-reset-stop": only(closed=405, strangers=405),
    "account-factors": only("admin", strangers=403, sent=405),
    "factor-reset-ask": only(closed=403, strangers=403, sent=403),  # nobody here has a factor
    "passkey-confirm": only(closed=405, strangers=405, sent=403),
    "factor-reset-stop": only(closed=405, strangers=405, sent=403),
    "password-reset": Row(strangers=200, sent=200, signed_out=200),
    "password-link": only(
        closed=302, strangers=302, sent=405
    ),  # leads to the next, whatever its key is worth
    "password-set": only(closed=404, signed_out=404),  # only behind a link that works
    "first-admin": only(closed=404, signed_out=404),  # there is one
    "accounts": only("admin", strangers=403, sent=405),
    "accounts-add": ADMINS,
    "account-invite": only(closed=405, strangers=405, sent=403),
    "account-end-sessions": only(closed=405, strangers=405, sent=403),
    "units": only(*WATCHERS, strangers=403, sent=405),
    "add-unit": ADMINS,
    "units-from-table": ADMINS,
    "units/rename": ADMINS,
    "unit-move": ADMINS,
    "unit-merge": ADMINS,
    "boards": only(*WATCHERS, strangers=403, sent=405),
    "directories": only("admin", strangers=403, sent=405),
    "connect-directory": ADMINS,
    "directories/renew": ADMINS,
    "directories/revoke": ADMINS,
    "groups/propose-unit": ADMINS,
    "directory-accept": only(closed=405, strangers=405, sent=403),
    "add-board": ADMINS,
    "board-take-over": only(closed=403, strangers=403, sent=403),  # the board of tests decides already
    "seat-grant": ADMINS,
    "seats/revoke": ADMINS,
    "files-gone": ADMINS,
    "seat-confirm": only("chair", "deputy_chair", strangers=403, sent=403),  # the admin granted it
    "status": only("admin", strangers=403, sent=405),
    "provider-begun": only(
        closed=403, strangers=403, sent=403, signed_out=403
    ),  # by no provider that is known
    "provider-start": only(closed=302, strangers=302, sent=405, signed_out=403),  # the provider is away
    "provider-answer": only(closed=403, strangers=403, sent=405, signed_out=403),  # to no question
    "provider-sign-out": only(closed=403, strangers=403, sent=405, signed_out=403),
    "provider-signed-out": only(closed=405, strangers=405, sent=400, signed_out=405),
    "provider-our-keys": OPEN,
    "signing-there": only(closed=404, sent=405),  # of a statement that somebody is about to sign
    "signing-go": only(closed=404, sent=405),
    "confirm-there": only(closed=403, strangers=403, sent=405),  # nobody here is linked
    "identity": only("admin", strangers=403, sent=405),
    "event-receivers": only("admin", strangers=403, sent=405),
    "event-receiver": only("admin", strangers=403, sent=405),
    "event-receiver-add": ADMINS,
    "event-receiver-end": ADMINS,
    "event-receiver-test": only(closed=405, strangers=405, sent=403),
    "event-again": only(closed=405, strangers=405, sent=403),
    "identity-reported": ADMINS,
    "identity-reported-decline": only(closed=405, strangers=405, sent=403),
    "identity-add": ADMINS,
    "identity-edit": ADMINS,
    "identity-provider": only("admin", strangers=403, sent=405),
    **dict.fromkeys(
        (
            "identity-local-accounts",
            "identity-break-glass",
            "identity-break-glass-revoke",
            "identity-pair",
            "identity-pair-clear",
            "identity-link-revoke",
            "identity-switch",
            "identity-key",
            "identity-link-for",
        ),
        only(closed=405, strangers=405, sent=403),
    ),
    "account-link": Row(strangers=200, sent=200),
    "account-link-revoke": only(closed=405, strangers=405, sent=404),
    "status-mail": only(closed=405, strangers=405, sent=403),
    "settings": Row(strangers=200, sent=200),
    "calendar-make": only(closed=405, strangers=405, sent=200),
    "calendar-revoke": only(closed=405, strangers=405, sent=302),
    "calendar": only(closed=404, sent=405, signed_out=404),  # a secret that nobody has
    "digest-leave": only(closed=404, signed_out=404),  # likewise
    "notification": only(closed=404, sent=405),  # one's own only; this one is nobody's
    "notifications-read": only(closed=405, strangers=405, sent=302),
    "snooze": only(closed=405, strangers=405, sent=302),
    "next-task": only(closed=302, strangers=302, sent=405),
    "inbox": MEMBERS,
    "search": MEMBERS,
    "portfolio": MEMBERS,
    "portfolio-export": MEMBERS,
    "portfolio-workbook": MEMBERS,
    "view-save": only(closed=405, strangers=405, sent=302),
    "view-delete": only(closed=405, strangers=405),  # one's own only; this one is nobody's
    "similar": only(closed=405, strangers=405, sent=200),  # taken by everybody; changes nothing
    "reviews": MEMBERS,
    "efforts": MEMBERS,
    "decisions": MEMBERS,
    "ideas": only(*BOARD, strangers=403, sent=405),
    "register": Row(strangers=200, sent=200),
    "initiative-stub": MEMBERS,  # an initiative that is not confidential
    "not-similar": WORKERS,
    "found-models": only("admin", "chair", "deputy_chair", strangers=403, sent=405),
    "found-model": only("admin", "chair", "deputy_chair", strangers=403, sent=405),
    "found-models/idea": only("chair", strangers=403, sent=403),
    "found-models/belongs": only("chair", strangers=403, sent=403),
    "found-models/not-ours": only("chair", strangers=403, sent=403),
    "rulebook-load": ADMINS,
    "rulebook-propose": only(closed=405, strangers=405, sent=403),
    "rulebook-changes": Row(strangers=200, sent=405, signed_out=404),
    "rulebook-publish": TRIES,
    "rulebook-drafts": TRIES,
    "rulebook-draft": TRIES,
    "rulebook-draft-text": ADMINS,
    "rulebook-draft-load": only(closed=405, strangers=405, sent=403),
    "rulebook-draft-drop": only(closed=405, strangers=405, sent=403),
    "rulebook-draft-effects": TRIES,
    "rulebook-effects": TRIES,
    "rulebook-forecast": TRIES,
    "rulebook-forecast-progress": TRIES,
    "audit": AUDITORS,
    "audit-entry": AUDITORS,
    "audit-readings": AUDITORS,
    "audit-sign-ins": AUDITORS,
    "audit-rights": AUDITORS,
    "audit-samples": AUDITORS,
    "audit-draw": AUDITS,
    "audit-sample": AUDITORS,
    "audit-drawn": AUDITS,
    "audit-finish": only(closed=405, strangers=405, sent=403),
    "retention": only("admin", "auditor", strangers=403, sent=403),
    "crosswalk": AUDITORS,
    "audit-log": MEMBERS,
    "audit-log-checkpoint": MEMBERS,
    "audit-log-verifier": MEMBERS,
    "audit-log-receipt": only("admin", "auditor", closed=404, sent=405),  # who acted, and auditors
    "audit-log-receipt-file": only("admin", "auditor", closed=404, sent=405),
    "imports": ADMINS,
    "import": ADMINS,
    "import-confirm": ADMINS,
    "imports/discard": ADMINS,
    "imports/undo": only(strangers=403, sent=403),  # nothing of it is live
    "imports-several": ADMINS,
    "import-changes": only(closed=405, strangers=405, sent=403),
    "import-row": ADMINS,
    "initiative": PAGE,
    "initiative-activity": PAGE,
    "business-case": OWNER,
    "take-changes": OWNER,
    "edit": OWNER,
    "propose-tier": OWNER,
    "confirm-tier": only("seat_risk"),
    "refuse-tier": NOT_NOW,  # the tier that is proposed is the confirmed one
    "requirements": PAGE,
    "requirement": PAGE,
    "requirements-several": WORKERS,
    "requirement-draft": POST_ONLY,
    "requirement-accept": POST_ONLY,
    "declaration": PAGE,
    "evidence": PAGE,
    "evidence-item": PAGE,
    "evidence-file": only(
        *TEAM, *BOARD, "auditor"
    ),  # everything but evidence bodies: admins do not read them
    "evidence-look": only(*TEAM, *BOARD, "auditor", sent=405),
    "evidence-content": only(*TEAM, *BOARD, "auditor", sent=405),
    "evidence-add": WORKERS,
    "generate-index": OWNER,
    "evidence/cover": WORKERS,
    "evidence/capture": NOT_NOW,  # not switched on here
    "evidence/withdraw": WORKERS,
    "integration-residency": READ,
    "vendors": MEMBERS,
    "vendor": MEMBERS,
    "add-vendor": only(*TEAM, "seat_risk", "admin", strangers=403, sent=403),
    "vendor-move": MEMBERS,
    "vendors/file-term": TERMS,
    "vendor-terms/change": TERMS,
    "vendor-terms/confirm": TERMS,
    "vendor-terms/withdraw": TERMS,
    "components": MEMBERS,
    "component": MEMBERS,
    "add-component": ADMINS,
    "components/change": ADMINS,
    "declare-evaluation": WORKERS,
    "evaluations/result": WORKERS,
    "evaluations/withdraw": WORKERS,
    "unit-policies": MEMBERS,
    "set-policy": only("admin", "seat_risk", strangers=403, sent=403),
    "policies/change": only("admin", "seat_risk", strangers=403, sent=403),
    "policies/withdraw": only("admin", "seat_risk", strangers=403, sent=403),
    "regions": MEMBERS,
    "add-region": only("admin", "seat_risk", strangers=403, sent=403),
    "contract": PAGE,
    "clauses/name-control": RUNNERS,
    "name-control": RUNNERS,
    "mappings/close": RUNNERS,
    "evidence-verify": only("seat_adoption"),  # the seat that signs for this question
    "evidence-verify-first": only(closed=302, strangers=404, sent=405),  # leads to the first of them
    "record-decision": RUNNERS,
    "architecture/withdraw": RUNNERS,
    "contract-edit": OWNER,
    "clause": PAGE,
    "clause-edit": OWNER,
    "clauses/remove": OWNER,
    "comments/resolve": only("owner", "seat_risk"),
    "contract-changes": READ,
    "discard-draft": OWNER,
    "contract-start": NOT_NOW,  # there are clauses already
    "words/reword": OWNER,
    "words/retire": OWNER,
    "add-word": OWNER,
    "send-contract": OWNER,
    "withdraw-contract": NOT_NOW,  # nothing is with the board
    "contract-approve": only(closed=404),
    "seat-decisions": PAGE,
    "mvp-start": NOT_NOW,  # it is no prototype
    "approvals": READ,
    "approval": PAGE,
    "people": PAGE,
    "roles-to-accept": Row(strangers=200, sent=200),
    "roles/accept": PAGE,
    "role-propose": OWNER,
    "roles/decline": NOT_NOW,  # the person who was asked is not in this table
    "roles/accept-again": NOT_NOW,
    "roles/revoke": OWNER,
    "away": Row(strangers=200, sent=200),
    "absences/end": only("owner", "admin", closed=404),
    "delegations/accept": only("lead", closed=404),
    "delegations/decline": only("lead", closed=404),
    "delegations/ask-another": only("owner", closed=404),
    "handover": only("owner", "admin", closed=404),  # of the owner
    "handovers": Row(strangers=200, sent=200),
    "deployments": PAGE,
    "record-version": RUNNERS,
    "record-scope": RUNNERS,
    "report-change": RUNNERS,
    "changes/complete": RUNNERS,
    "record-dependant": OWNER,
    "dependants/state": PAGE,  # and the executive it names, who is not in this table
    "dependants/decline": NOT_NOW,
    "dependants/close": OWNER,
    "contract-dry-run": only(*TEAM, *BOARD, "auditor", sent=405),  # shows what was asked: not for admins
    "api-access": READ,
    "api-access-try": PAGE,
    "make-key": RUNNERS,
    "pipelines": READ,
    "declare-pipeline": RUNNERS,
    "pipelines/declare-bar": RUNNERS,
    "pipelines/confirm": only("seat_security"),
    "bars/confirm": only("seat_architecture"),
    "pipelines/end": RUNNERS,
    "keys/principal": RUNNERS,
    "keys/rotate": RUNNERS,
    "keys/revoke": RUNNERS,
    "systems": MEMBERS,
    "system": MEMBERS,
    "systems-from-table": ADMINS,
    "describe-system": Row(strangers=200, sent=200),
    "systems/change": SHARED,
    "systems/retire": ADMINS,
    "systems/disown": only(strangers=403, sent=403),  # its owner is not in this table
    "systems/customise": SHARED,
    "customisations/close": SHARED,
    "systems/open-account": SHARED,
    "service-accounts/change": ACCOUNTS,
    "service-accounts/review": ACCOUNTS,
    "service-accounts/close": only("lead", "admin"),
    "integration": READ,
    "declare-alone": OWNER,
    "accept-alone": NOT_NOW,  # nothing of the kind is declared
    "keep-register": WORKERS,
    "link-add": WORKERS,
    "links/change": WORKERS,
    "links/close": WORKERS,
    "link-answer": PAGE,  # and the owner of the system, who is not in this table
    "links/decline": NOT_NOW,
    "accept-source": NOT_NOW,  # the architecture seat is not in this table
    "told": READ,
    "told-one": only(*TEAM, *BOARD, "auditor", sent=405),
    "interactions": READ,
    "interactions-import": RUNNERS,
    "erase-person": only("admin"),
    "take-file-of-a-person": only(),  # a privacy officer, of whom none is in this table
    "name-acts": RUNNERS,
    "promise-performance": RUNNERS,
    "withdraw-promise": RUNNERS,
    "interaction": only(*TEAM, "auditor", sent=405),
    "interaction-file": only(*TEAM, "auditor", sent=405),
    "switch-off": only("owner", "chair"),
    "switch-on": NOT_NOW,  # they are on
    "switch/record-drill": WORKERS,
    "integration-definitions": READ,
    "use-term": WORKERS,
    "term-uses/stop": WORKERS,
    "define": WORKERS,
    "definitions/change": SHARED,
    "definitions/withdraw": SHARED,
    "conflicts/compare": only("steward"),
    "conflicts/reconcile": only("steward"),
    "conflicts/accept": only("steward"),
    "glossary": MEMBERS,
    "glossary-term": MEMBERS,
    "name-term": ADMINS,
    "glossary/change": ADMINS,
    "integration-drills": PAGE,
    "record-drill": WORKERS,
    "drills/withdraw": WORKERS,
    "integration-processes": PAGE,
    "record-process": WORKERS,
    "processes/withdraw": WORKERS,
    "record-sign-on": WORKERS,
    "integration-traces": PAGE,
    "trace-add": WORKERS,
    "trace-sample": PAGE,
    "notes": PAGE,
    "integration-profiles": PAGE,
    "add-profile": WORKERS,
    "integration-profile": PAGE,
    "record-event": only(*TEAM, *BOARD),
    "record-funding": only("owner", "chair"),
    "add-note": only(*TEAM, *BOARD),
    "events/withdraw": only("lead", "chair"),
    "funding/withdraw": only("owner", "chair"),
    "observations/withdraw": only("steward", "chair"),
    "integration-effort": PAGE,
    "effort-import": WORKERS,
    "efforts/withdraw": only("lead", "chair"),
    "stop": only("owner", "chair"),
    "demote": CHAIR,
    "withdraw": NOT_NOW,
    "retire": NOT_NOW,
    "reopen": NOT_NOW,
    "confirm-production": NOT_NOW,
    "continue": NOT_NOW,
    "hold": only(*TEAM, *BOARD),
    "holds/lift": CHAIR,
    "feed-shut": PAGE,  # and the owner of the system, who is not in this table
    "obligations/complete": NOT_NOW,  # a post-mortem is completed by being written and confirmed
    "obligation-excuse": CHAIR,
    "set-day": NOT_NOW,  # its stage was decided here
    "record-gap": only(*TEAM, "chair"),
    "gaps/close": WORKERS,
    "review-open": PAGE,
    "review": READ,
    "review-decide": CHAIR,
    "reviews/return": CHAIR,
    "reviews/withdraw": OWNER,
    "reviews/rebase": OWNER,
    "reviews/ask": only(*BOARD),
    "questions/answer": WORKERS,
    "conditions/meet": OWNER,
    "conditions/reopen": NOT_NOW,  # it is open
    "sign": only("seat_adoption"),
    "sign-off": READ,
    "sign-offs/withdraw": only("seat_adoption"),
    "sign-offs/reply": WORKERS,
    "accepted-risks": PAGE,
    "accepted-risks/agree": only("seat_risk"),
    "accepted-risks/refuse": only("seat_risk"),
    "accepted-risks/review": only("seat_risk"),
    "accepted-risks/end": only("seat_risk"),
    "waivers": PAGE,
    "waivers/agree": only("seat_risk", "chair"),
    "waivers/refuse": only("seat_risk", "chair"),
    "adoption-measurements": MACHINES,
    "adoption-measures": only(closed=401, strangers=401, sent=405, signed_out=401),
    "adoption": READ,
    "measure-declare": OWNER,
    "measurements-import": WORKERS,
    "file-figures": WORKERS,
    "measure": PAGE,
    "measures/move-goal": OWNER,
    "measures/close": OWNER,
    "measurements/correct": WORKERS,
    "insights": MEMBERS,  # counts what each may see
    "insights-flow": MEMBERS,
    "insights-money": MEMBERS,  # costs only for who may read them
    "draw-second-looks": AUDITS,
    "insights-people": MEMBERS,  # what people carry only for who may read it
    "insights-figure": MEMBERS,
    "insights-causes": MEMBERS,
    "meetings": MEMBERS,
    "plan-meeting": only("chair", "deputy_chair", strangers=403, sent=403),
    "meeting": READ,
    "meetings/change": LEADERS,
    "meetings/begin": LEADERS,
    "meetings/close": LEADERS,
    "meetings/call-off": LEADERS,
    "meetings/add-point": LEADERS,
    "meeting-point": LEADERS,
    "meetings/write-attendance": LEADERS,
    "meeting-minutes": PAGE,
    "meeting-pack": only(*BOARD, *WATCHERS),
    "lessons": READ,
    "lessons-answer": PAGE,
    "lessons-all": MEMBERS,
    "lesson": MEMBERS,
    "enter-lesson": only("seat_adoption", "admin", strangers=403, sent=403),
    "lesson-confirm": only(closed=405, strangers=405, sent=403),
    "lessons/take-out": only("seat_adoption", "admin", strangers=403, sent=403),
    "lesson-again": only(closed=405, strangers=405, sent=403),
    "post-mortem-start": PAGE,
    "post-mortem": PAGE,
    "post-mortem-hand-in": PAGE,
    "post-mortem-confirm": PAGE,
    "post-mortem-account": READ,
    "post-mortems/comment": NOT_NOW,  # it is a draft; readers comment while it is in review
    "post-mortems/open-gap": only(*TEAM),
    "post-mortems/attach": only(*TEAM),
    "post-mortem-comment-resolve": only(closed=405, strangers=405),
    "attachment-file": only(*TEAM, *BOARD, "auditor", sent=405),
    "attachment-look": only(*TEAM, *BOARD, "auditor", sent=405),
    "attachment-content": only(closed=(403, 404), sent=405),  # a text is shown in words
    "attachments/take-out": only(*TEAM),
    "adoption-surveys": READ,
    "write-survey": OWNER,
    "survey": READ,
    "surveys/change": only(),  # it is open
    "survey-open": PAGE,
    "survey-links": PAGE,
    "survey-close": PAGE,
    "survey-comments/remove": OWNER,
    "survey-answer": only(closed=404, signed_out=404),  # a link that nobody has
    "survey-thanks": OPEN,
    "incidents": READ,
    "open-incident": only(*TEAM, *BOARD),
    "incident": PAGE,
    "incidents/state": only(*TEAM, *BOARD),
    "incidents/known": only(*TEAM, *BOARD),
    "incidents/parts": only(*TEAM, *BOARD),
    "incidents/clock": only(*TEAM, *BOARD),
    "deadlines/meet": only(*TEAM, *BOARD),
    "incidents/close": only("owner", "support", "chair"),
    "incidents/reopen": only("owner", "support", "chair"),
    "incidents/severity": only("owner", "support", "chair"),
    "incidents/merge": only("owner", "support", "chair"),
    "incidents/clause": OWNER,
    "monitoring": READ,
    "promise-monitoring": RUNNERS,
    "map-alerts": RUNNERS,
    "alert-mappings/close": RUNNERS,
    "alert": READ,
    "reporting-duties": Row(strangers=200, sent=403),
    "report-behaviour": Row(strangers=200, sent=422),  # for everybody who may see the stub of the initiative
    "reports-mine": Row(strangers=200, sent=302),  # one's own
    "open-report-link": only("owner", "support"),
    "close-report-link": only("owner", "support"),
    "report": READ,  # of a problem; who judges the other kinds: tests/app/adoption/reports/test_judging.py
    **dict.fromkeys(
        ("problem/judge-answered", "problem/judge-incident", "problem/judge-behaviour-report"),
        only("owner", "support"),
    ),
    **dict.fromkeys(
        (
            "behaviour-report/judge-answered",
            "behaviour-report/judge-incident",
            "behaviour-report/judge-over",
        ),
        only("chair", "seat_adoption"),
    ),
    **dict.fromkeys(("draft/judge-answered", "draft/judge-incident"), only("owner", "support", "lead")),
    "problem/ask-source": CHAIR,
    "behaviour-report/ask-source": CHAIR,
    "export-audit-log": only("chair", "auditor"),
    "audit-log-exports": Row(strangers=200, sent=403),  # one's own; only auditors ask here
    "audit-log-export": only("auditor", closed=404, sent=405),  # whoever asked for it
    "audit-log-export-progress": only("auditor", closed=404, sent=405),
    "audit-log-export-download": only(closed=405, strangers=405),
    "report-problem": only(closed=404, signed_out=404),  # a link that nobody has
    "reported-problem": only(closed=404, sent=405, signed_out=404),  # likewise
}
