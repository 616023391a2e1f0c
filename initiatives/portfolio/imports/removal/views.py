"""Page steps that throw a file away or undo its import, for admins."""

from django import forms
from django.contrib import messages
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from governance.models import User
from governance.people.permissions import may_import
from governance.permission_result import Answer
from governance.runtime.signed_in_request import SignedInRequest
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.page_steps import ROW_ACTS, Frame, RowAct
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.removal import actions as removal_actions

# Everyone finds the files. The permission of an act refuses with its reason.
ON_IMPORTS = Frame(
    nav="imports", seen=lambda rows, person: rows, template="initiatives/imports/import_step.html"
)


def _may_discard(batch: ImportBatch, person: User) -> Answer:
    return may_import(person) and removal_actions.may_discard(batch, person)


def _say_undone(request: SignedInRequest, made: int) -> None:
    count = 0 if made is True else made  # an act that returns nothing counts as True
    messages.success(
        request, phrase("The import is undone: {} initiatives are withdrawn.", count).in_language()
    )


ROW_ACTS["imports/discard"] = RowAct(
    rows=ImportBatch.objects.all(),
    frame=ON_IMPORTS,
    may=_may_discard,
    act=removal_actions.discard_batch,
    noun="batch",
    form=forms.Form,
    title=_("Discard the file?"),
    happens=(
        _("The rows of the file are deleted. The audit log keeps the upload and the name of the person."),
        _("The same file can be uploaded again."),
    ),
    after=lambda row, made, person: reverse("imports"),
    verb=_("Discard the file"),
    danger=True,
    done=_("The file is discarded. No row of the file was imported."),
)
ROW_ACTS["imports/undo"] = RowAct(
    rows=ImportBatch.objects.all(),
    frame=ON_IMPORTS,
    may=removal_actions.may_undo,
    act=removal_actions.undo_batch,
    noun="batch",
    title=_("Undo the import?"),
    happens=(
        lambda row: phrase(
            "{} initiatives are withdrawn. Withdrawn initiatives do not appear on pages, in menus, counts and "
            "reminders.",
            removal_actions.brought_by(row).count(),
        ),
        _("Reported stages are withdrawn. Roles that no one has accepted end."),
        _("References, rows of the file and the audit log stay. The same file can be imported again."),
    ),
    then=_say_undone,
    after=lambda row, made, person: reverse("imports"),
    verb=_("Undo the import"),
    danger=True,
    done="",
)
