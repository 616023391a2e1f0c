"""The register: systems, owners, conditions, and the links of initiatives.

A system is described once and seen from every initiative that uses it. Sources: S0-2, S1-2, S1-12 to S1-14, S1-24,
S1-37.
"""

from datetime import date, datetime, timedelta

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.functions import Lower

from governance.database.row_history import WrittenOnce, governed
from governance.database.text_search import Words
from governance.models import Unit, User
from governance.models.constraints import SECOND_IS_ANOTHER, by_whom_and_when
from initiatives.models.initiative import Initiative
from initiatives.models.integration.components import Deployment

SYSTEM_KINDS = {
    "bought": "Bought system",
    "home_grown": "Home-grown system",
    "database": "Database or warehouse",
    "file_share": "File share",
    "wiki": "Wiki",
    "knowledge_collection": "Knowledge base",
    "document": "Set of documents",
    "policy": "Policy or rule book",
    "people": "Subject-matter experts",
}
# Knowledge sources. They go out of date without updates.
KNOWLEDGE_KINDS = ("file_share", "wiki", "document", "policy")
CONDITIONS_OF_SYSTEMS = {
    "maintained": "Maintained",
    "stale": "Out of date",
    "frozen": "Frozen: no one can edit it",
    "orphaned": "Orphaned: no one owns it",
}
UPDATED_EVERY_DAYS = 365
# From so many teams' customisations on, or this age with any, each link carries a risk note (S1-2).
MANY_CUSTOMISATIONS, OLD_YEARS = 3, 10
PATTERNS = {
    "anchor": "Source of truth: outputs are traced to it",
    "audit": "Audit: what is done is logged there",
    "fallback": "Fallback: used when another is missing",
    "feed": "Feed: data flow in or out",
}
DIRECTIONS = {"reads": "Reads", "writes": "Writes", "both": "Reads and writes"}
ACCESS = {
    "api": "API",
    "file": "File transfer",
    "database": "Database connection",
    "connector": "Connector of a platform",
    "screen": "Screen automation",
    "person": "By hand",
}
ACCEPTANCE_DAYS = 365  # rulebook, int.systems_owned: "annual"


class SystemQuerySet(models.QuerySet):
    def current(self):
        """Return the systems that are in use."""
        return self.filter(retired_at__isnull=True)

    def in_condition(self, condition: str, day: date):
        """Return the systems in this condition on a day, equal to `System.condition`."""
        orphaned = Q(owner__isnull=True) | Q(owner__is_active=False)
        due = ExpressionWrapper(
            F("last_updated_on") + F("updated_every_days"), output_field=models.DateField()
        )
        stale = Q(stale_after__lt=day) | Q(last_updated_on__isnull=True, kind__in=KNOWLEDGE_KINDS)
        said = {
            "orphaned": orphaned,
            "frozen": ~orphaned & Q(editable=False),
            "stale": ~orphaned & ~Q(editable__isnull=False, editable=False) & stale,
        }
        rows = self.alias(stale_after=due)
        if condition == "maintained":
            worse = said["orphaned"] | said["frozen"] | said["stale"]
            return rows.exclude(pk__in=rows.filter(worse).values("pk"))
        return rows.filter(said[condition])


class System(models.Model):
    """An existing system that initiatives link to: software, a share, a wiki, people.

    The content was last worked on at `last_updated_on`. `collection` is the collection of knowledge sources that
    contains it. `source_key` is its key in the table that it was imported from.
    """

    name = models.CharField(max_length=160)
    kind = models.CharField(max_length=30, choices=SYSTEM_KINDS.items())
    vendor = models.ForeignKey("Vendor", models.PROTECT, null=True, blank=True, related_name="systems")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    location = models.CharField(max_length=250, blank=True, default="")
    purpose = models.TextField(blank=True, default="")
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="systems_owned")
    source_of_truth_for = models.JSONField(default=list, blank=True)
    editable = models.BooleanField(null=True, blank=True)
    last_updated_on = models.DateField(null=True, blank=True)
    updated_every_days = models.PositiveIntegerField(default=UPDATED_EVERY_DAYS)
    organised_on = models.DateField(null=True, blank=True)
    in_service_since = models.DateField(null=True, blank=True)
    regions = models.JSONField(default=list, blank=True)
    knowledge_holder = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="systems_in_head"
    )
    collection = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="members")
    duplicate_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="duplicates")
    source_key = models.CharField(max_length=160, blank=True, default="")
    described_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    described_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    retired_reason = models.TextField(blank=True, default="")

    objects = SystemQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), condition=Q(retired_at__isnull=True), name="systems_in_use_are_named_once"
            ),
            models.CheckConstraint(
                name="a_system_is_no_part_of_itself",
                condition=~Q(collection=F("id")) & ~Q(duplicate_of=F("id")),
            ),
            by_whom_and_when(
                "retired", name="system_retired_means_who_when_and_why", reason="retired_reason"
            ),
        ]
        indexes = [
            GinIndex(Words("name", "location"), name="systems_by_words"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the page of the system."""
        return f"/systems/{self.pk}/"

    def stale_from(self) -> date | None:
        """Return the first day on which it is out of date, or None for other kinds.

        A knowledge source with an unknown last update returns `date.min`. Systems of other kinds count by their
        function.
        """
        if self.last_updated_on is not None:
            return self.last_updated_on + timedelta(days=self.updated_every_days + 1)
        return date.min if self.kind in KNOWLEDGE_KINDS else None

    def conditions(self, day: date) -> list[str]:
        """Return all its conditions on a day, worst first: keys of CONDITIONS_OF_SYSTEMS.

        The function reads the owner, so select the owner with the system.
        """
        stale = self.stale_from()
        bad = {
            "orphaned": self.owner_id is None or not self.owner.is_active,
            "frozen": self.editable is False,
            "stale": stale is not None and day >= stale,
        }
        return [name for name, so in bad.items() if so] or ["maintained"]

    def condition(self, day: date) -> str:
        """Return the worst of its conditions on a day, for lists."""
        return self.conditions(day)[0]


class Customisation(models.Model):
    """A change that a team made to a system for itself, and since when (S1-2)."""

    system = models.ForeignKey(System, models.PROTECT, related_name="customisations")
    team = models.CharField(max_length=120)
    what = models.TextField()
    since = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["system", "since", "id"]

    def __str__(self) -> str:
        return f"{self.team}: {self.what[:60]}"


class ServiceAccountQuerySet(models.QuerySet):
    def open(self):
        """Return the accounts that were not closed."""
        return self.filter(closed_at__isnull=True)


class ServiceAccount(models.Model):
    """An account in a system that software uses, not a person (S1-13)."""

    system = models.ForeignKey(System, models.PROTECT, related_name="service_accounts")
    name = models.CharField(max_length=160)
    owner = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="service_accounts_owned"
    )
    privileges = models.TextField(blank=True, default="")
    review_by = models.DateField(null=True, blank=True)
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    closed_reason = models.TextField(blank=True, default="")

    objects = ServiceAccountQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["system", "name"]
        constraints = [
            models.UniqueConstraint(
                "system",
                Lower("name"),
                condition=Q(closed_at__isnull=True),
                name="service_accounts_are_named_once",
            ),
            by_whom_and_when("closed", name="account_closed_means_who_when_and_why", reason="closed_reason"),
        ]

    def __str__(self) -> str:
        return self.name


class LinkQuerySet(models.QuerySet):
    def current(self):
        """Return the links that have not ended."""
        return self.filter(ended_at__isnull=True)


class Link(models.Model):
    """A link of an initiative to a system: pattern, data, account, failure plan.

    A `live` link has data of production, which a prototype must not have (docs/domain.md). In a failure, `on_failure`
    is done instead, and users get the text `told_users`. A call is given up after `timeout_seconds`.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="links")
    system = models.ForeignKey(System, models.PROTECT, related_name="links")
    pattern = models.CharField(max_length=20, choices=PATTERNS.items())
    direction = models.CharField(max_length=10, choices=DIRECTIONS.items())
    access = models.CharField(max_length=20, choices=ACCESS.items())
    purpose = models.TextField(blank=True, default="")
    account = models.ForeignKey(ServiceAccount, models.PROTECT, null=True, blank=True, related_name="links")
    data_classes = models.JSONField(default=list, blank=True)
    live = models.BooleanField(default=False)
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    retry = models.CharField(max_length=200, blank=True, default="")
    on_failure = models.TextField(blank=True, default="")
    told_users = models.CharField(max_length=250, blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    ended_reason = models.TextField(blank=True, default="")

    objects = LinkQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "system", "pattern"],
                condition=Q(ended_at__isnull=True),
                name="one_link_per_initiative_system_and_pattern",
            ),
            by_whom_and_when("ended", name="link_ended_means_who_when_and_why", reason="ended_reason"),
        ]
        indexes = [
            models.Index(fields=["system"], condition=Q(ended_at__isnull=True), name="links_by_system")
        ]

    def __str__(self) -> str:
        return f"{self.get_pattern_display().partition(':')[0]} to {self.system}"


class Transfer(models.Model):
    """One place that the data of a link pass through, in order, with its region.

    If `deployment` is set, it is the first one in a part of the initiative, and the region is that of the deployment
    running in the part. `vendor` runs the place.
    """

    link = models.ForeignKey(Link, models.PROTECT, related_name="transfers")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    region = models.CharField(max_length=60, blank=True, default="")
    vendor = models.ForeignKey("Vendor", models.PROTECT, null=True, blank=True, related_name="transfers")
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="transfers"
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    history = governed()

    class Meta:
        ordering = ["link", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["link", "position"],
                condition=Q(ended_at__isnull=True),
                name="one_transfer_per_position",
            )
        ]
        indexes = [
            models.Index(fields=["vendor"], condition=Q(ended_at__isnull=True), name="transfers_by_vendor")
        ]

    def __str__(self) -> str:
        return self.name


class LinkAnswer(WrittenOnce):
    """The system owner's answer, in person, to a link (S1-37). `digest` is of the link as read.

    It counts for ACCEPTANCE_DAYS, while the link reads the same and that person still owns the system.
    """

    link = models.ForeignKey(Link, models.PROTECT, related_name="answers")
    accepts = models.BooleanField()
    words = models.TextField(blank=True, default="")
    read = models.TextField()
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["link", "id"]
        constraints = [
            models.CheckConstraint(name="a_refused_link_says_why", condition=Q(accepts=True) | ~Q(words=""))
        ]

    def __str__(self) -> str:
        return f"{'accepted' if self.accepts else 'declined'} by {self.by}"


class SourceAcceptance(WrittenOnce):
    """The architecture seat's acceptance of a source in bad condition.

    The seat names the consequence. The acceptance holds for at most 180 days (rulebook, int.sources_condition), and for
    one `condition`: another condition needs another acceptance.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="source_acceptances")
    system = models.ForeignKey(System, models.PROTECT, related_name="acceptances")
    condition = models.CharField(max_length=20, choices=CONDITIONS_OF_SYSTEMS.items())
    consequence = models.TextField()
    until = models.DateField()
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["initiative", "id"]

    def __str__(self) -> str:
        return f"{self.system} until {self.until}"


class StandaloneDeclaration(models.Model):
    """The owner's declaration that an initiative has no link, accepted by a seat. A link ends it."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="standalone_declarations")
    reason = models.TextField()
    declared_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    accepted_seat = models.CharField(max_length=30, blank=True, default="")
    accepted_at = models.DateTimeField(null=True, blank=True)
    # At high risk two persons accept it.
    second_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    second_seat = models.CharField(max_length=30, blank=True, default="")
    second_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True, default="")

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative"],
                condition=Q(ended_at__isnull=True),
                name="one_standalone_declaration_at_a_time",
            ),
            models.CheckConstraint(name="standalone_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="standalone_accepted_means_who_seat_and_when",
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True, accepted_seat="")
                | Q(accepted_at__isnull=False, accepted_by__isnull=False) & ~Q(accepted_seat=""),
            ),
            models.CheckConstraint(
                name="standalone_not_accepted_by_who_declared",
                condition=Q(accepted_by__isnull=True) | ~Q(accepted_by=models.F("declared_by")),
            ),
            models.CheckConstraint(
                name="standalone_accepted_twice_means_by_two", condition=SECOND_IS_ANOTHER
            ),
            models.CheckConstraint(
                name="standalone_ended_says_why", condition=Q(ended_at__isnull=True) | ~Q(ended_reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.initiative} is standalone"

    @property
    def acceptances(self) -> list[tuple[datetime, datetime | None, str, frozenset[int]]]:
        """Return its acceptances as (from, to, names, keys): by one person, then by two."""
        if self.accepted_by is None or self.accepted_at is None:
            return []
        one = frozenset({self.accepted_by.pk})
        if self.second_by is None or self.second_at is None:
            return [(self.accepted_at, self.ended_at, self.accepted_by.full_name, one)]
        both = f"{self.accepted_by.full_name} and {self.second_by.full_name}"
        return [
            (self.accepted_at, self.second_at, self.accepted_by.full_name, one),
            (self.second_at, self.ended_at, both, one | {self.second_by.pk}),
        ]
