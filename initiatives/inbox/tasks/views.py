"""The page of the inbox: tasks by due day, snoozed tasks, and what is ahead."""

from collections import Counter
from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import User
from governance.notifications import closing
from governance.notifications import inbox as notification_inbox
from governance.notifications.inbox import InboxTask
from governance.people.boards import seats_held
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import in_days
from governance.vocabulary.phrases import DayOfYear, phrase
from governance.web.form_fields import DayField
from initiatives.inbox.tasks import first_steps as inbox_first_steps
from initiatives.lifecycle.access import visibility
from initiatives.lifecycle.initiative.initiative_frame import pick
from initiatives.models import SupportedStagePeriod

BARS, DAYS_A_BAR = 15, 6  # 90 days
MANY = 8  # tasks of a group that are shown at once, and how many may stand above a group that is open
PAGE = 6  # lines of notifications to know: on a phone the inbox is at most 4,000 pixels high


class SnoozeForm(forms.Form):
    """A form that names a task and a day. Without a day, the task comes back."""

    task = forms.CharField(max_length=300)
    until = DayField(required=False)


# The most days until a task is due under a heading. A task without a day is due now.
NOW, SOON = 7, 31
OVERDUE, AT_ONCE, SOON_DUE, LATER = phrase("Overdue"), phrase("Now"), phrase("This month"), phrase("Later")


@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """Show tasks by due day and what there is to know, or next steps if nothing waits."""
    person = request.user
    (tasks, away), to_set_up = notification_inbox.tasks_and_snoozed(person), inbox_first_steps.steps(person)
    news = closing.to_know(person, [*tasks, *(task for task, _ in away)])
    seen = visibility.visible_to(person).own()
    counts = Counter(task.verb for task in tasks if task.verb != "start")
    show = pick(request.GET.get("do"), counts)
    groups = _by_due([task for task in tasks if show in ("", task.verb)])
    known = [_task(task) for task in tasks if task.to_know and show in ("", task.verb)]
    count = sum(task.waits for task in tasks)
    context = {
        "nav": "inbox",
        "groups": groups,
        "known": known,
        "unread": Paginator([] if show else closing.lines_of(news), PAGE).get_page(request.GET.get("page")),
        "shows": [(verb, notification_inbox.VERBS[verb], n) for verb, n in counts.items()]
        if len(counts) > 1
        else [],
        "show": show,
        "snoozed": [_task(task) | {"until": until} for task, until in away],
        "count": count,
        "inbox_count": count,
        "today": clock.today(),
        "setup": to_set_up,
        "setup_next": next((step for step in to_set_up if not step.done and not step.whose), None),
        "steps": [] if groups or known or away or to_set_up else first_steps(person),
        "ageing": _ageing(seen),
    }
    return render(request, "initiatives/inbox/inbox.html", context)


@require_safe
def next_task(request: SignedInRequest) -> HttpResponse:
    """Lead to the person's first task in the order of the inbox, or to the inbox. Those of `after` come first."""
    tasks = [task for task in notification_inbox.tasks_and_snoozed(request.user)[0] if task.waits]
    ordered = [task for group in _grouped(tasks).values() for task in group]
    of_this = [task for task in ordered if task.ref == request.GET.get("after")]
    first = next(iter(of_this or ordered), None)
    return redirect(first.link if first else "inbox")


def _grouped(tasks: list[InboxTask]) -> dict[str, list[InboxTask]]:
    """Return the tasks under the words of their due days, earliest first.

    A task that others wait for is due now, even if its review ends later.
    """
    today = clock.today()
    groups: dict[str, list[InboxTask]] = {words: [] for words in (OVERDUE, AT_ONCE, SOON_DUE, LATER)}
    for task in tasks:
        if task.to_know:
            continue
        left = (task.due - today).days if task.due else 0
        now = task.waited_for or left <= NOW
        name = OVERDUE if left < 0 else AT_ONCE if now else SOON_DUE if left <= SOON else LATER
        groups[name].append(task)
    return groups


def _by_due(tasks: list[InboxTask]) -> list[dict]:
    """Return the groups that the page shows. The first task alone is shown as main."""
    # They come in the order of their verbs: what a system or a board waits for before what only ages.
    shown = [
        {"words": words, "tasks": [_task(task) for task in found]}
        for words, found in _grouped(tasks).items()
        if found
    ]
    above = 0
    for place, group in enumerate(shown):
        group["tasks"][0]["main"] = not place
        group["open"] = not place or (group["words"] != LATER and above <= MANY)
        above += len(group["tasks"])
        group |= {"first": group["tasks"][:MANY], "more": group["tasks"][MANY:]}
    return shown


@require_POST
def snooze(request: SignedInRequest) -> HttpResponse:
    """Snooze a task of the person until a day, or bring the task back."""
    form = SnoozeForm(request.POST)
    if form.is_valid():
        try:
            task = notification_inbox.snooze(
                request.user, form.cleaned_data["task"], form.cleaned_data["until"]
            )
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            until = form.cleaned_data["until"]
            messages.success(
                request,
                phrase("Snoozed until {}: {}.", DayOfYear(until), task.text).in_language()
                if until
                else phrase("Shown again: {}.", task.text).in_language(),
            )
    else:
        messages.error(request, _("The task is not snoozed. Choose a day after today."))
    return redirect("inbox")


def _task(task: InboxTask) -> dict:
    if task.late:
        when = phrase("overdue since {}", DayOfYear(task.due))
    else:
        when = task.when or (
            phrase("by {}, {}", DayOfYear(task.due), _distance(task.due)) if task.due else ""
        )
    return {
        "text": task.text,
        "link": task.link,
        "ref": task.ref,
        "why": task.why,
        "on_behalf": task.on_behalf,
        "due": when,
        "since": "" if task.late else _since(task.since),
        "parts": [
            {"text": part.text, "link": part.link, "why": part.why, "verb": part.button}
            for part in task.parts
        ],
        "late": task.late,
        "verb": task.button,
        "key": task.key if task.may_snooze else "",
        "latest": task.due,
    }


def _since(day: date) -> str:
    return _("since today") if day >= clock.today() else phrase("since {}", DayOfYear(day))


def _distance(day) -> str:
    return in_days(day).partition(" (")[0]


def _ageing(initiatives) -> list[tuple[str, int, bool]]:
    """Return bars of expiring evidence for 90 days: (first day, initiatives, is now)."""
    today = clock.today()
    last = today + timedelta(days=BARS * DAYS_A_BAR - 1)
    ends = (
        SupportedStagePeriod.objects.filter(
            initiative__in=initiatives.values("pk"), next_expiry_on__range=(today, last)
        )
        .values("next_expiry_on")
        .annotate(n=Count("initiative", distinct=True))
        .values_list("next_expiry_on", "n")
    )
    bars = [0] * BARS
    for day, n in ends:
        bars[(day - today).days // DAYS_A_BAR] += n
    if not any(bars):
        return []
    firsts = [today + timedelta(days=place * DAYS_A_BAR) for place in range(BARS)]
    return [
        ("now" if first == today else phrase("{} {}", first.day, f"{first:%b}"), n, first == today)
        for first, n in zip(firsts, bars, strict=True)
    ]


def first_steps(person: User) -> list[InboxTask]:
    """Return steps for an empty inbox by the role of the person, the best step first."""
    register = _step(
        phrase("Register an initiative"),
        reverse("register"),
        "Register",
        phrase(
            "Fill in four fields: a title, a unit, the problem, an owner. You can enter all other details later."
        ),
    )
    look = _step(
        phrase("Open the portfolio"),
        reverse("portfolio"),
        "Open",
        phrase("See all initiatives, their approved stages, and the stages that evidence supports."),
    )
    if person.is_admin:
        accounts = _step(
            phrase("See the accounts"),
            reverse("accounts"),
            "Open",
            phrase("See the people who were invited and have not answered."),
        )
        return [accounts, register, look]
    if person.is_auditor:
        return [
            _step(
                phrase("Open an initiative as it was on an earlier day"),
                reverse("portfolio"),
                phrase("Choose an initiative"),
                phrase(
                    "Choose a day on the page “Activity”. The page shows every act with its reason and its person."
                ),
            ),
            _step(
                phrase("See decisions and the people who made them"),
                reverse("decisions"),
                "Open",
                phrase(
                    "Every decision has its day and its reason. A review keeps its evidence and its sign-offs."
                ),
            ),
            _step(
                phrase("Search the audit log"),
                reverse("audit"),
                "Search",
                phrase("Search every decision and refusal of every initiative, and every change of a row."),
            ),
            _step(
                phrase("Draw a sample of decisions"),
                reverse("audit-draw"),
                "Draw",
                phrase(
                    "The sample contains some decisions of every gate and every seat. Anyone with the same "
                    "seed draws the same sample."
                ),
            ),
            _step(
                phrase("Take a checkpoint of the audit log"),
                reverse("audit-log"),
                "Open",
                phrase(
                    "A checkpoint lets you show later, on a different machine, that no earlier entry was changed."
                ),
            ),
        ]
    if seats_held(person):
        return [
            _step(
                phrase("Read the rulebook"),
                reverse("rulebook"),
                "Read",
                phrase("See what you sign at each gate, and which evidence counts."),
            ),
            _step(
                phrase("See the reviews"),
                reverse("reviews"),
                "Open",
                phrase("See the open reviews and the decisions of your board."),
            ),
        ]
    return [register, look]


def _step(text: str, link: str, button: str, why: str) -> InboxTask:
    return InboxTask("start", text, link, button, why, since=clock.today())
