"""The administration: one table of its models, in the order of its index.

Admins keep accounts, names of boards, and reporting duties here. All other rows are read-only here and change on their
own pages. A model is in the table if admins look for its rows across all initiatives and no page lists them so.
"""

from django.contrib import admin

from adoption.incidents import reporting_clocks
from adoption.models import AuditLogExport, ReportingDuty
from governance import models as governance
from governance.web.admin_base import ReadOnly, ReasonForm, Recorded, shown, table
from initiatives import models as initiatives
from initiatives.admin import PersonAdmin

OF_INITIATIVE = ("initiative__title", "=initiative__number")


class BoardForm(ReasonForm):
    """The form that renames a board."""

    class Meta:
        model = governance.Board
        fields = ("name",)


class BoardAdmin(Recorded):
    """Boards, which are added on their own page. The unit is fixed: it decides which initiatives the board decides."""

    form = BoardForm
    fields = ("name", "unit", "reason")
    readonly_fields = ("unit",)
    list_display = ("name", "unit")
    list_filter = (("unit__parent", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("unit",)
    search_fields = ("name", "unit__name")

    def has_add_permission(self, request, obj=None):
        """Return False, because boards are not added here."""
        return False


class ReportingDutyAdmin(Recorded):
    """The templates of reporting duties, kept by admins. Running clocks keep the words they were started with."""

    list_display = ("name", "days", "source", "in_use")
    list_filter = ("in_use",)
    search_fields = ("name", "applies", "source")
    fields = ("name", "days", "applies", "source", "in_use", "reason")

    def add_row(self, cleaned, *, reason, by):
        """Add the reporting duty through its action."""
        return reporting_clocks.add_duty(
            by=by, **{key: value for key, value in cleaned.items() if key != "reason"}
        )


class EntryAdmin(ReadOnly):
    """The audit log: what happened, who did it, and the words of it."""

    list_display = ("id", "kind", "table", "key", "actor_id", "initiative_ref", "at", "simulated")
    list_filter = ("kind", "table", "simulated", "at")
    search_fields = ("initiative_ref", "kind", "request_id", "key")
    ordering = ("-id",)
    never_shown = ("digest",)
    readonly_fields = ("words",)

    @admin.display(description="Contents")
    def words(self, entry):
        """Return the body of the entry as it was written."""
        return bytes(entry.body.body).decode()


table(
    (
        "Organisation",
        "Accounts, units, boards and seats, and who replaces absent members.",
        {
            "Accounts": (governance.User, PersonAdmin),
            "Units": shown(
                governance.Unit,
                ("name", "code", "parent", "path", "merged_into"),
                (("merged_into", admin.EmptyFieldListFilter), ("parent", admin.RelatedOnlyFieldListFilter)),
                ("name", "code", "path"),
                ordering=("path",),
            ),
            "Boards": (governance.Board, BoardAdmin),
            "Seats": shown(
                governance.Membership,
                ("board", "seat", "person", "starts_at", "ends_at", "delegate_of", "granted_by"),
                ("board", "seat"),
                ("person__full_name", "person__login", "board__name"),
                list_select_related=(
                    "board",
                    "person",
                    "granted_by",
                    "delegate_of__person",
                    "delegate_of__board",
                ),
            ),
            "Absences": shown(
                governance.Absence,
                ("person", "starts_at", "ends_at", "planned_at"),
                ("starts_at", ("person__unit", admin.RelatedOnlyFieldListFilter)),
                ("person__full_name", "person__login"),
            ),
            "Who stands in": shown(
                governance.Delegation,
                ("absence", "delegate", "membership", "accepted_at", "ended_at"),
                ("accepted_at", "ended_at", "membership__seat"),
                ("delegate__full_name", "absence__person__full_name"),
                list_select_related=(
                    "absence__person",
                    "delegate",
                    "membership__board",
                    "membership__person",
                ),
            ),
            "Reporting duties": (ReportingDuty, ReportingDutyAdmin),
        },
    ),
    (
        "Initiatives",
        "Initiatives, who has which role, who signed off what, and what is due.",
        {
            "Initiatives": shown(
                initiatives.Initiative,
                ("ref", "title", "unit", "stage", "basis", "since", "tier", "confidential"),
                ("stage", "basis", "tier", "confidential", ("unit", admin.RelatedOnlyFieldListFilter)),
                ("title", "former_titles__title", "=number", "source_key", "source_organisation"),
            ),
            "Roles": shown(
                initiatives.RoleAssignment,
                ("initiative", "role", "person", "proposed_at", "accepted_at", "ended_at"),
                ("role",),
                (*OF_INITIATIVE, "person__full_name"),
            ),
            "Sign-offs": shown(
                initiatives.SignOff,
                ("review", "seat", "person", "verdict", "at"),
                ("seat", "verdict"),
                ("person__full_name", "digest", "review__initiative__title"),
            ),
            "Obligations": shown(
                initiatives.Obligation,
                ("initiative", "kind", "text", "responsible", "due", "completed_at"),
                ("kind", "due"),
                (*OF_INITIATIVE, "text", "responsible__full_name"),
            ),
            "Holds": shown(
                initiatives.Hold,
                ("initiative", "kind", "reason", "blocking", "opened_at", "lifted_at"),
                ("kind", "blocking"),
                (*OF_INITIATIVE, "reason"),
            ),
            "API keys": shown(
                governance.ServiceKey,
                ("system", "public", "contract", "principal", "made_at", "expires_at", "revoked_at"),
                ("expires_at", "revoked_at"),
                ("system", "public", "contract__title", "principal__full_name"),
                # Someone with the hash can try keys without the server.
                never_shown=("secret_hash",),
            ),
        },
    ),
    (
        "Messages and sign-ins",
        "Notifications, emails, password links, refused sign-ins and background tasks.",
        {
            "Notifications": shown(
                governance.Notification,
                ("subject", "person", "kind", "initiative_ref", "created_at", "read_at"),
                ("kind", "created_at"),
                ("subject", "person__full_name", "initiative_ref"),
            ),
            "Emails": shown(
                governance.Delivery,
                ("person", "day", "claimed_at", "sent_at", "attempts", "last_error"),
                ("day", "sent_at"),
                ("person__full_name",),
            ),
            "Password links": shown(
                governance.PasswordLink,
                (
                    "person",
                    "purpose",
                    "made_by",
                    "made_at",
                    "expires_at",
                    "used_at",
                    "sent_at",
                    "last_error",
                ),
                ("purpose", "made_at"),
                ("person__full_name", "person__login"),
                never_shown=("nonce",),
            ),
            "Counted attempts": shown(
                governance.SignInAttempt,
                ("purpose", "login", "address", "at"),
                ("purpose", "at"),
                ("login",),
            ),
            "Tasks": shown(
                governance.TaskRun,
                ("name", "done_at", "failed_at", "failed_in_a_row", "reason"),
                ("failed_at",),
                ("name", "reason"),
            ),
        },
    ),
    (
        "Audit log",
        "Entries, legal holds, and exports of the audit log.",
        {
            "Entries": (governance.Entry, EntryAdmin),
            "Legal holds": shown(
                governance.LegalHold,
                ("initiative_ref", "person", "reason", "opened_by", "opened_at", "lifted_at"),
                ("opened_at", "lifted_at"),
                ("initiative_ref", "person__full_name", "reason"),
            ),
            "Exports": shown(
                AuditLogExport,
                ("of_words", "state", "with_files", "by", "asked_at", "until", "taken_at"),
                ("state", "with_files"),
                ("initiative__title", "by__full_name"),
                list_select_related=("initiative", "by"),
            ),
        },
    ),
)
