"""Initiatives in any stage, quickly: reported by an import, so that nothing has to be shown first."""

from django.db import connection

from governance.database.row_history import acting
from initiatives.lifecycle.initiative.act import rewrite_supported_stage
from initiatives.lifecycle.stages.actions import change_stage
from initiatives.models import Initiative
from initiatives.models.stage_machine import REPORTED, offered
from tests.support import factories


def make_reported(cast: factories.Cast, stage: str, **fields) -> Initiative:
    """An initiative that an import says is in this stage; proposed ones are plain ideas."""
    initiative = factories.make_initiative(cast, **fields)
    if stage != "proposed":
        with acting(by=cast.admin, reason="Imported"):
            initiative = Initiative.objects.locked(initiative.pk)
            change_stage(
                initiative,
                offered(initiative, kind=REPORTED, target=stage),
                reason="As reported",
                by=cast.admin,
            )
            rewrite_supported_stage(initiative)
    return Initiative.objects.get(pk=initiative.pk)


def check_deferred() -> None:
    """Have the database check now what it would check at commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
