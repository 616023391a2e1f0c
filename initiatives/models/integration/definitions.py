"""Rows of business terms, definitions and conflicts (S1-3, S1-10, S1-11, S1-18)."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from governance.database.row_history import governed
from governance.database.text_search import Words
from governance.models import User
from initiatives.models.evidence import Evidence
from initiatives.models.holds import Gap
from initiatives.models.initiative import Initiative
from initiatives.models.integration.systems import System

# What a definition states beside its prose, each in a field of its own; blank: not stated.
COUNTING = {
    "counted_unit": "Counted unit",
    "includes": "Includes",
    "excludes": "Excludes",
    "as_of": "As of",
    "unit_or_currency": "Unit or currency",
    "time_window": "Time window",
    "population": "Population",
}
IDENTIFIER = {"identifier_standard": "Identifier standard", "identifier_mask": "Identifier mask"}
STATED = COUNTING | IDENTIFIER
# The facet of a difference in words alone.
WORDING = "wording"

# Where two definitions differ. The last two were found by reading prose (ADR 0031) and stay readable.
FACETS = {
    "identifier_format": "Identifier format",
    "business_logic": "Business logic",
    "validity": "Validity in time",
    WORDING: "Wording",
    "same_name": "Same name, other meaning",
    "other_name": "Other name, same meaning",
}
# All that is said of a field; the rest of a definition is its own bookkeeping.
SAID = ("meaning", *STATED, "identifier_format", "business_logic", "valid_from", "valid_to")
SEVERITIES = {"blocking": "Blocking", "note": "Worth a note"}
UNDECIDED, OPEN, RECONCILED, ACCEPTED, GONE = "undecided", "open", "reconciled", "accepted", "gone"
CONFLICT_STATES = {
    UNDECIDED: "Not compared yet",
    OPEN: "Open",
    RECONCILED: "Reconciled",
    ACCEPTED: "Difference accepted",
    GONE: "Ended: a definition changed",
}
# The words of a data steward for two definitions that were not compared.
VERDICTS = {
    "same": "The same: one meaning in other words",
    "different": "Different on purpose: no match is needed",
    "conflict": "A conflict: must be resolved before production",
}


class Term(models.Model):
    """A business term, such as customer, case or order.

    Its page belongs to the glossary, which people outside any initiative can read too.
    """

    name = models.CharField(max_length=80)
    meaning = models.TextField(blank=True, default="")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    history = governed()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(Lower("name"), name="terms_are_named_once")]
        indexes = [GinIndex(Words("name", "meaning"), name="terms_by_words")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the term's page in the glossary."""
        return f"/glossary/{self.pk}/"


class TermUse(models.Model):
    """The use of a term by an initiative. The definitions in its linked systems have to agree."""

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="term_uses")
    term = models.ForeignKey(Term, models.PROTECT, related_name="uses")
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")

    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "term"],
                condition=Q(ended_at__isnull=True),
                name="one_current_use_per_initiative_and_term",
            ),
            models.CheckConstraint(
                name="use_ended_means_who_and_when",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["term"], condition=Q(ended_at__isnull=True), name="uses_by_term")]

    def __str__(self) -> str:
        return str(self.term)


class DefinitionQuerySet(models.QuerySet):
    def current(self):
        """Return the definitions that were not withdrawn, for all years."""
        return self.filter(withdrawn_at__isnull=True)


class TermDefinition(models.Model):
    """The meaning of a term in one field of a system, for rows of a period.

    The last day is included. `includes` and `excludes` are lists separated by commas. A definition has at most one of
    `identifier_standard`, a key of comparison/identifier_standards.py, and `identifier_mask`, as comparison/masks.py
    reads it.
    """

    term = models.ForeignKey(Term, models.PROTECT, related_name="definitions")
    system = models.ForeignKey(System, models.PROTECT, related_name="definitions")
    field = models.CharField(max_length=120)
    meaning = models.TextField()
    counted_unit = models.CharField(max_length=120, blank=True, default="")
    includes = models.TextField(blank=True, default="")
    excludes = models.TextField(blank=True, default="")
    as_of = models.CharField(max_length=120, blank=True, default="")
    unit_or_currency = models.CharField(max_length=40, blank=True, default="")
    time_window = models.CharField(max_length=120, blank=True, default="")
    population = models.CharField(max_length=200, blank=True, default="")
    identifier_standard = models.CharField(max_length=40, blank=True, default="")
    identifier_mask = models.CharField(max_length=80, blank=True, default="")
    identifier_format = models.CharField(max_length=200, blank=True, default="")
    business_logic = models.TextField(blank=True, default="")
    valid_from = models.DateField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_reason = models.TextField(blank=True, default="")

    objects = DefinitionQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["term", "system", "field", "valid_from", "id"]
        constraints = [
            models.CheckConstraint(
                name="definition_ends_after_it_starts",
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_to__gte=F("valid_from")),
            ),
            models.CheckConstraint(
                name="definition_withdrawn_by_whom_and_why",
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_reason=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["system", "field"],
                condition=Q(withdrawn_at__isnull=True),
                name="definitions_by_field",
            )
        ]

    def __str__(self) -> str:
        return f"{self.term} in {self.system}, {self.field}"


class ConflictQuerySet(models.QuerySet):
    def open(self):
        """Return the conflicts that the steward has to decide. Pairs that were not compared are left out."""
        return self.filter(status=OPEN)

    def blocking(self):
        """Return the open conflicts that keep an initiative from production."""
        return self.open().filter(severity="blocking")


class DefinitionConflict(models.Model):
    """A computed difference of two definitions in one facet, for the data steward.

    An undecided one has different words that were not called the same: it is a note, not an open conflict. `one` is the
    definition with the smaller key. `mapping` has rows of {one, other, note}. `downstream` has the reports and systems
    that live with an accepted difference, whose gap remains. If a definition changed, the conflict is gone.
    """

    initiative = models.ForeignKey(Initiative, models.PROTECT, related_name="conflicts")
    facet = models.CharField(max_length=20, choices=FACETS.items())
    one = models.ForeignKey(TermDefinition, models.PROTECT, related_name="+")
    other = models.ForeignKey(TermDefinition, models.PROTECT, related_name="+")
    severity = models.CharField(max_length=10, choices=SEVERITIES.items())
    words = models.TextField()
    found_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=CONFLICT_STATES.items(), default=OPEN)
    decision = models.TextField(blank=True, default="")
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    mapping = models.JSONField(default=list, blank=True)
    mapping_evidence = models.ForeignKey(Evidence, models.PROTECT, null=True, blank=True, related_name="+")
    downstream = models.JSONField(default=list, blank=True)
    gap = models.ForeignKey(Gap, models.PROTECT, null=True, blank=True, related_name="conflicts")
    gone_at = models.DateTimeField(null=True, blank=True)

    objects = ConflictQuerySet.as_manager()
    history = governed()

    class Meta:
        ordering = ["initiative", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "facet", "one", "other"],
                condition=~Q(status=GONE),
                name="one_conflict_per_pair_and_facet",
            ),
            models.CheckConstraint(
                name="undecided_is_a_note_on_wording",
                condition=~Q(status=UNDECIDED) | Q(facet=WORDING, severity="note"),
            ),
            models.CheckConstraint(name="conflict_pairs_are_in_order", condition=Q(one__lt=F("other"))),
            models.CheckConstraint(
                name="conflict_decided_means_who_when_and_how",
                condition=Q(status__in=[UNDECIDED, OPEN, GONE])
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decision=""),
            ),
            models.CheckConstraint(
                name="accepted_difference_names_what_lives_with_it",
                condition=~Q(status=ACCEPTED)
                | ~Q(downstream=[]) & Q(gap__isnull=False)
                | Q(facet=WORDING, severity="note"),
            ),
        ]
        indexes = [
            models.Index(fields=["initiative"], condition=Q(status=OPEN), name="conflicts_open_by_initiative")
        ]

    def __str__(self) -> str:
        return f"{self.get_facet_display()}: {self.words[:60]}"
