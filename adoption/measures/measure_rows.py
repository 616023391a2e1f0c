"""The goals, measurements and scopes that measures are judged by, in one query."""

from django.db.models import F

from adoption.models import Goal, Measurement
from governance.database.batch_read import Batch, Given, Rows
from initiatives.models import ScopeVersion

AROUND = Batch(
    goals=Rows(Goal.objects.annotate(tier=F("measure__initiative__tier")), "measure", keys="measures"),
    of_people=Rows(
        Measurement.objects.filter(ends_on__gte=Given("since")).annotate(replaced=F("replaced_by__pk")),
        "measure",
        keys="counting_people",
    ),
    scopes=Rows(ScopeVersion.objects.filter(starts_at__lte=Given("now")), "initiative", keys="initiatives"),
)
