"""Rows on where data may be: regions, vendor terms, unit policies (S1-6, S1-9)."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from governance.database.row_history import governed
from governance.models import Unit, User
from governance.models.constraints import by_whom_and_when

TERM_KINDS = {
    "region": "Hosting region",
    "subprocessor": "Sub-processor",
    "training": "Use for training",
    "customer": "A customer's contract",
    "law": "Law or regulator",
}


class Region(models.Model):
    """A place by its name in clouds and contracts, and the place that contains it."""

    key = models.CharField(max_length=60)
    words = models.CharField(max_length=120)
    within = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")

    history = governed()

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(Lower("key"), name="regions_are_named_once"),
            models.CheckConstraint(name="no_region_lies_within_itself", condition=~Q(within=F("id"))),
        ]

    def __str__(self) -> str:
        return self.key


class VendorQuerySet(models.QuerySet):
    def shared(self):
        """Return the vendors that everyone may read. Those of confidential initiatives alone are left out."""

        def named(**by) -> Exists:
            return Exists(Vendor.objects.filter(pk=OuterRef("pk"), **by))

        return self.filter(
            Q(listed_by_component=False)
            | named(components__deployments__initiative__confidential=False)
            | named(systems__isnull=False)
            | named(transfers__isnull=False)
            | named(terms__isnull=False)
            | named(components__confirmed_at__isnull=False)
        )


class Vendor(models.Model):
    """A company whose systems, models or services initiatives use.

    The flag `listed_by_component` is set if a component of an initiative named it and no person listed it.
    """

    name = models.CharField(max_length=120)
    listed_by_component = models.BooleanField(default=False)

    objects = VendorQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="vendors_are_named_once")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the page of the vendor, with its terms and their effects."""
        return f"/vendors/{self.pk}/"


class TermQuerySet(models.QuerySet):
    def current(self):
        """Return the terms that were not withdrawn, for all days."""
        return self.filter(withdrawn_at__isnull=True)

    def unconfirmed(self):
        """Return the current terms that are not binding until a confirmation."""
        return self.current().filter(awaits_confirmation=True)


class RegionTerm(models.Model):
    """The allowed and forbidden regions for classes of data, from a day to a last day.

    A term without classes is for all of them. Without allowed regions, all that are not forbidden are allowed. A term
    that lists allowed regions excludes all others and unknown ones. A term that `awaits_confirmation` forbids nothing
    until an admin or a seat that answers for residency confirms it.
    """

    data_classes = models.JSONField(default=list, blank=True)
    allowed = models.JSONField(default=list, blank=True)
    forbidden = models.JSONField(default=list, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    reference = models.CharField(max_length=200)
    words = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    awaits_confirmation = models.BooleanField(default=False)
    confirmed_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, default="")

    objects = TermQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_says_something",
                condition=~Q(allowed=[]) | ~Q(forbidden=[]),
            ),
            models.CheckConstraint(
                name="%(class)s_ends_after_it_starts",
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(
                name="%(class)s_confirmed_by_whom_and_when",
                condition=Q(confirmed_at__isnull=True, confirmed_by__isnull=True)
                | Q(confirmed_at__isnull=False, confirmed_by__isnull=False, awaits_confirmation=False),
            ),
            by_whom_and_when(
                "withdrawn", name="%(class)s_withdrawn_by_whom_and_why", reason="withdrawn_reason"
            ),
        ]


class VendorTerm(RegionTerm):
    """The terms on regions in a contract with a vendor, or about its component."""

    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="terms")
    kind = models.CharField(max_length=20, choices=TERM_KINDS.items(), default="region")

    history = governed()

    class Meta(RegionTerm.Meta):
        ordering = ["vendor", "starts_on", "id"]
        indexes = [
            models.Index(fields=["vendor"], condition=Q(withdrawn_at__isnull=True), name="terms_by_vendor")
        ]

    def __str__(self) -> str:
        return f"{self.vendor}: {self.reference}"


class UnitPolicy(RegionTerm):
    """The regions that a unit and all units below it allow, for every operator."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="region_policies")

    history = governed()

    class Meta(RegionTerm.Meta):
        ordering = ["unit", "starts_on", "id"]
        verbose_name_plural = "unit policies"

    def __str__(self) -> str:
        return f"{self.unit}: {self.reference}"
