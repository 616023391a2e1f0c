"""A system that asks: what it was told today, what came of it, and the call that waits for a person."""

from datetime import timedelta

from adoption.demo.people import Company
from governance import clock
from governance.authorization import decision_log, outcome_reports
from governance.authorization.outcome_reports import Sent
from governance.vocabulary import OutcomeKind
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement import system_keys
from initiatives.contracts.enforcement.decision_cache import known_of
from initiatives.models import Initiative

TITLE = "Customer summary assistant"
SYSTEM = "Summaries in the CRM"
# What its approver is shown.
LETTER = """Dear Ms Keller,

here is what we agreed on last week: the renewal runs for twelve months from January, at the price of this year.
You asked for the two extra seats from February; they are on the offer that comes with this letter.

Your account team"""
# Act, account, and what is said besides: most are allowed, two are not, and one waits.
ASKED: tuple[tuple[str, str, dict[str, object]], ...] = (
    *(("assist", f"account-{number}", {}) for number in (1041, 1042, 1077, 1103, 1104, 1120)),
    ("assist", "account-1121", {"failure": "source_unavailable"}),
    ("delete_notes", "account-1041", {}),
    ("pass_on", "account-1077", {"preview": {"text": LETTER}}),
)
# What came of the calls that were allowed, in their order; of the last ones nothing is reported yet.
CAME = (OutcomeKind.DONE, OutcomeKind.DONE, OutcomeKind.FAILED, OutcomeKind.DONE)


def asking(company: Company) -> None:
    """Its key is made, it asks a morning's requests and reports what came of them, and the log has them.

    One act it reports was never asked about.
    """
    initiative = Initiative.objects.get(title=TITLE)
    bound = initiative.scopes.filter(starts_at__isnull=False).latest("starts_at")
    region = initiative.deployments.filter(version__layer="model").latest("runs_from").region
    system_keys.make_key(
        initiative=initiative,
        system=SYSTEM,
        scopes=["evaluate", "approvals"],
        principal=initiative.roles.get(role="technical_lead", ended_at=None).person,
        expires_at=clock.now() + timedelta(days=90),
        by=initiative.roles.get(role="owner", ended_at=None).person,
    )
    known = known_of(initiative)
    who = {"groups": ["trial_users"], "department": bound.departments[0], "place": bound.places[0]}
    allowed = []
    for act, account, more in ASKED:
        evaluation_request = {
            "subject": {"type": "user", "id": "account-manager-7", "properties": who},
            "action": {"name": act},
            "resource": {
                "type": "account",
                "id": account,
                "properties": {"data_class": bound.data_classes[0]},
            },
            "context": {"region": region, **more},
        }
        answer = enforcement_api.decided(known, known.keys[0], evaluation_request)
        if answer["decision"]:
            allowed.append(answer["context"]["id"])
    sent = [Sent(kind, decision=key) for kind, key in zip(CAME, allowed, strict=False)]
    for one in (*sent, Sent(OutcomeKind.DONE, action="assist", at=clock.now())):
        outcome_reports.keep(one, initiative=known.number, key=known.keys[0].id)
    outcome_reports.beat(key=known.keys[0].id)
    decision_log.decisions.bring_over()
