"""Every page there is, with somebody who opens it: by the table of addresses, the admin's own, and what refuses.

A new address is opened without anybody adding it here, by the first whom
`tests/acceptance/pages/test_access.py` lets in; one that is no page of its own says below why not.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from adoption.audit_log_export import actions as export_actions
from adoption.demo import artefacts, initiative_acts
from adoption.models import AuditLogExport, SurveyComment
from adoption.postmortems import actions as postmortem_actions
from adoption.postmortems.actions import start
from adoption.postmortems.attachments import attach
from adoption.postmortems.section_comments import comment
from adoption.postmortems.writing import write
from governance import clock
from governance.contracts.templates import STARTERS
from governance.database.row_history import acting
from governance.models import Entry, PasswordLink, User
from governance.notifications import preferences
from governance.organisation.actions import appoint
from governance.sign_in import password_links
from governance.transparency_log import as_of as transparency_log_as_of
from governance.transparency_log import sealing
from governance.vocabulary import ClauseKind
from governance.web.admin_base import Recorded
from governance.web.pages.as_of_views import Day
from initiatives.contracts.approvals import actions as approval_actions
from initiatives.contracts.documents import actions as contract_actions
from initiatives.contracts.enforcement import kill_switch
from initiatives.lifecycle.details import actions as detail_actions
from initiatives.lifecycle.evidence import actions as evidence_actions
from initiatives.lifecycle.holds.actions import open_obligation
from initiatives.lifecycle.holds.deeds import set_day
from initiatives.lifecycle.requirements import standalone
from initiatives.lifecycle.reviews import actions as review_actions
from initiatives.lifecycle.stages import actions as stage_actions
from initiatives.models import FileCheck, Initiative, Review
from initiatives.portfolio.imports.inventories import actions as inventory_actions
from tests.acceptance.pages.test_access import address
from tests.app.adoption.postmortems.test_postmortems import LESSON, WHOLE
from tests.support import factories
from tests.support.browser.page_states import NO_PAGE, OWN
from tests.support.initiatives import answered_surveys
from tests.support.initiatives.imported_portfolio import give_owner, make_portfolio
from tests.support.web.access_table import TABLE

AGE = timedelta(
    days=200
)  # of the organisation: its oldest prototype is past the end that somebody has to decide on

# What the suite looks at: a page of each kind. The drills look at all.
MAIN = {
    "inbox",
    "portfolio",
    "board",
    "insights-money",
    "insights",
    "meeting",
    "register",
    "roles-to-accept",
    "seat-decisions",
    "mvp-start",
    "initiative-review",
    "requirements",
    "declaration",
    "evidence",
    "evidence-document",
    "contract-edit",
    "api-access",
    "systems",
    "integration",
    "interactions",
    "clause-approval",
    "activity-page",
    "post-mortem",
    "survey-answer",
    "incident",
    "report-problem",
    "audit-log-export-ready",
    "review-unsigned",
    "sign-value",
    "decide-conditions",
    "ideas-compared",
    "search-found",
    "status",
    "audit-log",
    "sign-in",
    "admin-index",
    "admin-governance_board_change",
}

# Templates that none of these pages shows, and where they are looked at.
SHOWN_ELSEWHERE = {
    "governance/sign_in/first_admin.html": "tests/acceptance/browser/test_first_hour.py",
    "governance/pages/rulebook_none.html": "tests/acceptance/browser/test_first_hour.py",
    "initiatives/rulebook_changes/forecast_wait.html": "tests/acceptance/rulebook/test_forecast_views.py",
    "initiatives/rulebook_changes/_forecast_progress.html": (
        "tests/acceptance/rulebook/test_forecast_views.py"
    ),
    "trouble.html": "tests/app/governance/web/test_error_pages.py",
}


@dataclass(frozen=True)
class Page:
    """One page: its name, who opens it (None: nobody signed in), where, and what it answers."""

    name: str
    who: User | None
    address: str
    status: int = 200


@dataclass
class Scene:
    """The organisation in which every page has something to show."""

    world: dict  # the one of everything of tests/acceptance/pages/test_access.py, and what `OWN` names
    review: Review  # a trial before its production gate: everything met, all have signed but the value seat
    more: list[Page]  # further states of pages that are opened already
    through: dict[str, str]  # by name of an address: the other one that leads to it


def set_the_scene(cast, world: dict, overdue: Initiative) -> Scene:
    """What the one of everything lacks: initiatives in the other states, and whoever is asked something."""
    trial = factories.make_mvp(cast, title="Trial before its last gate")
    initiative_acts.ground_gate(trial, "production", cast.team)
    review = review_actions.open_review(initiative=initiative_acts.fresh(trial), by=cast.owner)
    initiative_acts.sign_offs(review, cast.team, [seat for seat in cast.seats if seat != "business_value"])
    contract_actions.save_contract(
        initiative=initiative_acts.fresh(trial), clauses=initiative_acts.CLAUSES[::-1], by=cast.owner
    )
    contract_actions.propose_contract(initiative=initiative_acts.fresh(trial), by=cast.owner)
    document = trial.evidence.filter(kind="document").first()
    day_of_log = evidence_actions.add_evidence(
        initiative=initiative_acts.fresh(trial),
        kind="log_sample",
        title="A day of its log",
        observed_on=clock.today(),
        covers=["mvp.observability"],
        result="pass",
        file=SimpleUploadedFile("day.csv", b"When,Asked by,Answer\n09:12,Dana,Summary of four notes\n"),
        by=cast.owner,
    )
    gone = evidence_actions.add_evidence(
        initiative=initiative_acts.fresh(trial),
        kind="document",
        title="A paper that storage lost",
        observed_on=clock.today(),
        covers=["mvp.risk"],
        file=artefacts.pdf("Lost"),
        by=cast.owner,
    )
    gone.file.storage.delete(gone.file.name)
    FileCheck.objects.update_or_create(
        only=True, defaults={"at": clock.now(), "looked": 20, "gone": [document.pk, gone.pk]}
    )
    idea = factories.make_initiative(cast, title="Invoice matching")
    standalone.declare(initiative=idea, reason="Invoices are typed in and read out.", by=cast.owner)
    begun = factories.make_initiative(cast, title="Invoices and orders")
    starter = STARTERS["match"]
    contract_actions.save_contract(
        initiative=begun,
        clauses=[contract_actions.Written(one.kind, terms=one.terms) for one in starter.clauses],
        vocabulary=list(starter.vocabulary),
        by=cast.owner,
    )
    running = factories.make_production(cast, title="Reply drafts")
    with acting(system="test", reason="Other states"):
        obligation = open_obligation(
            running,
            "criterion",
            source="production.mvp_goals:test",
            text="Due",
            due=clock.today(),
            responsible=cast.owner,
        )
    kill_switch.switch_off(initiative=overdue, reason="It answered in the wrong tone.", by=cast.owner)
    stopped = factories.make_prototype(cast, title="Speech to text")
    stopped = stage_actions.stop(
        initiative=stopped, reason_code="no_value", reason="Nobody listened to it.", by=cast.owner
    )
    account = start(obligation=stopped.obligations.get(kind="post_mortem"), by=cast.owner)
    account = write(post_mortem=account, lessons=[LESSON], by=cast.owner, **WHOLE)
    log = ContentFile(b"12:00 nothing came back\n", "log.txt")
    attach(post_mortem=account, title="The log", file=log, by=cast.owner)
    lost = attach(
        post_mortem=account, title="A lost log", file=ContentFile(b"Lost\n", "lost.txt"), by=cast.owner
    )
    lost.file.storage.delete(lost.file.name)
    account = postmortem_actions.hand_in(post_mortem=account, version=account.version, by=cast.owner)
    comment(post_mortem=account, section="impact", text="Which two teams?", by=cast.seat_risk)
    told = factories.make_prototype(cast, title="Store answers")
    told = stage_actions.stop(
        initiative=told, reason_code="no_value", reason="Nobody asked it.", by=cast.owner
    )
    published = factories.make_written(
        told.obligations.get(kind="post_mortem"), by=cast.owner, confirmed_by=cast.seat_adoption
    )
    answers = [("Claims north", 3 + n % 4) for n in range(7)] + [("Claims south", 2), ("Claims south", 6)]
    answered = answered_surveys.closed(cast, running, answers, sets=["load", "useful", "why"])
    SurveyComment.objects.create(
        survey=answered, text="It saves me the first draft, and I still check the sums."
    )
    few = answered_surveys.closed(cast, begun, [("Claims north", 3)])
    draft_survey = answered_surveys.make_survey(cast, trial)
    invited = answered_surveys.opened(cast, overdue, sets=["load", "useful", "why", "undo", "around"])[1]
    batch = inventory_actions.upload_batch(
        content=b"Name,Phase,Owner\nCrater finder,Trial,Somebody\n",
        file_name="own.csv",
        source="acme",
        organisation="Acme",
        by=cast.admin,
    )
    imported, dated = make_portfolio(cast, titles=("Letter sorter", "Shift planner"))[-2:]
    give_owner(cast, dated, cast.owner)
    set_day(initiative=dated, due=clock.today() + timedelta(days=90), by=cast.owner)
    calls = approvals_of(cast, running)
    password_links.ask_reset(name=cast.lead.login)
    asked = PasswordLink.objects.get(person=cast.lead)
    detail_actions.propose_tier(
        initiative=initiative_acts.fresh(idea),
        tier="high",
        worst_credible_harm="Money is lost.",
        by=cast.owner,
    )
    sealing.seal()
    then = Day.of(transparency_log_as_of.known_until().replace(microsecond=0)).asked
    held = initiative_acts.fresh(trial).roles.in_force().filter(person=cast.lead).first()
    about = {
        "idea": idea.ref,
        "trial": trial.ref,
        "production": running.ref,
        "stopped": stopped.ref,
        "overdue": overdue.ref,
        "begun": begun.ref,
        "held": held.pk,
        "report": trial.evidence.filter(coverage__requirement="layer.policy").latest("pk").pk,
        "layer": "layer.policy",
        "obligation": obligation.pk,
        "handed_in": account.pk,
        "draft-survey": draft_survey.pk,
        "invited": invited["Claims north"][0].split("/")[2],
        "leaving": preferences.leave_token(cast.owner),
        "imported": imported.ref,
        "imported-dated": dated.ref,
    }
    today = clock.today()
    AuditLogExport.objects.filter(by=cast.auditor).update(state="failed", trouble="The disk is full.")
    export_ready = export_actions.ask_export(period=(today, today), by=cast.auditor)
    export_actions.prepare(export_ready.pk)
    newcomer = factories.make_person("just-seated")
    appoint(board=cast.board, person=newcomer, seat="business_value", by=cast.admin)
    initiative, of_review = trial.get_absolute_url(), review.get_absolute_url()
    as_of, long_ago = f"?as_of={then}", clock.today() - AGE / 2
    sign_off = Entry.objects.filter(kind="signed off").latest("pk").pk
    more = [
        Page("first-admin-ended", None, "/first-admin/1.forged~key/", 404),
        Page("password-link-ended", None, reverse("password-set"), 404),
        Page("audit-log-export-ready", cast.auditor, export_ready.get_absolute_url()),
        Page("report-nothing", None, reverse("report-problem", args=["nobody-has-this"]), 404),
        Page("password-reset-sent", None, "/password/forgotten/?sent=yes"),
        Page("help-outside", None, "/help/"),
        Page("words-outside", None, "/help/glossary/"),
        Page("inbox-lead", cast.lead, "/"),
        Page("inbox-seat", cast.seat_value, "/"),
        Page("inbox-chair", cast.chair, "/"),
        Page("inbox-admin", cast.admin, "/"),
        Page("inbox-executive", cast.second_admin, "/"),
        Page("inbox-empty", cast.outsider, "/"),
        Page("portfolio-empty", cast.outsider, "/initiatives/"),
        Page("board", cast.owner, "/initiatives/?view=board"),
        Page("portfolio-none", cast.owner, "/initiatives/?q=nothing-like-this"),
        Page("portfolio-as-of", cast.auditor, f"/initiatives/{as_of}"),
        Page("insights-as-of", cast.auditor, f"/insights/{as_of}"),
        Page("insights-empty", cast.outsider, "/insights/"),
        Page("meetings-none", cast.outsider, "/meetings/"),
        Page("initiative-judgement", cast.owner, f"{initiative}?by=judgement"),
        Page("initiative-as-of", cast.owner, f"{initiative}{as_of}"),
        Page("initiative-review", cast.owner, initiative),
        Page("initiative-idea", cast.owner, idea.get_absolute_url()),
        Page("initiative-production", cast.owner, running.get_absolute_url()),
        Page("initiative-stopped", cast.owner, stopped.get_absolute_url()),
        Page("initiative-overdue", cast.chair, overdue.get_absolute_url()),
        Page("requirements-overdue", cast.owner, f"{overdue.get_absolute_url()}requirements/"),
        Page("requirements-idea", cast.owner, f"{idea.get_absolute_url()}requirements/"),
        Page("requirement-idea", cast.owner, f"{idea.get_absolute_url()}requirements/proto.scope/"),
        Page("requirements-read", cast.seat_risk, f"{initiative}requirements/"),
        Page("compared", cast.auditor, f"{overdue.get_absolute_url()}activity/?one={long_ago}"),
        Page("contract-none", cast.owner, f"{idea.get_absolute_url()}contract/"),
        Page("contract-proposed", cast.seat_risk, f"{initiative}contract/"),
        Page("contract-mapped", cast.owner, f"{initiative}contract/?version=1"),
        Page("contract-as-of", cast.owner, f"{initiative}contract/{as_of}"),
        Page("evidence-report", cast.owner, f"{initiative}evidence/{about['report']}/"),
        Page("contract-first", cast.owner, f"{idea.get_absolute_url()}contract/edit/"),
        Page("approvals-none", cast.owner, f"{initiative}approvals/"),
        Page("approvals-seen-by-board", cast.seat_risk, f"{running.get_absolute_url()}approvals/"),
        Page("approvals-refused", cast.owner, f"{running.get_absolute_url()}approvals/?outcome=refused"),
        Page("approval-half", cast.support, calls["half"].get_absolute_url()),
        Page("approval-refused", cast.owner, calls["refused"].get_absolute_url()),
        Page("approval-nobody", cast.owner, calls["nobody"].get_absolute_url()),
        Page("contract-begun", cast.owner, reverse("contract-edit", args=[begun.ref])),
        Page("contract-gaps", cast.owner, reverse("contract", args=[begun.ref])),
        *(
            Page(
                f"clause-new-{kind}",
                cast.owner,
                reverse("clause-edit", args=[begun.ref, "new"]) + f"?kind={kind}",
            )
            for kind in ClauseKind
        ),
        Page("clause-approval", cast.owner, reverse("clause-edit", args=[begun.ref, 4])),
        Page("evidence-of-kind", cast.owner, f"{initiative}evidence/add/?kind=document"),
        Page("evidence-clause", cast.owner, f"{initiative}evidence/add/?kind=contract_clause"),
        Page("evidence-document", cast.owner, f"{initiative}evidence/{document.pk}/"),
        Page("evidence-table", cast.owner, f"{initiative}evidence/{day_of_log.pk}/look/"),
        Page("evidence-lost", cast.owner, f"{initiative}evidence/{gone.pk}/file/", 404),
        Page("attachment-lost", cast.owner, reverse("attachment-file", args=[lost.pk]), 404),
        Page("feed-shut-open", cast.second_admin, address("feed-shut", world)),
        Page("inbox-first-day", newcomer, "/"),
        Page("review-first-day", newcomer, of_review),
        Page("api-access-none", cast.owner, f"{idea.get_absolute_url()}api-access/"),
        Page("api-access-off", cast.owner, f"{overdue.get_absolute_url()}api-access/"),
        Page("told-none", cast.owner, f"{initiative}decisions/"),
        Page("interactions-none", cast.owner, f"{idea.get_absolute_url()}interactions/"),
        Page("interactions-nothing-like-it", cast.owner, f"{address('interactions', world)}?model=nothing"),
        Page("told-admin", cast.admin, address("told", world)),
        Page("told-nothing-like-it", cast.owner, f"{address('told', world)}?action=nothing"),
        Page(
            "dry-run-today",
            cast.owner,
            f"{address('contract-dry-run', world)}?since={clock.today()}&until={clock.today()}",
        ),
        Page("activity-page", cast.owner, f"{initiative}activity/"),
        Page("lessons-stopped", cast.owner, f"{stopped.get_absolute_url()}lessons/"),
        Page("lessons-published", cast.outsider, f"{told.get_absolute_url()}lessons/"),
        Page("account-published", cast.outsider, reverse("post-mortem-account", args=[published.pk])),
        Page("post-mortem-published", cast.owner, reverse("post-mortem", args=[published.pk])),
        Page("post-mortem-in-review", cast.seat_adoption, reverse("post-mortem", args=[account.pk])),
        Page("post-mortem-confirming", cast.seat_adoption, reverse("post-mortem-confirm", args=[account.pk])),
        Page("surveys-trend", cast.owner, reverse("adoption-surveys", args=[running.ref])),
        Page("surveys-none", cast.owner, reverse("adoption-surveys", args=[idea.ref])),
        Page("survey-closed", cast.owner, reverse("survey", args=[answered.pk])),
        Page("survey-insufficient", cast.chair, reverse("survey", args=[few.pk])),
        Page("survey-draft", cast.owner, reverse("survey", args=[draft_survey.pk])),
        Page("survey-open-draft", cast.owner, reverse("survey-open", args=[draft_survey.pk])),
        Page("survey-answer-german", None, reverse("survey-answer", args=[about["invited"]]) + "?lang=de"),
        Page("survey-nothing", None, "/survey/2222-2222-2222-2222/", 404),
        Page("dependant-executive", cast.second_admin, address("dependants/state", world)),
        Page(
            "report-behaviour-judged",
            cast.chair,
            reverse("report", args=["behaviour-report", world["behaviour-report"]]),
        ),
        Page("report-draft", cast.lead, reverse("report", args=["draft", world["draft"]])),
        Page("role-asked", cast.second_admin, address("roles/accept", world)),
        Page("review-unsigned", cast.seat_value, of_review),
        Page("sign-value", cast.seat_value, f"{of_review}sign/business_value/"),
        Page("sign-object", cast.seat_value, f"{of_review}sign/business_value/?verdict=object"),
        Page(
            "sign-condition",
            cast.seat_value,
            f"{of_review}sign/business_value/?verdict=approve_with_condition",
        ),
        Page("decide-conditions", cast.chair, f"{of_review}decide/?outcome=approved_with_conditions"),
        Page("decide-refused", cast.chair, f"{of_review}decide/?outcome=refused"),
        Page("ideas-compared", cast.chair, f"/ideas/?initiative={idea.ref}"),
        Page("search-found", cast.owner, "/search/?q=cust+ma"),
        Page("search-none", cast.owner, "/search/?q=zzzz"),
        Page("search-all", cast.owner, "/search/?q=lindq"),
        Page("search-evidence", cast.owner, f"/search/?q={document.title.split()[0]}&in=evidence"),
        Page("import-mapping", cast.admin, reverse("import", args=[batch.pk])),
        Page("receipt-of-mine", cast.seat_risk, _receipt(cast.seat_risk)),
        Page("entry-of-sign_off", cast.auditor, f"/audit/entries/{sign_off}/"),
        Page("audit-found", cast.auditor, "/audit/?q=approve"),
        Page("audit-framework", cast.auditor, "/audit/frameworks/?framework=soc2&reference=CC3.1"),
        Page("nothing-then", cast.owner, f"{idea.get_absolute_url()}?as_of=2001-01-01", 404),
        Page("no-such-day", cast.owner, f"{initiative}?as_of=someday", 400),
        Page("not-on-another-day", cast.owner, f"/settings/{as_of}", 400),
        Page("closed-404", cast.owner, "/nowhere/", 404),
        Page("closed-404-outside", None, "/digest/leave/nobody/", 404),
        Page("closed-403", cast.owner, f"{initiative}step-back/", 403),
        Page("closed-400", cast.owner, "/search/?q=%00", 400),
    ]
    through = {"password-set": reverse("password-link", args=[password_links.token_of(asked)])}
    return Scene(world | about, review, more, through)


def approvals_of(cast, initiative: Initiative) -> dict:
    """Calls of an initiative in every state, with as much in one as a call may hold; answered as nobody should."""
    key = factories.make_key(
        cast, initiative, principal=cast.lead, system="Reply drafts with a long name for a narrow screen"
    )[0]
    everything = {
        "amount": 1_250_000,
        "currency": "EUR",
        "to": {"name": "Aurélie Ngo", "address": {"lines": ["12 Long Street", "Utrecht"], "checked": True}},
        "text": "Dear customer,\n" + "we looked at it and will pay back what you paid. " * 12,
        "hidden": "pay\u202e only",
        "token": "a" * 90,
        "none": None,
    }
    letter = "Dear customer,\n\n" + "We looked at it and will pay back what you paid.\n" * 60 + "w" * 120
    asked = {}
    for name, more in (
        ("half", {"four_eyes": True}),
        ("refused", {}),
        (
            "nobody",
            {
                "evaluation_request": factories.make_evaluation_request(
                    subject={"type": "user", "id": "owner"}
                )
            },
        ),
    ):
        shown = (
            {"link": "https://files.example.org/letters/" + "7" * 90}
            if name == "refused"
            else {"text": letter}
        )
        evaluation_request = factories.make_evaluation_request(
            action={"name": "send_reply", "properties": everything | {"of": name}},
            context={"channel": "mail", "preview": shown},
        )
        approvers = ("owner",) if name == "nobody" else ("support_owner", "owner")
        asked[name] = factories.make_request(
            initiative, key, **{"evaluation_request": evaluation_request, "approvers": approvers} | more
        )
    answers = [(asked["half"], cast.owner, "approve"), (asked["refused"], cast.owner, "refuse")]
    for number in range(20):
        evaluation_request = factories.make_evaluation_request(context={"number": number})
        answers.append(
            (
                factories.make_request(initiative, key, evaluation_request=evaluation_request),
                cast.support,
                "approve",
            )
        )
    for request, person, verdict in answers:
        approval_actions.answer_approval(
            request=request,
            verdict=verdict,
            digest=request.arguments_digest,
            reason="Twice the amount that was agreed." if verdict == "refuse" else "",
            opened_at=clock.now(),
            by=person,
        )
    return asked


def _receipt(person: User) -> str:
    entry = Entry.objects.filter(kind="signed off", actor_id=person.pk).latest("pk")
    return reverse("audit-log-receipt", args=[entry.pk])


def names_of_pages() -> list[str]:
    """The names of all addresses that answer with a page to somebody."""
    return [name for name, row in TABLE.items() if row.read and name not in NO_PAGE]


def pages_of(scene: Scene, cast) -> list[Page]:
    """Every page of ours: each address that answers with one, then the further states."""
    found = []
    for name in names_of_pages():
        who, about = OWN.get(name) or (TABLE[name].opens[0], {})
        world = scene.world | {part: scene.world[key] for part, key in about.items()}
        place = scene.through.get(name) or address(name, world)
        found.append(Page(name, getattr(cast, who) if who else None, place))
    return found + scene.more


def pages_of_the_admin(cast) -> list[Page]:
    """Every page of the Django admin with a row to show: index, apps, lists, forms, history, and a delete refused."""
    found = [Page("admin-index", cast.admin, reverse("admin:index"))]
    found += [
        Page(f"admin-app-{app}", cast.admin, reverse("admin:app_list", args=[app]))
        for app in sorted({model._meta.app_label for model in admin.site._registry})
    ]
    for model, model_admin in admin.site._registry.items():
        row = model._default_manager.order_by("-pk").first()
        for name in filter(None, (pattern.name for pattern in model_admin.get_urls())):
            end = name.rpartition("_")[2]
            if end == "delete" or (end == "add" and not isinstance(model_admin, Recorded)):
                continue
            if end in ("changelist", "add"):
                about = []
            elif row is None:
                continue
            else:
                about = [row.pk, row.history.first().pk] if name.endswith("_simple_history") else [row.pk]
            found.append(Page(f"admin-{name}", cast.admin, reverse(f"admin:{name}", args=about)))
    delete = reverse("admin:governance_board_delete", args=[cast.board.pk])
    return [*found, Page("admin-delete-refused", cast.admin, delete, 403)]
