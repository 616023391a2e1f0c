"""What comes in from outside: inventories and tables, with every raw row and what became of each; and what people
without an account write by the intake link of a unit.
"""

from datetime import date

from django.db import models
from django.db.models import Q

from governance.database.row_history import governed
from governance.models import Unit, User
from governance.models.constraints import by_whom_and_when
from governance.models.people import IMPORTED
from governance.runtime import link_tokens
from governance.vocabulary import IntakeState, Invitation
from initiatives.models.initiative import Initiative

OWN_SHEET, OWN = (
    "own-portfolio",
    "Own portfolio",
)  # the source of sheets of one's own initiatives, and its name
ROOT = ("Imported", IMPORTED)  # name and code of the unit below which imports put theirs


class InventorySource(models.Model):
    """How files of one publisher are read, as somebody confirmed it: remembered for the next file."""

    key = models.SlugField(max_length=60, unique=True)
    words = models.CharField(max_length=160)
    columns = models.JSONField(default=dict)
    stages = models.JSONField(default=dict)
    fixed = models.JSONField(default=dict)
    dates = models.CharField(max_length=3, blank=True, default="")
    sheet = models.CharField(max_length=100, blank=True, default="")
    code_page = models.CharField(max_length=40, blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["words"]

    def __str__(self) -> str:
        return self.words


class ImportBatchQuerySet(models.QuerySet):
    def current(self):
        """Files that nobody threw away, and whose import nobody undid."""
        return self.filter(discarded_at__isnull=True, undone_at__isnull=True)


class ImportBatch(models.Model):
    """One uploaded file. Nothing is live until it is confirmed; `own`: the portfolio of the organisation itself, where
    what others list lives apart from one's own.

    A file may be thrown away while nothing of it is live, and an import undone while nobody works on what it brought.
    """

    source = models.CharField(max_length=60)
    own = models.BooleanField(default=False)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    encoding = models.CharField(max_length=40, blank=True, default="")
    uploaded_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    published_on = models.DateField(null=True, blank=True)
    repeats = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="repeated_by")
    columns = models.JSONField(default=list)
    reading = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    discarded_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    discarded_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_reason = models.TextField(blank=True, default="")

    objects = ImportBatchQuerySet.as_manager()
    history = governed()

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-id"]
        constraints = [
            by_whom_and_when("discarded", name="import_discarded_means_who_and_when"),
            by_whom_and_when("undone", name="import_undone_means_who_and_when"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.source})"

    def get_absolute_url(self) -> str:
        """The page of the file."""
        return f"/imports/{self.pk}/"

    @property
    def live(self) -> bool:
        """Whether its rows were published, and stand."""
        return self.confirmed_at is not None and self.undone_at is None


class ImportRowQuerySet(models.QuerySet):
    def proposing_changes(self):
        """Rows that propose changes of an initiative which nobody answered: of sheets of one's own from the day they
        are read, of other files once they are confirmed.
        """
        waits = Q(batch__source=OWN_SHEET, done_at__isnull=True) | Q(mapped__proposed=True)
        return self.filter(waits, decision="change")


class ImportRow(models.Model):
    """One line of a batch as it came, how it was read, what is wrong with it, and what became of it."""

    not_governed = "the source's own words; the batch is governed and holds their fingerprint"

    DECISIONS = {
        "import": "Import",
        "merge": "Merge: the same line twice",
        "triage": "Needs review",
        "reject": "Rejected",
        "unchanged": "Unchanged",
        "change": "Proposed changes",
    }

    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField()
    raw = models.JSONField()
    raw_digest = models.CharField(max_length=64)
    mapped = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    decision = models.CharField(max_length=12, choices=DECISIONS.items())
    group = models.CharField(max_length=160, blank=True, default="")
    initiative = models.ForeignKey(
        Initiative, models.PROTECT, null=True, blank=True, related_name="import_rows"
    )
    done_at = models.DateTimeField(null=True, blank=True)

    objects = ImportRowQuerySet.as_manager()

    class Meta:
        ordering = ["batch", "line"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="one_row_per_batch_and_line"),
        ]
        indexes = [
            models.Index(fields=["batch", "decision"]),
            models.Index(fields=["raw_digest"]),
            models.Index(
                fields=["initiative"], condition=Q(initiative__isnull=False), name="rows_of_initiative"
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.decision}"


class ImportRunQuerySet(models.QuerySet):
    def under_way(self):
        """Runs that wait for the worker or that it does."""
        return self.filter(state__in=["waiting", "running"])


class ImportRun(models.Model):
    """A long import that the worker does: what was asked, how far it is, how it ended.

    `content`: the name of the file that is read, until it was. `moved_at`: when the worker last said how far it is.
    """

    not_governed = "how far the worker is; what it brings stands in a batch, which is governed"

    KINDS = {"upload": "Read", "map": "Read with another mapping", "confirm": "Enter"}
    STATES = {
        "waiting": "Waits for the worker",
        "running": "Under way",
        "done": "Done",
        "failed": "Not done",
        "cancelled": "Cancelled",
    }

    kind = models.CharField(max_length=10, choices=KINDS.items())
    batch = models.ForeignKey(ImportBatch, models.CASCADE, null=True, blank=True, related_name="runs")
    file_name = models.CharField(max_length=200)
    content = models.CharField(max_length=120, blank=True, default="")
    options = models.JSONField(default=dict)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=STATES.items(), default="waiting")
    rows_done = models.PositiveIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    tries = models.PositiveSmallIntegerField(default=0)
    moved_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    trouble = models.TextField(blank=True, default="")

    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["waiting", "running"], batch__isnull=False),
                name="one_run_per_batch",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.file_name}: {self.state}"

    @property
    def under_way(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")


# What the register takes in as tables; effort by week has pages of its own.
REGISTER_KINDS = {
    "systems": "Systems",
    "links": "Links of initiatives",
    "accounts": "Service accounts",
    "definitions": "Terms and definitions",
}
SYSTEM_IMPORT_KINDS = REGISTER_KINDS | {"efforts": "Effort by week"}
ROW_STATES = {
    "new": "New",
    "same": "As it is in the register",
    "differs": "Differs from the register",
    "wrong": "Cannot be read",
    "skipped": "Left out",
    "entered": "Entered",
    "replaced": "Replaced what was there",
}


class SystemImportMapping(models.Model):
    """Which column of a table means which field, remembered for tables with the same headers. `headers`: their hash."""

    kind = models.CharField(max_length=20, choices=SYSTEM_IMPORT_KINDS.items())
    headers = models.CharField(max_length=64)
    columns = models.JSONField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["kind", "id"]
        constraints = [models.UniqueConstraint(fields=["kind", "headers"], name="one_mapping_per_headers")]

    def __str__(self) -> str:
        return f"{self.kind}: {len(self.columns)} columns"


class SystemImportQuerySet(models.QuerySet):
    def current(self):
        """Tables that nobody dropped."""
        return self.filter(dropped_at__isnull=True)


class SystemImport(models.Model):
    """One table or document that was read: nothing is in the register until somebody confirms its rows."""

    kind = models.CharField(max_length=20, choices=SYSTEM_IMPORT_KINDS.items())
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    headers = models.JSONField(default=list)
    columns = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    dropped_at = models.DateTimeField(null=True, blank=True)

    objects = SystemImportQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "system imports"
        constraints = [by_whom_and_when("confirmed", name="system_import_confirmed_means_who_and_when")]
        indexes = [models.Index(fields=["sha256"], name="system_imports_by_digest")]

    def __str__(self) -> str:
        return self.file_name

    def get_absolute_url(self) -> str:
        """The page of the table."""
        return f"/system-imports/{self.pk}/"


class RowQuerySet(models.QuerySet):
    def waiting(self):
        """Rows that enter once their table is confirmed: new ones, and different ones of which something is taken."""
        return self.filter(Q(state="new") | Q(state="differs") & ~Q(takes=[]))


class SystemImportRow(models.Model):
    """One row as it was read, what it would become, and what was done with it. `takes`: fields that replace others."""

    not_governed = "what was read and is not in the register; what enters has its own history"

    batch = models.ForeignKey(SystemImport, models.CASCADE, related_name="rows")
    line = models.PositiveIntegerField()
    raw = models.JSONField()
    mapped = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=ROW_STATES.items())
    problems = models.JSONField(default=list, blank=True)
    takes = models.JSONField(default=list, blank=True)
    entered = models.BigIntegerField(null=True, blank=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        ordering = ["batch", "line"]
        constraints = [models.UniqueConstraint(fields=["batch", "line"], name="system_import_rows_by_line")]
        indexes = [models.Index(fields=["batch", "state"], name="system_import_rows_by_state")]

    def __str__(self) -> str:
        return f"{self.batch_id}, line {self.line}"


class IntakeLinkQuerySet(models.QuerySet):
    def not_ended(self):
        """Links that nobody switched off, whatever their last day."""
        return self.filter(ended_at__isnull=True)

    def open_on(self, day: date):
        """Links that take something on this day: of a unit that is still there, their last day included."""
        return self.not_ended().filter(until__gte=day, unit__merged_into__isnull=True)


class IntakeLink(models.Model):
    """The address at which people without an account tell a unit of a problem; whoever has it may, until its day."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="intake_links")
    until = models.DateField()
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = IntakeLinkQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["unit", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["unit"], condition=Q(ended_at__isnull=True), name="one_open_intake_link_per_unit"
            ),
            by_whom_and_when("ended", name="intake_link_ended_means_who_and_when"),
        ]

    def __str__(self) -> str:
        return f"intake link of {self.unit_id}"

    @property
    def token(self) -> str:
        """The end of its address."""
        return link_tokens.token_of(self)


class IntakeRequestQuerySet(models.QuerySet):
    def waiting(self):
        """Requests that nobody answered."""
        return self.filter(state=IntakeState.WAITING)

    def to_invite(self):
        """Requests whose sender an admin is asked to invite."""
        return self.filter(invitation=Invitation.ASKED)


class IntakeRequest(models.Model):
    """What somebody without an account wrote by an intake link, and what the chair made of it.

    Who wrote it stands in `IntakeSender`. `once`: the form it came by, so that one sent twice is one request.
    """

    link = models.ForeignKey(IntakeLink, models.PROTECT, related_name="requests")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="intake_requests")
    problem = models.TextField()
    users = models.TextField()
    hurts = models.TextField(blank=True, default="")
    received_at = models.DateTimeField()
    once = models.UUIDField(null=True, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=IntakeState.choices, default=IntakeState.WAITING)
    reason = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    initiative = models.OneToOneField(
        Initiative, models.PROTECT, null=True, blank=True, related_name="intake_request"
    )
    invitation = models.CharField(max_length=10, choices=Invitation.choices, default=Invitation.NONE)

    objects = IntakeRequestQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["unit", "id"]
        constraints = [
            by_whom_and_when("decided", name="intake_decided_means_who_and_when"),
            models.CheckConstraint(
                name="an_intake_request_names_what_it_became",
                condition=Q(
                    state=IntakeState.WAITING, decided_at__isnull=True, initiative__isnull=True, reason=""
                )
                | Q(state=IntakeState.IDEA, decided_at__isnull=False, initiative__isnull=False, reason="")
                | Q(state=IntakeState.DECLINED, decided_at__isnull=False, initiative__isnull=True)
                & ~Q(reason=""),
            ),
            models.CheckConstraint(
                name="only_senders_of_ideas_are_invited",
                condition=Q(invitation=Invitation.NONE) | Q(state=IntakeState.IDEA),
            ),
        ]
        indexes = [
            models.Index(
                fields=["unit"], condition=Q(state=IntakeState.WAITING), name="waiting_requests_by_unit"
            )
        ]

    def __str__(self) -> str:
        return self.problem[:80]

    def get_absolute_url(self) -> str:
        """The page of the request."""
        return f"/intake-requests/{self.pk}/"


class IntakeSender(models.Model):
    """Who wrote a request, as they said; nobody looked whether it is true. Deleted some time after the answer."""

    not_governed = (
        "personal data of somebody without an account: deleted in time, which the audit log could not"
    )

    request = models.OneToOneField(IntakeRequest, models.CASCADE, related_name="sender")
    name = models.CharField(max_length=120)
    email = models.EmailField()

    def __str__(self) -> str:
        return self.name
