"""The accounts as admins keep them: who can sign in, who was invited and has not answered, people from a table."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance import clock
from governance.audit_log import csv_export
from governance.identity import ways_in
from governance.models import PasswordLink, User
from governance.models.sign_in import INVITATION
from governance.organisation import actions, people_import
from governance.organisation.forms import PeopleForm
from governance.organisation.table_lines import NEW
from governance.people.permissions import may_keep_accounts
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import password_links, sessions
from governance.sign_in.signing import SigningForm
from governance.tables.importing import Look, SentTable, Target, bring_in
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import joined, phrase

PAGE = 50
NO_PASSWORD = Q(password="") | Q(password__startswith="!")  # how Django marks that none was set
SHOW = {
    "": "everybody",
    "unanswered": "invited, not answered",
    "never": "never invited",
    "ended": "account deactivated",
}
HEADING = ("user name", "name", "mail", "unit", "manager", "state")


def people():
    """Return every account with its newest invitation and its count of open browsers."""
    newest = PasswordLink.objects.filter(person=OuterRef("pk"), purpose=INVITATION).order_by("-made_at")
    return (
        User.objects.select_related("unit", "manager")
        .annotate(
            invited_at=Subquery(newest.values("made_at")[:1]),
            invited_until=Subquery(newest.values("expires_at")[:1]),
            invitation_error=Subquery(newest.values("last_error")[:1]),
            browsers=Count("sessions", filter=Q(sessions__expire_date__gt=clock.now())),
        )
        .order_by("full_name", "pk")
    )


def _chosen(request: SignedInRequest):
    show, words = request.GET.get("show", ""), request.GET.get("q", "").strip()[:100]
    show = show if show in SHOW else ""
    rows = people().filter(is_active=show != "ended")
    if show in ("unanswered", "never"):
        rows = rows.filter(NO_PASSWORD, invited_at__isnull=show == "never")
    if words:
        rows = rows.filter(
            Q(full_name__icontains=words) | Q(login__icontains=words) | Q(email__icontains=words)
        )
    return show, words, rows


def state_of(person: User) -> tuple[str, str]:
    """Return the state of an account from `people()` in words, and their tone."""
    if not person.is_active:
        return "account deactivated", ""
    if person.has_usable_password():
        return "can sign in", "ok"
    if person.invited_at is None:
        return "never invited", "warn"
    if person.invitation_error:
        return "invitation not delivered", "bad"
    if person.invited_until <= clock.now():
        return "invitation ended unanswered", "bad"
    return "invited, not answered", "lead"


@require_safe
def listing(request: SignedInRequest) -> HttpResponse:
    """Everybody with the state of their account, and what an admin does about it."""
    may_keep_accounts(request.user).or_refuse()
    show, words, rows = _chosen(request)
    if csv_export.asked(request):
        return _file(request, show, rows)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "units",
        "page": page,
        "rows": [(row, *state_of(row)) for row in page],
        "show": show,
        "shown": SHOW,
        "words": words,
    }
    return render(request, "governance/organisation/accounts.html", context)


def _file(request: SignedInRequest, show: str, rows: QuerySet) -> HttpResponse:
    """Return the accounts of the list as a CSV file. The page that adds people reads it without changes."""
    lines = (
        (
            row.login,
            row.full_name,
            row.email,
            row.unit.code if row.unit else "",
            row.manager.login if row.manager else "",
            state_of(row)[0],
        )
        for row in rows.iterator(500)
    )
    return csv_export.stream("accounts", HEADING, lines, of=SHOW[show], by=request.user)


class PeopleTable(Target):
    """People from a table. All are added at once, or no one."""

    form_class = PeopleForm
    columns = people_import.COLUMNS
    expected = people_import.NEEDED_HEADINGS
    headings = (("Person", ""), ("User name", ""), ("Mail", ""), ("Unit", ""), ("Seat", ""))
    help_template = "governance/organisation/_table_example.html"
    title = "Add people"
    lede = "A table with one person on each line. People who already have an account stay unchanged."

    def __init__(self, by: User, signing: SigningForm):
        self.by, self.back, self.signing = by, reverse("accounts"), signing
        self.seats: list[str] = []
        signing.facts = lambda: {"seats": self.seats}

    def context(self) -> dict:
        """Return the context of the page of a table of people."""
        return {
            "nav": "units",
            "up": "People",
            "help": {
                "columns": [headings[0] for headings in people_import.COLUMNS.values()],
                "needs": (
                    "A name is required, and a user name or an email address. Without a user name, the person "
                    "signs in with the email address. You can leave the other columns empty. Write the "
                    "code or name of a unit in Plumbline. Write the user name, email address or name of a "
                    "manager who is in Plumbline or in the table. A seat needs its board."
                ),
                "example": people_import.EXAMPLE,
            },
        }

    def look(self, sent: SentTable) -> Look:
        """Return the effect of each line."""
        lines = people_import.read(sent.table, by=self.by)
        self.seats = [f"{line.cells['login']}: {line.seat_words}" for line in lines.lines if line.fills_seat]
        self.signature = self.signing if self.seats else None
        return lines.look(
            lambda line: (
                line.cells["full_name"],
                line.cells["login"],
                line.cells["email"] or "none: cannot be invited",
                str(line.unit or line.cells["unit"]),
                line.seat_words,
            )
        )

    def enter(self, sent: SentTable, look: Look) -> str:
        """Add everyone who is new."""
        invite = sent.chosen["invite"]
        lines = actions.add_people(table=sent.table, invite=invite, by=self.by)
        new, seats = lines.of(NEW), sum(line.fills_seat for line in lines.lines)
        said = [
            f"{len(new)} account{'' if len(new) == 1 else 's'} added",
            f"{seats} seat{'' if seats == 1 else 's'} filled",
        ]
        if invite and (invited := sum(bool(line.cells["email"]) for line in new)):
            said.append(f"{invited} invited")
        return f"{', '.join(said)}."


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest) -> HttpResponse:
    """People from a table: read, shown line by line, fixed here, and added all at once or not at all."""
    may_keep_accounts(request.user).or_refuse()
    signing = SigningForm(
        request.POST if request.POST.get("step") == "enter" else None,
        request=request,
        purpose="fill seats from a table",
        act="seat",
    )
    return bring_in(request, PeopleTable(request.user, signing))


@require_POST
def invite(request: SignedInRequest, pk: int) -> HttpResponse:
    """Send one person a link to choose a password, a first one or a new one."""
    may_keep_accounts(request.user).or_refuse()
    person = get_object_or_404(User, pk=pk)
    known = person.has_usable_password()
    try:
        if known:
            password_links.send_reset(person=person, by=request.user)
        else:
            password_links.invite(people=[person], by=request.user)
    except ValidationError as wrong:
        messages.error(request, " ".join(wrong.messages))
    else:
        lasts = (
            "an hour. After using the link, the person cannot approve a higher stage for a day"
            if known
            else "a week"
        )
        messages.success(
            request,
            phrase(
                "{} gets a link to choose a password. The link works for {}.", person, lasts
            ).in_language(),
        )
    return _back(request)


@require_POST
def sign_out(request: SignedInRequest, pk: int) -> HttpResponse:
    """End every session of one person."""
    may_keep_accounts(request.user).or_refuse()
    person = get_object_or_404(User, pk=pk)
    own = request.session.session_key if person == request.user else None
    count = sessions.sign_out(person=person, but=own, by=request.user)
    out, none = phrase("{} is signed out everywhere.", person), phrase("{} has no other sessions.", person)
    go_on = ways_in.go_on(person, EntryKind.SIGNED_OUT_BY_AN_ADMIN, own)
    messages.success(request, joined(out if count else none, go_on).in_language())
    return _back(request)


def _back(request: SignedInRequest) -> HttpResponse:
    show = request.POST.get("show", "")
    return redirect(f"/accounts/?show={show}" if show in SHOW and show else "accounts")
