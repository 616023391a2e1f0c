"""A system that asks before it acts and reports what it did: its key, its two thousand calls, what the two logs say of
each other, a sample, its switch, and what it asked this morning.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from adoption.demo.chapters import Tale
from adoption.demo.people import Company
from governance import clock
from governance.authorization import decision_log, outcome_reports
from governance.authorization.outcome_reports import Sent
from governance.interaction_log import lines, loading
from governance.interaction_log.intake import interactions
from governance.vocabulary import OutcomeKind
from initiatives.contracts.approvals import access_requests
from initiatives.contracts.enforcement import access_request_api, kill_switch, system_keys
from initiatives.contracts.enforcement import api as enforcement_api
from initiatives.contracts.enforcement.decision_cache import Known, known_of
from initiatives.integration.resilience import drills
from initiatives.interactions import actions as interaction_actions
from initiatives.interactions import person_files
from initiatives.interactions.comparison import reconciling
from initiatives.models import ComponentVersion, Initiative, Link, ScopeVersion
from initiatives.portfolio.found_models import looking

TITLE = "Customer summary assistant"
SYSTEM = "Summaries in the CRM"
UNKNOWN_MODEL = "quillwriter-mini-2026-09-01"  # that no initiative declares
FIRST, LAST = 19, 10  # days ago, between which it is used
CONVERSATIONS, CALLS = 400, 5  # two thousand calls: four read notes, the last one writes the summary
UNASKED = 260  # the conversation that ends with a letter which nobody was asked about
MANAGERS = 39  # who use it, beside the one below
LEFT = "account-manager-40"  # who used it twice, and asks later what is held of them
# What its approver is shown.
LETTER = """Dear Ms Keller,

here is what we agreed on last week: the renewal runs for twelve months from January, at the price of this year.
You asked for the two extra seats from February; they are on the offer that comes with this letter.

Your account team"""
# Act, account, and what is said besides: most are allowed, two are not, and one waits.
ASKED: tuple[tuple[str, int, dict[str, object]], ...] = (
    *(("assist", number, {}) for number in (1041, 1042, 1077, 1103, 1104, 1120)),
    ("assist", 1121, {"failure": "source_unavailable"}),
    ("delete_notes", 1041, {}),
    ("pass_on", 1077, {"preview": {"text": LETTER}}),
)
# What came of the calls that were allowed, in their order; of the last ones nothing is reported yet.
CAME = (OutcomeKind.DONE, OutcomeKind.DONE, OutcomeKind.FAILED, OutcomeKind.DONE)
READ = ("the calls of this year", "the letters", "the open offers", "the open invoices")
SAID = (
    "Renewal is due in January.",
    "No offer is open.",
    "An invoice is ten days late.",
    "The branch signs.",
)


@dataclass(frozen=True)
class Use:
    """The initiative as its system knows it: what is answered, the scope in force, the model that runs."""

    known: Known
    scope: ScopeVersion
    model: ComponentVersion

    @classmethod
    def of(cls, initiative: Initiative) -> "Use":
        """As it is now."""
        scope = initiative.scopes.filter(starts_at__isnull=False).latest("starts_at")
        runs = initiative.deployments.filter(version__layer="model").latest("runs_from")
        return cls(known_of(initiative), scope, runs.version)

    def ask(self, act: str, account: int, more: dict | None = None) -> dict:
        """Ask about an act on an account, within the scope in force, and a person if it is denied; the answer."""
        scope = self.scope
        who = {"groups": ["trial_users"], "department": scope.departments[0], "place": scope.places[0]}
        held = {"data_class": scope.data_classes[0]}
        asked = {
            "subject": {"type": "user", "id": "account-manager-7", "properties": who},
            "action": {"name": act},
            "resource": {"type": "account", "id": f"account-{account}", "properties": held},
            "context": {"region": self.model.region, **(more or {})},
        }
        key = self.known.keys[0]
        answer = enforcement_api.decided(self.known, key, asked)
        if denied := answer["context"].get("access_request"):
            denial = {"evaluation_id": answer["context"]["id"]} | {
                name: denied[name] for name in ("expires_at", "binding_token")
            }
            access_request_api.ask_person(
                self.known, key, asked, access_requests.denial_of({"denial": denial})
            )
        return answer


def make_key(tale: Tale, ago: int) -> None:
    """The owner makes the key by which the system asks and reports."""
    with tale.day(ago):
        system_keys.make_key(
            initiative=tale.again(),
            system=SYSTEM,
            scopes=["evaluate", "approvals", "interactions"],
            principal=tale.team.lead,
            expires_at=clock.now() + timedelta(days=180),
            by=tale.team.owner,
        )


def drill_until_it_holds(tale: Tale, ago: int) -> None:
    """The link to Billing is taken away, and nobody is told; two days later it is tried again, and all are told."""
    link = Link.objects.current().get(initiative=tale.initiative, system__name="Billing")
    happened = {
        "fail": "The summary came after forty seconds without a word on invoices, as if none were open.",
        "pass": "After eight seconds the summary came without invoices, and said so in its first line.",
    }
    for place, (result, words) in enumerate(happened.items()):
        with tale.day(ago - 2 * place):
            trace = {"fault": "timeout", "link": str(link), "on": f"{clock.today()}", "seen": words}
            drills.add_drill(
                initiative=tale.again(),
                link=link,
                kind="fallback",
                fault="timeout",
                expected="The summary leaves the invoices out within ten seconds, and says so.",
                happened=words,
                result=result,
                observed_on=clock.today(),
                covers=["int.fallback"],
                file=SimpleUploadedFile("trace.jsonl", json.dumps(trace).encode(), "application/jsonl"),
                by=tale.team.lead,
            )


def two_thousand(tale: Tale) -> None:
    """Two thousand calls of its working days: each summary is asked about first, all but one letter at the end."""
    days = [tale.today - timedelta(days=ago) for ago in range(FIRST, LAST - 1, -1)]
    days = [day for day in days if day.weekday() < 5]
    for place, day in enumerate(days):
        mine = range(place, CONVERSATIONS, len(days))
        _day_of_calls(tale.again(), day, mine)


def _day_of_calls(initiative: Initiative, day: date, numbers: range) -> None:
    """What the system asked and did on one day, as its key sent it in the evening."""
    use, begun, said = Use.of(initiative), clock.midnight_before(day) + timedelta(hours=8), []
    for place, number in enumerate(numbers):
        said += _conversation(use, number, begun + timedelta(hours=9) * place / len(numbers))
    with clock.simulated(begun + timedelta(hours=11)):
        decision_log.decisions.bring_over()
        found, _ = lines.read("\n".join(json.dumps(one) for one in said).encode())
        interactions.keep(
            found,
            initiative=use.known.number,
            key=use.known.keys[0].id,
            decision_of=lambda text: interaction_actions.decision_named(use.known.number, text),
            now=clock.now(),
        )
        bring_interactions()


def bring_interactions() -> None:
    """What came in, also in a file, is brought over as the worker does it."""
    interactions.bring_over()
    loading.loader.bring_orphans(Path(settings.INTERACTIONS_DIR) / "waiting")


def _conversation(use: Use, number: int, at: datetime) -> list[dict]:
    """Five calls about one account; the last one is what the contract speaks of."""
    account, subject = 1041 + number % 180, f"account-manager-{1 + number % MANAGERS}"
    common = {
        "model": use.model.name,
        "version": use.model.version,
        "conversation": f"call-{number}",
        "subject": LEFT if number in (31, 187) else subject,
        "tokens_in": 900 + number,
    }
    rows = []
    for place in range(CALLS - 1):
        source = "Billing" if place == CALLS - 2 else "CRM"
        rows.append(
            common
            | {
                "at": (at + timedelta(seconds=4 * place)).isoformat(),
                "ended": (at + timedelta(seconds=4 * place + 2 + number % 2)).isoformat(),
                "input": f"What do {READ[place]} of account {account} say?",
                "output": SAID[(number + place) % len(SAID)],
                "sources": [{"id": f"{source}: account {account}"}],
            }
        )
    at += timedelta(seconds=20)
    last = {"action": "pass_on", "output": f"The letter to account {account} is sent."}
    if number != UNASKED:
        with clock.simulated(at):
            answer = use.ask("assist", account)
        decision = answer["context"]["id"]
        summary = f"Account {account}: {SAID[number % 4]} {SAID[(number + 1) % 4]}"
        last = {"action": "assist", "decision": decision, "output": summary}
    moments = {"at": at + timedelta(milliseconds=300), "ended": at + timedelta(milliseconds=2300)}
    rows.append(
        common
        | {name: moment.isoformat() for name, moment in moments.items()}
        | {"input": f"Summarise account {account}.", "sources": [{"id": f"CRM: account {account}"}]}
        | last
    )
    return rows


def compared(tale: Tale, ago: int) -> None:
    """The two logs are compared: one letter was sent and nobody was asked. The owner switches the system off."""
    with tale.evening(ago + 1):
        reconciling.reconcile()
    with tale.day(ago):
        kill_switch.switch_off(
            initiative=tale.again(),
            reason="A letter was sent to a customer and nobody was asked. It stays off until the connector asks.",
            by=tale.team.owner,
        )


def handed_out(company: Company, tale: Tale, ago: int) -> None:
    """Somebody who left asked what is held of them: the privacy officer takes the file."""
    with tale.evening(ago):
        person_files.take_file(
            initiative=tale.again(),
            subject=LEFT,
            everywhere=True,
            why="A letter of the person, who named the day on which the account was closed.",
            by=company["privacy"],
        )


def on_again(tale: Tale, ago: int) -> None:
    """The connector asks before it sends: the system is switched on again."""
    with tale.day(ago):
        kill_switch.switch_on(
            initiative=tale.again(),
            reason="The connector has no way to the mail any more but the one that asks. Tried with three letters.",
            by=tale.team.owner,
        )


def this_morning(company: Company) -> None:
    """It asks a morning's requests and reports what came of them; a file of calls names an undeclared model."""
    initiative = Initiative.objects.get(title=TITLE)
    use, allowed = Use.of(initiative), []
    for act, account, more in ASKED:
        answer = use.ask(act, account, more)
        if answer["decision"]:
            allowed.append(answer["context"]["id"])
    for kind, key in zip(CAME, allowed, strict=False):
        outcome_reports.keep(Sent(kind, decision=key), initiative=use.known.number, key=use.known.keys[0].id)
    outcome_reports.beat(key=use.known.keys[0].id)
    decision_log.decisions.bring_over()
    said = [
        {
            "at": (clock.now() - timedelta(days=day, minutes=7)).isoformat(),
            "model": UNKNOWN_MODEL,
            "subject": f"account-manager-{day}",
            "input": f"Summarise account {1041 + day}.",
            "output": SAID[day % 4],
        }
        for day in range(LAST, LAST + 7)
    ]
    interaction_actions.import_file(
        initiative=initiative,
        name="calls of the old connector.jsonl",
        content="\n".join(json.dumps(one) for one in said).encode(),
        by=initiative.roles.get(role="owner", ended_at=None).person,
    )
    bring_interactions()
    looking.look()
    reconciling.reconcile()
