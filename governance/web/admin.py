"""The Django admin of governance: units, boards, people, seats; what acts and the record own is read-only.

`UnitAdmin`, `MembershipAdmin` and `PersonAdmin` (`admin_people`) are registered above: leaving ends roles on cases, and
moving a unit changes which board decides on them.
"""

from django.contrib import admin
from django.db.models import Q

from governance import clock, models
from governance.organisation import actions as organisation_actions
from governance.web.admin_base import ReadOnly, ReasonForm, Recorded, read_only


def only_own(form, name: str) -> None:
    """Offer only units of this organisation, and the one that stands, where the form has a field of that name."""
    if name in form.fields:
        field = form.fields[name]
        stands = Q(pk=getattr(form.instance, f"{name}_id"))
        field.queryset = models.Unit.objects.filter(Q(pk__in=models.Unit.objects.own()) | stands)
        field.label_from_instance = lambda unit: unit.label
        field.error_messages["invalid_choice"] = (
            "That unit was merged, or came with an imported list and was not taken over; choose another."
        )


class UnitForm(ReasonForm):
    """Name and place of a unit."""

    class Meta:
        model = models.Unit
        fields = ("name", "code", "parent")
        help_texts = {
            "name": "As people call it.",
            "code": "Short, for tables and files, such as sales; it never changes.",
            "parent": "The unit above; empty for the whole organisation.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        only_own(self, "parent")


class UnitAdmin(Recorded):
    """Units as a tree. The code stays; where a unit stands changes by the acts of the app above."""

    subject = "people"
    form = UnitForm
    list_display = ("name", "code", "parent", "path", "merged_into")
    list_filter = (
        ("merged_into", admin.EmptyFieldListFilter),
        ("parent", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("parent", "merged_into")
    search_fields = ("name", "code", "path")
    ordering = ("path",)

    def get_readonly_fields(self, request, obj=None):
        """After it was added only the name changes."""
        return ("code", "parent", "path", "merged_into") if obj else ()

    def add_row(self, cleaned, *, reason, by):
        """As `actions.add_unit`."""
        return organisation_actions.add_unit(
            name=cleaned["name"], code=cleaned["code"], parent=cleaned["parent"], reason=reason, by=by
        )

    def save_model(self, request, obj, form, change):
        """As `actions.add_unit`, or `actions.rename_unit`: nothing else of a unit changes here."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        said = form.cleaned_data
        self.take(
            obj,
            organisation_actions.rename_unit(
                unit=obj, name=said["name"], reason=said["reason"], by=request.user
            ),
        )


class BoardForm(ReasonForm):
    """Name of a board, and the unit it decides for."""

    class Meta:
        model = models.Board
        fields = ("name", "unit")
        help_texts = {
            "unit": "It decides the initiatives of this unit and of every unit below that has no board."
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        only_own(self, "unit")


class SeatsInline(admin.TabularInline):
    """Who sits on the board, to look at."""

    model = models.Membership
    fields = ("seat", "person", "starts_at", "ends_at", "delegate_of")
    readonly_fields = fields
    template = "admin/rows_inline.html"
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None):
        """Seats are filled on their own page."""
        return False

    def has_change_permission(self, request, obj=None):
        """Seats are ended on their own page."""
        return False


@admin.register(models.Board)
class BoardAdmin(Recorded):
    """Boards. The unit stays: it says which cases the board decides."""

    subject = "people"
    form = BoardForm
    inlines = [SeatsInline]
    list_display = ("name", "unit")
    list_filter = (("unit__parent", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("unit",)
    search_fields = ("name", "unit__name")

    def get_inlines(self, request, obj):
        """Seats are filled once there is a board."""
        return self.inlines if obj else []

    def get_readonly_fields(self, request, obj=None):
        """After it was added only the name changes."""
        return ("unit",) if obj else ()

    def add_row(self, cleaned, *, reason, by):
        """As `actions.add_board`."""
        return organisation_actions.add_board(
            name=cleaned["name"], unit=cleaned["unit"], reason=reason, by=by
        )


class MembershipForm(ReasonForm):
    """A person for a seat of a board."""

    class Meta:
        model = models.Membership
        fields = ("board", "seat", "person", "starts_at", "ends_at", "delegate_of")
        help_texts = {
            "starts_at": "Now, unless a later day is agreed.",
            "ends_at": "Empty, until somebody ends it.",
            "delegate_of": "For a deputy only: whose seat the person stands in for.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "person" in self.fields:
            self.fields["person"].queryset = models.User.objects.active()

    def clean(self):
        """Nobody seats themselves; a delegate stands in for the same seat; a term ends after it begins."""
        cleaned = super().clean()
        person, board, seat = (cleaned.get(name) for name in ("person", "board", "seat"))
        if person is not None and person.pk == self.acting_admin.pk:
            self.add_error("person", "Nobody seats themselves. Ask another admin.")
        held_by = cleaned.get("delegate_of")
        if held_by is not None and (held_by.board != board or held_by.seat != seat):
            self.add_error(
                "delegate_of", "A delegate stands in for somebody in the same seat of the same board."
            )
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and clock.local_day(starts) < clock.today():
            self.add_error("starts_at", "No seat begins before the day it is granted. Choose today or later.")
        if starts and ends and ends < starts:
            self.add_error("ends_at", "The seat ends before it begins.")
        if (
            person
            and ends is None
            and models.Membership.objects.filter(
                board=board, person=person, seat=seat, ends_at__isnull=True
            ).exists()
        ):
            self.add_error("person", f"{person} holds this seat already.")
        return cleaned


class MembershipAdmin(Recorded):
    """Seats. One is filled here and never changed; it ends by the act of the app above."""

    subject = "people"
    index_name = "Seats"
    form = MembershipForm
    list_display = ("board", "seat", "person", "starts_at", "ends_at", "delegate_of", "granted_by")
    list_filter = ("board", "seat")
    list_select_related = ("board", "person", "granted_by", "delegate_of__person", "delegate_of__board")
    search_fields = ("person__full_name", "person__login", "board__name")
    date_hierarchy = "starts_at"

    def get_form(self, request, obj=None, **options):
        """The form knows who fills the seat."""
        form = super().get_form(request, obj, **options)
        form.acting_admin = request.user
        return form

    def has_change_permission(self, request, obj=None):
        """A seat that was filled stays as it was filled."""
        return False

    def add_row(self, cleaned, *, reason, by):
        """As `actions.appoint`."""
        names = ("board", "person", "seat", "starts_at", "ends_at", "delegate_of")
        return organisation_actions.appoint(**{name: cleaned[name] for name in names}, reason=reason, by=by)


# What machine and record own.

read_only(
    models.Absence,
    "away",
    list_display=("person", "starts_at", "ends_at", "planned_at"),
    list_filter=("starts_at", ("person__unit", admin.RelatedOnlyFieldListFilter)),
    search_fields=("person__full_name", "person__login"),
    list_select_related=("person",),
    date_hierarchy="starts_at",
)
read_only(
    models.Delegation,
    ("away", "Who stands in"),
    list_display=("absence", "delegate", "membership", "accepted_at", "ended_at"),
    list_filter=("accepted_at", "ended_at", "membership__seat"),
    search_fields=("delegate__full_name", "absence__person__full_name"),
    list_select_related=("absence__person", "delegate", "membership__board", "membership__person"),
)

read_only(
    models.Rulebook,
    "rules",
    list_display=("version", "published_at", "admin", "chair", "digest"),
    list_select_related=("admin", "chair"),
    search_fields=("version", "digest"),
    list_filter=("published_at",),
)
read_only(
    models.Gate,
    "rules",
    list_display=("key", "rulebook", "title", "to_stage", "quorum"),
    list_filter=("rulebook", "to_stage"),
    search_fields=("key", "title"),
    list_select_related=("rulebook",),
)
read_only(
    models.Criterion,
    "rules",
    list_display=("key", "rulebook", "gate_key", "seat", "layer", "severity", "waivable"),
    list_filter=("rulebook", "gate_key", "seat", "layer", "severity"),
    search_fields=("key", "question"),
    list_select_related=("rulebook",),
)
read_only(
    models.Requirement,
    ("rules", "Requirements"),
    list_display=("key", "rulebook", "stage", "layer", "severity", "waivable", "fresh_days"),
    list_filter=("rulebook", "stage", "layer", "severity"),
    search_fields=("key", "question"),
    list_select_related=("rulebook",),
)
read_only(
    models.Contract,
    "contracts",
    list_display=("title",),
    list_filter=("versions__state",),
    search_fields=("title",),
)
read_only(
    models.ContractVersion,
    ("contracts", "Versions of contracts"),
    list_display=("contract", "number", "state", "author", "starts_at", "ends_at"),
    list_filter=("state",),
    search_fields=("contract__title", "author__full_name"),
    list_select_related=("contract", "author"),
)
read_only(
    models.Clause,
    "contracts",
    list_display=("version", "kind", "sentence"),
    list_filter=("kind",),
    search_fields=("sentence", "version__contract__title"),
    list_select_related=("version__contract",),
)
read_only(
    models.ContractApproval,
    ("contracts", "Signatures on contracts"),
    list_display=("version", "seat", "person", "at"),
    list_filter=("seat",),
    search_fields=("person__full_name", "version__contract__title"),
    list_select_related=("version__contract", "person"),
)
read_only(
    models.SnoozedLine,
    ("messages", "Snoozed lines of inboxes"),
    list_display=("person", "line", "until"),
    list_filter=("until",),
    search_fields=("person__full_name", "line"),
    list_select_related=("person",),
)
read_only(
    models.Notice,
    ("messages", "Notifications"),
    list_display=("subject", "person", "kind", "case_ref", "owed_at", "read_at"),
    list_filter=("kind", "owed_at"),
    search_fields=("subject", "person__full_name", "case_ref"),
    list_select_related=("person",),
)
read_only(
    models.Delivery,
    ("messages", "Mails"),
    list_display=("person", "day", "claimed_at", "sent_at", "attempts", "last_error"),
    list_filter=("day", "sent_at"),
    search_fields=("person__full_name",),
    list_select_related=("person",),
)
read_only(
    models.PasswordLink,
    ("messages", "Links for passwords"),
    list_display=(
        "person",
        "purpose",
        "made_by",
        "made_at",
        "expires_at",
        "used_at",
        "sent_at",
        "last_error",
    ),
    list_filter=("purpose", "made_at"),
    search_fields=("person__full_name", "person__login"),
    list_select_related=("person", "made_by"),
    never_shown=("nonce",),
)
read_only(
    models.Pulse,
    "messages",
    list_display=("kind", "name", "started_at", "seen_at"),
    list_filter=("kind",),
    search_fields=("name",),
)
read_only(
    models.TaskRun,
    ("messages", "Tasks"),
    list_display=("name", "done_at", "failed_at", "failed_in_a_row", "reason"),
    list_filter=("failed_at",),
    search_fields=("name", "reason"),
)
read_only(
    models.SignInAttempt,
    ("messages", "Counted tries"),
    list_display=("purpose", "login", "address", "at"),
    list_filter=("purpose", "at"),
    search_fields=("login",),
)


read_only(
    models.LegalHold,
    "record",
    list_display=("case_ref", "person", "reason", "opened_by", "opened_at", "lifted_at"),
    list_filter=("opened_at", "lifted_at"),
    search_fields=("case_ref", "person__full_name", "reason"),
    list_select_related=("person", "opened_by"),
)
read_only(
    models.Checkpoint,
    "record",
    list_display=("id", "size", "at", "origin"),
    list_filter=("at",),
    search_fields=("note",),
)

read_only(
    models.Sample,
    "record",
    list_display=("name", "drawn_by", "drawn_at", "found", "size", "finished_at"),
    list_filter=("drawn_at", "finished_at"),
    search_fields=("name", "purpose"),
    list_select_related=("drawn_by",),
)
read_only(
    models.SampledEntry,
    ("record", "Drawn entries"),
    list_display=("sample", "place", "entry_id", "gate", "seat", "conclusion", "concluded_by"),
    list_filter=("conclusion", "gate", "seat"),
    search_fields=("sample__name", "words"),
    list_select_related=("sample", "concluded_by"),
)


class EntryAdmin(ReadOnly):
    """The record: what happened, who did it, and the words of it."""

    subject = "record"
    list_display = ("id", "kind", "table", "key", "actor_id", "case_ref", "at", "simulated")
    list_filter = ("kind", "table", "simulated", "at")
    search_fields = ("case_ref", "kind", "request_id", "key")
    ordering = ("-id",)
    never_shown = ("digest",)
    readonly_fields = ("words",)

    @admin.display(description="What it says")
    def words(self, entry):
        """The body of the entry, as it was written."""
        return bytes(entry.body.body).decode()


admin.site.register(models.Entry, EntryAdmin)
