"""Where data may be: regions, vendors and their terms, and the policies of units (S1-6, S1-9)."""

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
    """A place by the name that clouds, contracts and people give it, and the larger one that it lies within."""

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
        """Those that everybody may read of: not those that nothing but components of confidential initiatives names."""

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

    `listed_by_component`: nobody listed it in so many words; a component of an initiative named it.
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
        """The page of the vendor: its terms, and where they bite."""
        return f"/vendors/{self.pk}/"


class TermQuerySet(models.QuerySet):
    def current(self):
        """Terms that nobody withdrew, whatever day they bind from or to."""
        return self.filter(withdrawn_at__isnull=True)

    def unconfirmed(self):
        """Those of them that bind nobody until somebody confirms them."""
        return self.current().filter(awaits_confirmation=True)


class RegionTerm(models.Model):
    """Which regions are allowed or forbidden for which classes of data, from a day to a day (the last one included).

    No class: for all of them. No allowed region: all that are not forbidden. What is in neither list where one is
    allowed, and what nobody knows, is outside. `awaits_confirmation`: filed by somebody who cannot let it bind; until a
    seat that answers for residency or an admin confirms it, it forbids nothing.
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
    """What a contract with a vendor, or about what it runs, says of regions."""

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
    """What a unit, and all below it, allow of regions, whoever runs the place."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="region_policies")

    history = governed()

    class Meta(RegionTerm.Meta):
        ordering = ["unit", "starts_on", "id"]
        verbose_name_plural = "unit policies"

    def __str__(self) -> str:
        return f"{self.unit}: {self.reference}"
