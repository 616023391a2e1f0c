"""The frame of every page of an initiative: stage and goal, supported stage, what stands against it, sections."""

from functools import cached_property

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from governance import clock
from governance.gates import criteria
from governance.models import Rulebook, User
from governance.people.boards import board_for
from governance.permission_result import Answer, no
from governance.sign_in.signing import SigningForm
from governance.templatetags.plumbline import day, lean, stage_word
from governance.transparency_log import as_of
from governance.vocabulary import RUNNING_STAGES, STAGE_RANK, Layer, Role, Stage
from initiatives.contributions import contributed
from initiatives.lifecycle.access import kill_switch_permissions
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.facts import initiative_rows, supported_stage, visible_progress
from initiatives.lifecycle.initiative.act import act
from initiatives.lifecycle.initiative.initiative_sections import sections_of
from initiatives.lifecycle.initiative.stage_judgement import judgement_of_stop
from initiatives.models import Initiative
from initiatives.models.stage_machine import EMERGENCY, REOPENING, STEP_BACK, UNJUDGED, judged

NOT_EVIDENCED = "reported by its source, not evidenced here"
# What a stage is for where the rulebook has no mission for it.
OTHER_GOALS = {
    "proposed": ("Describe it honestly", "Is this worth exploring, among the ideas that wait?"),
    "stopped": ("Keep what was learned", "What did it teach, and what is still due?"),
    "retired": ("Keep the records", "What was learned, and where are its logs and decisions kept?"),
}
UNSUPPORTED_WORDS = {0: "", 1: "one stage short", 2: "two stages short", 3: "three stages short"}
ROLE_OF_INBOX = {"business_owner": "owner"}


# What a chair may do with an initiative: the kind of move, the name of the page, its words. To accept again moves no
# stage.
REATTEST = "reattest"
CHAIR_MOVES = (
    (STEP_BACK, "initiative-step-back", "Demote stage"),
    (REATTEST, "initiative-reattest", "Confirm production again"),
    (EMERGENCY, "initiative-retire", "Retire in an emergency"),
    (REOPENING, "initiative-reopen", "Reopen"),
)
NOT_REOPENED_YET = "It can be reopened once its post-mortem is published"


class WhoMay:
    """What the signed-in person may do on the initiative: one Answer each, asked only when a page uses it."""

    def __init__(self, initiative: Initiative, person: User):
        self.initiative, self.person = initiative, person

    @cached_property
    def roles(self) -> frozenset[str]:
        """Roles in force that the person accepted on the initiative."""
        return initiative_permissions.roles_of(self.initiative, self.person)

    @cached_property
    def owner(self) -> bool:
        """Whether the person owns the initiative, or stands in for its owner."""
        return initiative_permissions.is_owner(self.initiative, self.person)

    @cached_property
    def team_member(self) -> bool:
        """Whether the person works on the initiative or sits on its board: only they are told why a button is
        closed.
        """
        return (
            bool(self.roles)
            or self.owner
            or initiative_permissions.sits_on_board(self.initiative, self.person)
        )

    @cached_property
    def seats(self) -> list[str]:
        """The signing seats the person holds on the initiative's board now."""
        return initiative_permissions.seats_of(self.initiative, self.person)

    @cached_property
    def look_back(self) -> Answer:
        """See the initiative on another day."""
        return initiative_permissions.may_look_back(self.initiative, self.person)

    @cached_property
    def manage(self) -> Answer:
        """Details, contract, dependants: the owner."""
        return initiative_permissions.may_manage(self.initiative, self.person)

    @cached_property
    def describe(self) -> Answer:
        """What it is called, costs and risks: the owner; an admin while an imported one has none."""
        return initiative_permissions.may_describe(self.initiative, self.person)

    @cached_property
    def collaborate(self) -> Answer:
        """Answers and evidence."""
        return initiative_permissions.may_collaborate(self.initiative, self.person)

    @cached_property
    def capture(self) -> Answer:
        """Have a link captured."""
        return initiative_permissions.may_capture(self.initiative, self.person)

    @cached_property
    def change_what_runs(self) -> Answer:
        """Components, scope, changes."""
        return initiative_permissions.may_change_what_runs(self.initiative, self.person)

    @cached_property
    def propose_role(self) -> Answer:
        """Propose somebody for a role."""
        return initiative_permissions.may_propose_role(self.initiative, self.person)

    @cached_property
    def chair(self) -> Answer:
        """Decide on the initiative."""
        return initiative_permissions.may_chair(self.initiative, self.person)

    @cached_property
    def moves(self) -> frozenset[str]:
        """The kinds of moves that the initiative offers the person now; what a review decides is offered on its
        page.
        """
        judgement = judgement_of_stop(self.initiative) if self.initiative.stage == Stage.STOPPED else UNJUDGED
        with judged(self.initiative, judgement):
            return frozenset(
                one.custom["kind"]
                for one in self.initiative.get_available_user_stage_transitions(self.person)
            )

    @cached_property
    def chair_moves(self) -> list[tuple[str, str]]:
        """What the chair may do with the stage of the initiative: addresses with words; "" for what has to wait."""
        if not self.chair:
            return []
        kinds = self.moves | ({REATTEST} if self.initiative.stage == Stage.PRODUCTION else set())
        if self.initiative.stage == Stage.STOPPED and REOPENING not in kinds:
            return [("", NOT_REOPENED_YET)]
        return [
            (reverse(name, args=[self.initiative.ref]), words)
            for kind, name, words in CHAIR_MOVES
            if kind in kinds
        ]

    @cached_property
    def switch(self) -> Answer:
        """Switch its systems off and on, at once."""
        return kill_switch_permissions.may_switch(self.initiative, self.person)

    @cached_property
    def switch_off(self) -> bool:
        """Be offered the switch on the initiative's page: an idea runs no systems yet."""
        return self.initiative.stage != Stage.PROPOSED and bool(self.switch)

    @cached_property
    def add_dependant(self) -> bool:
        """Record who depends on the initiative: of an idea or a prototype nobody may."""
        return self.initiative.stage in (Stage.MVP, Stage.PRODUCTION) and bool(self.manage)

    @cached_property
    def manage_keys(self) -> Answer:
        """Make, rotate and revoke keys of its systems."""
        return initiative_permissions.may_manage_keys(self.initiative, self.person)

    @cached_property
    def read_decision_requests(self) -> Answer:
        """Read what systems asked."""
        return initiative_permissions.may_read_decision_requests(self.initiative, self.person)

    @cached_property
    def withdraw(self) -> Answer:
        """Withdraw an idea registered by mistake."""
        return initiative_permissions.may_withdraw(self.initiative, self.person)

    @cached_property
    def hold(self) -> Answer:
        """Raise a concern."""
        return initiative_permissions.may_hold(self.initiative, self.person)

    @cached_property
    def note(self) -> Answer:
        """Record an event or an observation."""
        return initiative_permissions.may_note(self.initiative, self.person)

    @cached_property
    def fund(self) -> Answer:
        """Record a funding decision."""
        return initiative_permissions.may_fund(self.initiative, self.person)

    @cached_property
    def go_on(self) -> Answer:
        """Let it go on past its age."""
        return initiative_permissions.may_continue(self.initiative, self.person)

    @cached_property
    def confirm_tier(self) -> Answer:
        """Confirm the proposed risk tier."""
        return initiative_permissions.may_confirm_tier(self.initiative, self.person)

    @cached_property
    def open_file(self) -> Answer:
        """Open the files of evidence."""
        return initiative_permissions.may_open_file(self.initiative, self.person)


class WhoMayNot(WhoMay):
    """On another day: nobody may do anything, and nothing lies on the reader's own inbox."""

    roles: frozenset[str] = frozenset()
    moves: frozenset[str] = frozenset()
    owner = team_member = False
    seats: tuple[str, ...] = ()
    manage = collaborate = change_what_runs = propose_role = chair = withdraw = hold = confirm_tier = no(
        "Nothing can be changed on another day.", "Go back to today."
    )
    note = fund = go_on = capture = switch = manage_keys = manage
    look_back = no("This is another day already.")


def who_may(initiative: Initiative, person: User) -> WhoMay:
    """What the person may do on the initiative, on the day that is looked at."""
    return WhoMay(initiative, person) if as_of.current() is None else WhoMayNot(initiative, person)


def initiative_context(request, initiative: Initiative, page: str, *, facts=None) -> dict:
    """The context of a page of the initiative; `page` is the URL name of the page of a section that it belongs to.

    `rulebook` is the rulebook in force: its requirements are asked next. `judged_next` is judged by it, `judged` by the
    version that decides for the initiative.

    Keys: initiative, rulebook, facts, states, judged, judged_next, support, now, today, goal, requirement, has_stage
    (whether it is more than an idea), rests_on (basis in words), supports (the stage its evidence supports, in words,
    or ""), lean, tags, former (names it bore), rooms, banners, sections, may (WhoMay), open_review.
    """
    rulebook, now = Rulebook.objects.current().parsed.at_tier(initiative.tier), clock.now()
    judged = supported_stage.judged(initiative, facts, now)
    judged_next = judged if judged.rulebook == rulebook else criteria.judge(judged.facts, rulebook, now)
    facts, support = judged.facts, judged.support
    may = who_may(initiative, request.user)
    review = next((row for row in initiative_rows.reviews(initiative) if row.is_open), None)
    goal, question = goal_of(initiative, rulebook)
    return {
        "nav": "portfolio",
        "initiative": initiative,
        "rulebook": rulebook,
        "facts": facts,
        "states": judged_next.states,
        "judged": judged,
        "judged_next": judged_next,
        "support": support,
        "now": now,
        "today": clock.local_day(now),
        "goal": goal,
        "question": question,
        "has_stage": initiative.stage != Stage.PROPOSED,
        "rests_on": basis_words(initiative),
        "supports": stage_word(support.supported) if support.supported not in (None, Stage.PROPOSED) else "",
        "lean": "none"
        if initiative.imported and support.unsupported_stages
        else lean(initiative.stage, support.supported),
        "lean_label": lean_words(initiative, support),
        "tags": tags_of(initiative, support),
        "former": [row.title for row in initiative_rows.rows(initiative, "former_titles")],
        "rooms": rooms_of(initiative, judged, review),
        "banners": [one for banners in contributed.banners for one in banners(initiative, judged_next, may)],
        "sections": sections_of(initiative, page, facts, review),
        "may": may,
        "open_review": review,
    }


def banner(tone: str, title: str, text: str, link: str = "", link_text: str = "") -> dict:
    """A banner as the pages of an initiative take it."""
    return {"tone": tone, "title": title, "text": text, "link": link, "link_text": link_text}


def outgrown_banner(initiative) -> list[dict]:
    """That what was shown is older than the integration work since (S1-15): for the pages that look at the
    initiative.
    """
    found = None if initiative.closed else visible_progress.outgrown(initiative.pk)
    if found is None:
        return []
    return [
        banner(
            "warn",
            f"The demo of {day(found.demo)} is older than the integration work since.",
            f"The newest of that work is of {day(found.work)}: what was shown then ran without it.",
            reverse("integration-effort", args=[initiative.ref]),
            "See the work",
        )
    ]


def goal_of(initiative: Initiative, rulebook) -> tuple[str, str]:
    """The mission of the initiative's stage and the question that this stage answers."""
    if initiative.stage in OTHER_GOALS:
        return OTHER_GOALS[initiative.stage]
    rule = rulebook.stages[initiative.stage]
    return rule.goal, rule.question


def basis_words(initiative: Initiative) -> str:
    """What the approved stage rests on: "decided by the Retail board on 1 September", or whatever else it is."""
    on = day(initiative.since)
    if initiative.imported:
        source = f" ({initiative.source_organisation})" if initiative.source_organisation else ""
        return f"{NOT_EVIDENCED}{source}"
    if initiative.basis == "decision":
        board = board_for(initiative.unit)
        return f"decided by the {board.name if board else 'board'} on {on}"
    words = {
        "registered": f"registered on {on}",
        "step back": f"stepped back on {on}",
        "stopped": f"stopped on {on}",
        "emergency": f"retired in an emergency on {on}",
        "reopened": f"reopened on {on}",
    }
    return words.get(initiative.basis, f"since {on}")


def lean_words(initiative: Initiative, support: criteria.Support) -> str:
    """What the plumb says, for people who do not see it."""
    if initiative.imported and support.unsupported_stages:
        return NOT_EVIDENCED
    if initiative.stage not in STAGE_RANK or initiative.stage == Stage.PROPOSED:
        return "no stage yet"
    if support.supports_approved_stage:
        return "on track: evidence supports the stage"
    return f"not supported: {UNSUPPORTED_WORDS[support.unsupported_stages]}"


def tags_of(initiative: Initiative, support: criteria.Support) -> list[tuple[str, str]]:
    """The words in the header of an initiative, each with its tone."""
    tags = [(stage_word(initiative.stage), "lead")]
    if initiative.withdrawn_at:
        tags.append(("withdrawn", "warn"))
    if initiative.imported and support.unsupported_stages:
        tags.append((NOT_EVIDENCED, ""))
    elif support.label:
        supports = stage_word(support.supported) or "no stage"
        tags.append(
            (
                f"not supported: evidence supports {supports}",
                "bad" if support.unsupported_stages > 1 else "warn",
            )
        )
    if support.waived:
        many = "a waiver" if len(support.waived) == 1 else f"{len(support.waived)} waivers"
        tags.append((f"with {many} until {support.waived[0][1]:%-d %B %Y}", "lead"))
    if initiative.tier:
        tags.append((f"{initiative.get_tier_display().lower()} risk", "warn" if initiative.high_risk else ""))
    elif initiative.proposed_tier:
        tags.append((f"{initiative.get_proposed_tier_display().lower()} risk, not yet confirmed", ""))
    if initiative.confidential:
        tags.append(("confidential", ""))
    return tags


def rooms_of(initiative, judged: criteria.Judged, review) -> list[dict]:
    """The stages as rooms: which one is approved, which are supported, where a review is open."""
    rulebook, support = judged.rulebook, judged.support
    held = STAGE_RANK.get(support.supported, 0)
    rooms = []
    for stage in RUNNING_STAGES[1:]:
        approved, tags = initiative.stage == stage, []
        if initiative.stage in STAGE_RANK and held >= STAGE_RANK[stage]:
            tags.append(("approved, evidence supports it" if approved else "evidence supports it", "ok"))
        elif approved:
            gaps = len(criteria.gaps_to(judged, stage))
            more = f", {gaps} gap{'' if gaps == 1 else 's'}" if gaps else ", held" if support.held_by else ""
            tags.append(
                (
                    NOT_EVIDENCED if initiative.imported else f"approved{more}",
                    "" if initiative.imported else "warn",
                )
            )
        room = {
            "word": stage_word(stage),
            "approved": approved,
            "tags": tags,
        }
        if review is not None and rulebook.gates[review.gate].to == stage:
            room |= {"link": review.get_absolute_url(), "link_text": "review open"}
        rooms.append(room)
    last = "stopped" if initiative.stage == Stage.STOPPED else "retired"
    room = {
        "word": stage_word(last),
        "approved": initiative.stage == last,
        "tags": [],
    }
    if review is not None and review.gate == "retire":
        room |= {"link": review.get_absolute_url(), "link_text": "review open"}
    return [*rooms, room]


def who_answers(facts, requirement) -> str:
    """Whose inbox a requirement lies on, by name: "Ravi Menon (technical lead)"."""
    role = ROLE_OF_INBOX.get(requirement.answered_by, requirement.answered_by)
    words = requirement.answered_by.replace("_", " ")
    name = facts.people.get(role)
    if name is not None:
        return f"{name} ({words})"
    owner = facts.people.get("owner")
    if owner is not None:
        return f"{owner} (owner; no {words} has accepted)" if role != Role.OWNER else owner
    return f"the {words} (nobody has accepted yet)"


def on_inbox_of(facts, requirement, may: WhoMay) -> bool:
    """Whether a requirement lies on this person's inbox, or on the owner's where nobody else holds the role."""
    role = ROLE_OF_INBOX.get(requirement.answered_by, requirement.answered_by)
    if role in may.roles:
        return True
    return may.owner and (role == Role.OWNER or role not in facts.people)


def pick(value, known, default=""):
    """The value of a filter when it is one we know; the default otherwise, so that junk in a URL changes nothing."""
    return value if value in known else default


def page_of(request, rows, per: int = 25) -> Page:
    """The page of a list that the query string asks for; junk shows the first, too large the last."""
    return Paginator(rows, per).get_page(request.GET.get("page"))


def sent(request):
    """What a form is bound to: what was posted, an empty post too; None while the page is only looked at."""
    return request.POST if request.method == "POST" else None


def acted(request, form, act):
    """Whether the form was sent, is sound, and its act was done: then what the act returned, or True for nothing.

    What the act found wrong is put on the form, and nothing typed is lost.
    """
    if request.method != "POST" or not form.is_valid():
        return None
    try:
        made = act()
    except ValidationError as error:
        fix(form, error)
        return None
    return made or True


def insist(request, answer: Answer, name: str, initiative: Initiative) -> None:
    """Refuse the page where the answer is no; something sent in vain leaves its entry, as every refused act does."""
    if not answer and request.method == "POST":
        with act(name, by=request.user, initiative=initiative):
            answer.or_refuse()
    answer.or_refuse()


def one_act(request, initiative, form, act, done: str, *, page: str = "initiative", back: str = "", **more):
    """One form, one act, then back to that page of the initiative, or to `back` below it (the name of a URL of the
    initiative).

    What was wrong is put on the form, and nothing typed is lost. `done`: what is said then; empty where `act` says it.
    """
    back = reverse(back or page, args=[initiative.ref])
    if acted(request, form, lambda: act(form.cleaned_data)):
        if done:
            messages.success(request, done)
        return redirect(back)
    return ask(request, initiative, page, form, **{"back_url": back_to(request, back)} | more)


def fix(form, error: ValidationError) -> None:
    """Put what an act found wrong on the form, each message at its field, so that nothing typed is lost."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.error_dict.items():
        form.add_error(name if name in form.fields else None, problems)


def layers_of(rulebook) -> dict[str, str]:
    """The layers of the rulebook with their words, in the order of the stack."""
    return {key: Layer.word(key) for key in rulebook.layers}


def back_to(request, fallback: str) -> str:
    """Where a form leads back to: the `next` it was opened with when that is a page of ours, else `fallback`."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if wanted and own else fallback


def ask(request, initiative: Initiative, page: str, form, **more):
    """A page of the initiative with one form on it: title, what will happen, the fields, one button, a way out.

    Keys of `more`: title, lede, happens, effects (None: not shown), verb, danger, hidden, back_url, template, status.
    """
    status = more.pop("status", form.status if isinstance(form, SigningForm) else 200)
    template = more.pop("template", "initiatives/initiative/initiative_form.html")
    more.setdefault("back_url", back_to(request, initiative.get_absolute_url()))
    more.setdefault("effects", None)
    context = initiative_context(request, initiative, page) | {
        "form": form,
        "frame": "form",
        "happens": [],
        "danger": False,
    }
    return render(request, template, context | more, status=status)
