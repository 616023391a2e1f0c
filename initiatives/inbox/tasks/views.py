"""The inbox: what waits for me by when it is due, what I snoozed, and what lies ahead."""

from collections import Counter
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from governance import clock
from governance.models import Entry, Rulebook, User
from governance.notifications import inbox as notification_inbox
from governance.notifications.inbox import InboxTask
from governance.people.boards import seats_held
from governance.privacy import erasure_log
from governance.runtime.signed_in_request import SignedInRequest
from governance.templatetags.plumbline import in_days
from governance.vocabulary.entry_kinds import EntryKind
from governance.web.form_fields import DayField
from initiatives.inbox.first_month import first_steps as inbox_first_steps
from initiatives.lifecycle.access import permissions as initiative_permissions
from initiatives.lifecycle.activity import entry_wording as activity_entry_wording
from initiatives.lifecycle.activity import timeline
from initiatives.lifecycle.initiative.initiative_frame import pick
from initiatives.models import SupportedStagePeriod

BARS, DAYS_A_BAR = 15, 6  # 90 days
DAYS_BACK = 7
NEWS = 6
LONGEST_NEWS = 120
# The daily work of an initiative, which its own history tells; the inbox tells what somebody decided, opened or ended.
DAILY = (
    EntryKind.ANSWERED,
    EntryKind.APPROVAL_ANSWERED,
    EntryKind.APPROVAL_ASKED,
    EntryKind.APPROVAL_USED,
    EntryKind.EVIDENCE_ADDED,
    EntryKind.EVIDENCE_OFFERED,
    EntryKind.DECLARED,
    EntryKind.ASKED,
    EntryKind.USERS_TOLD,
    EntryKind.DETAILS_CHANGED,
)


class SnoozeForm(forms.Form):
    """Which task, and until when; without a day it comes back."""

    task = forms.CharField(max_length=300)
    until = DayField(required=False)


# What waits goes by its day: (heading, within so many days). What has no day waits now.
NOW, SOON = 7, 31


@require_safe
def inbox(request: SignedInRequest) -> HttpResponse:
    """Everything that waits, grouped by when it is due; a friendly next step where nothing does."""
    person = request.user
    (tasks, away), to_set_up = notification_inbox.tasks_and_snoozed(person), inbox_first_steps.steps(person)
    seen = initiative_permissions.visible_to(person).own()
    counts = Counter(task.verb for task in tasks if task.verb != "start")
    show = pick(request.GET.get("do"), counts)
    groups = _by_due([task for task in tasks if show in ("", task.verb)])
    count = sum(task.waits for task in tasks)
    context = {
        "nav": "inbox",
        "groups": groups,
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
        "steps": [] if groups or away or to_set_up else first_steps(person),
        "ageing": _ageing(seen),
        "news": _news(seen),
    }
    return render(request, "initiatives/inbox/inbox.html", context)


def _by_due(tasks: list[InboxTask]) -> list[dict]:
    """The tasks by when they are due, the earliest first; the first task alone is shown as what to do first.

    What others wait for is for now: the day on which a review ends is no reason to leave it until then. What is
    somebody else's to do comes last.
    """
    today = clock.today()
    groups: dict[str, list[InboxTask]] = {
        "Overdue": [],
        "Now": [],
        "This month": [],
        "Later": [],
        "To know": [],
    }
    for task in tasks:
        left = (task.due - today).days if task.due else 0
        now = task.waited_for or left <= NOW
        name = "Overdue" if left < 0 else "Now" if now else "This month" if left <= SOON else "Later"
        groups["To know" if task.to_know else name].append(task)
    # They come in the order of their verbs: what a system or a board waits for before what only ages.
    shown = [
        {"words": words, "tasks": [_task(task) for task in found]} for words, found in groups.items() if found
    ]
    for place, group in enumerate(shown):
        group["tasks"][0]["main"] = not place and group["words"] != "To know"
        group["open"] = group["words"] not in ("Later", "To know") or not place
    return shown


@require_POST
def snooze(request: SignedInRequest) -> HttpResponse:
    """Keep a task of one's own out of the inbox until a day, or bring it back."""
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
                request, f"Snoozed until {until:%-d %B}: {task.text}." if until else f"Back: {task.text}."
            )
    else:
        messages.error(request, _("Not snoozed: choose a day after today."))
    return redirect("inbox")


def _task(task: InboxTask) -> dict:
    if task.late:
        when = f"overdue since {task.due.day} {task.due:%B}, {_distance(task.due)}"
    else:
        when = task.when or (f"by {task.due.day} {task.due:%B}, {_distance(task.due)}" if task.due else "")
    return {
        "text": task.text,
        "link": task.link,
        "ref": task.ref,
        "why": task.why,
        "on_behalf": task.on_behalf,
        "due": when,
        "late": task.late,
        "verb": task.button,
        "key": task.key if task.may_snooze else "",
        "latest": task.due,
    }


def _distance(day) -> str:
    return in_days(day).partition(" (")[0]


def _ageing(initiatives) -> list[tuple[str, int, bool]]:
    """How often evidence of an initiative goes stale in the next 90 days: (first day of the bar, how often, the first
    one).
    """
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
        ("now" if first == today else f"{first.day} {first:%b}", n, first == today)
        for first, n in zip(firsts, bars, strict=True)
    ]


def _news(initiatives) -> list[dict]:
    """What happened in the last days on initiatives the person may see, newest first."""
    recent = list(
        Entry.objects.acts()
        .filter(at__gte=clock.now() - timedelta(days=DAYS_BACK))
        .exclude(initiative_ref="")
        .exclude(kind__in=[*timeline.PRIVATE, *DAILY])
        .order_by("-at", "-id")
        .values_list("pk", "kind", "initiative_ref", "at", "body__body")[: NEWS * 10]
    )
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return []
    numbers = {ref: int(ref[3:]) for _, _, ref, *_ in recent if ref[3:].isdecimal()}
    titles = dict(initiatives.filter(number__in=set(numbers.values())).values_list("number", "title"))
    shown = [row for row in recent if numbers.get(row[2]) in titles][:NEWS]
    gone = erasure_log.words_for(pk for pk, *_, body in shown if not bytes(body))
    told = []
    for pk, kind, ref, at, body in shown:
        said = {} if pk in gone else Entry.read(body)
        text = gone.get(pk) or activity_entry_wording.sentence(kind, said.get("facts") or {}, rulebook.parsed)
        told.append(
            {
                "at": at,
                "who": said["actor"]["name"] if said else "",
                "text": Truncator(text).chars(LONGEST_NEWS),
                "link": f"/initiatives/{ref}/",
                "link_text": titles[numbers[ref]],
            }
        )
    return told


def first_steps(person: User) -> list[InboxTask]:
    """Where to begin when nothing waits, by what the person is here: the first is the one to take."""
    register = InboxTask(
        "start",
        "Register an initiative",
        reverse("register"),
        "Register",
        "Four fields: a title, a unit, the problem, an owner. Everything else comes later.",
    )
    look = InboxTask(
        "start",
        "Look at the portfolio",
        reverse("portfolio"),
        "Open",
        "Which initiatives there are, their approved stages, and what their evidence supports.",
    )
    if person.is_admin:
        accounts = InboxTask(
            "start", "See the accounts", reverse("accounts"), "Open", "Who was invited and has not answered."
        )
        return [accounts, register, look]
    if person.is_auditor:
        return [
            InboxTask(
                "start",
                "Look at an initiative as it was known on any day",
                reverse("portfolio"),
                "Choose an initiative",
                "Its page Activity goes back to the end of a day, and holds every act with its reason and who did it.",
            ),
            InboxTask(
                "start",
                "See who decided what",
                reverse("decisions"),
                "Open",
                "Every decision with its day and reason; a review keeps the evidence and the sign-offs it rested on.",
            ),
            InboxTask(
                "start",
                "Search the audit log",
                reverse("audit"),
                "Search",
                "Every decision and refusal, of every initiative, and every change of a row.",
            ),
            InboxTask(
                "start",
                "Draw a sample of decisions",
                reverse("audit-draw"),
                "Draw",
                "Some from every gate and seat, by a seed, so that anybody can draw the same again.",
            ),
            InboxTask(
                "start",
                "Take a checkpoint of the audit log",
                reverse("audit-log"),
                "Open",
                "With it you show later, on a machine of your own, that nothing before it was changed.",
            ),
        ]
    if seats_held(person):
        return [
            InboxTask(
                "start",
                "Read the rulebook",
                reverse("rulebook"),
                "Read",
                "What your seat signs at each gate, and what counts as evidence.",
            ),
            InboxTask(
                "start",
                "See the reviews",
                reverse("reviews"),
                "Open",
                "What is before your board, and what it decided.",
            ),
        ]
    return [register, look]
