"""The desk: what waits for me, and what lies ahead."""

from datetime import timedelta

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from governance import clock
from governance.models import Entry, Rulebook, User
from governance.notices import desk as notice_desk
from governance.notices.desk import Line
from governance.people.boards import seats_held
from governance.privacy import erasure_log
from governance.templatetags.plumbline import in_days
from initiatives.access import permissions as case_permissions
from initiatives.desk import first_steps as desk_first_steps
from initiatives.history import entry_wording as history_entry_wording
from initiatives.history import timeline
from initiatives.models import Span

BARS, DAYS_A_BAR = 15, 6  # 90 days
DAYS_BACK = 7
NEWS = 6
LONGEST_NEWS = 120
# The daily work of a case, which its own history tells; the desk tells what somebody decided, opened or ended.
DAILY = (
    "answered",
    "approval answered",
    "approval asked",
    "approval used",
    "evidence added",
    "evidence offered",
    "declared",
    "asked",
    "users told",
    "details changed",
)


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Everything that waits, grouped by verb; a friendly next step where nothing does."""
    person = request.user
    groups, to_set_up = notice_desk.groups_for(person), desk_first_steps.steps(person)
    seen = case_permissions.visible_to(person)
    count = sum(len(lines) for verb, _, lines in groups if verb != "start")
    context = {
        "nav": "desk",
        "groups": [(verb, words, [_task(line) for line in lines]) for verb, words, lines in groups],
        "count": count,
        "desk_count": count,
        "today": clock.today(),
        "setup": to_set_up,
        "setup_next": next((step for step in to_set_up if not step.done and not step.whose), None),
        "steps": [] if groups or to_set_up else first_steps(person),
        "ageing": _ageing(seen),
        "news": _news(seen),
    }
    return render(request, "initiatives/desk/desk.html", context)


def _task(line: Line) -> dict:
    if line.late:
        when = f"owed since {in_days(line.due)}"
    else:
        when = line.when or (f"by {line.due.day} {line.due:%B}, {_distance(line.due)}" if line.due else "")
    return {
        "text": line.text,
        "link": line.link,
        "ref": line.ref,
        "why": line.why,
        "on_behalf": line.on_behalf,
        "due": when,
        "late": line.late,
        "verb": line.button,
        "main": line.verb in ("approve", "sign", "decide", "write"),
    }


def _distance(day) -> str:
    return in_days(day).partition(" (")[0]


def _ageing(cases) -> list[tuple[str, int, bool]]:
    """How often proof of a case goes stale in the next 90 days: (first day of the bar, how often, the first one)."""
    today = clock.today()
    last = today + timedelta(days=BARS * DAYS_A_BAR - 1)
    ends = (
        Span.objects.filter(initiative__in=cases.values("pk"), next_stale_on__range=(today, last))
        .values("next_stale_on")
        .annotate(n=Count("initiative", distinct=True))
        .values_list("next_stale_on", "n")
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


def _news(cases) -> list[dict]:
    """What happened in the last days on cases the person may see, newest first."""
    recent = list(
        Entry.objects.acts()
        .filter(at__gte=clock.now() - timedelta(days=DAYS_BACK))
        .exclude(case_ref="")
        .exclude(kind__in=[*timeline.PRIVATE, *DAILY])
        .order_by("-at", "-id")
        .values_list("pk", "kind", "case_ref", "at", "body__body")[: NEWS * 10]
    )
    rulebook = Rulebook.objects.in_force()
    if rulebook is None:
        return []
    numbers = {ref: int(ref[3:]) for _, _, ref, *_ in recent if ref[3:].isdecimal()}
    titles = dict(cases.filter(number__in=set(numbers.values())).values_list("number", "title"))
    shown = [row for row in recent if numbers.get(row[2]) in titles][:NEWS]
    gone = erasure_log.words_for(pk for pk, *_, body in shown if not bytes(body))
    told = []
    for pk, kind, ref, at, body in shown:
        said = {} if pk in gone else Entry.read(body)
        text = gone.get(pk) or history_entry_wording.sentence(kind, said.get("facts") or {}, rulebook.book)
        told.append(
            {
                "at": at,
                "who": said["actor"]["name"] if said else "",
                "text": Truncator(text).chars(LONGEST_NEWS),
                "link": f"/cases/{ref}/",
                "link_text": titles[numbers[ref]],
            }
        )
    return told


def first_steps(person: User) -> list[Line]:
    """Where to begin when nothing waits, by what the person is here: the first is the one to take."""
    register = Line(
        "start",
        "Register an initiative",
        reverse("register"),
        "Register",
        "Four fields: a title, a unit, the problem, an owner. Everything else comes later.",
    )
    look = Line(
        "start",
        "Look at the portfolio",
        reverse("portfolio"),
        "Open",
        "Which cases there are, what they claim, and what their proof supports.",
    )
    if person.is_admin:
        accounts = Line(
            "start", "See the accounts", reverse("accounts"), "Open", "Who was invited and has not answered."
        )
        return [accounts, register, look]
    if person.is_auditor:
        return [
            Line(
                "start",
                "Look at a case as it was known on any day",
                reverse("portfolio"),
                "Choose a case",
                "Its tab History goes back to the end of a day, and holds every act with its reason and who did it.",
            ),
            Line(
                "start",
                "See who decided what",
                reverse("decisions"),
                "Open",
                "Every decision with its day and reason; a review keeps the proof and the votes it rested on.",
            ),
            Line(
                "start",
                "Search the record",
                reverse("audit"),
                "Search",
                "Every decision and refusal, of every case, and every change of a row.",
            ),
            Line(
                "start",
                "Draw a sample of decisions",
                reverse("audit-draw"),
                "Draw",
                "Some from every gate and seat, by a seed, so that anybody can draw the same again.",
            ),
            Line(
                "start",
                "Take a checkpoint of the record",
                reverse("record"),
                "Open",
                "With it you show later, on a machine of your own, that nothing before it was changed.",
            ),
        ]
    if seats_held(person):
        return [
            Line(
                "start",
                "Read the rulebook",
                reverse("rulebook"),
                "Read",
                "What your seat signs at each gate, and what counts as proof.",
            ),
            Line(
                "start",
                "See the reviews",
                reverse("reviews"),
                "Open",
                "What is before your board, and what it decided.",
            ),
        ]
    return [register, look]
