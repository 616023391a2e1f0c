"""Page steps of the declaration that an initiative is standalone."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from governance import clock
from governance.models import User
from governance.models.sign_in import KEY_SCOPES, ServiceKey
from governance.permission_result import Answer, no
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.requirements import standalone
from initiatives.models import Initiative, StandaloneDeclaration

UNTIL = gettext_lazy(
    "The declaration ends with the first recorded link. An API key does not end the declaration."
)


INITIATIVE_ACTS["declare-alone"] = PageStep(
    may=initiative_permissions.may_manage,
    act=standalone.declare,
    page="integration",
    title=gettext_lazy("Declare the initiative standalone"),
    lede=gettext_lazy(
        "A standalone initiative reads from no system, writes to none and has no fallback system. If a "
        "system will ask Plumbline for decisions or send it reports, name that system in the reason."
    ),
    happens=(
        gettext_lazy(
            "A seat that signs for the inventory of systems accepts the declaration, or declines it with "
            "a reason."
        ),
        UNTIL,
    ),
    verb=gettext_lazy("Declare standalone"),
    done=gettext_lazy(
        "The initiative is declared standalone. The declaration counts when a seat has accepted it."
    ),
)


def _may_accept(initiative: Initiative, person: User) -> Answer:
    if (row := standalone.current_declaration(initiative)) is None:
        there = reverse("integration", args=[initiative.ref])
        return no(
            "No one has declared this initiative standalone.", "Open the systems of the initiative.", there
        )
    return standalone.may_accept(initiative, row, person)


def _accept(*, initiative: Initiative, by: User) -> StandaloneDeclaration:
    return standalone.accept(declaration=standalone.current_declaration(initiative), by=by)


def _facts(initiative: Initiative, request: SignedInRequest) -> dict:
    row = standalone.current_declaration(initiative)
    said = {"declaration": row.pk, "reason": row.reason, "declared_by": row.declared_by}
    return {"facts": said, "purpose": f"accept that {initiative.ref} is standalone"}


def _accepted(initiative: Initiative) -> list:
    row = standalone.current_declaration(initiative)
    return [
        f"Declared by {row.declared_by}. You confirm that the empty register is correct.",
        *_keys_of(initiative),
        UNTIL,
    ]


INITIATIVE_ACTS["accept-alone"] = PageStep(
    may=_may_accept,
    act=_accept,
    form=SigningForm,
    given=_facts,
    signed="standalone",
    page="integration",
    title=gettext_lazy("Accept that the initiative is standalone"),
    lede=lambda row: standalone.current_declaration(row).reason,
    happens=_accepted,
    verb=gettext_lazy("Accept the declaration"),
    done=gettext_lazy("Accepted."),
)


def _keys_of(initiative) -> list[str]:
    """Return the uses of the valid API keys of the initiative's systems, in words."""
    keys = ServiceKey.objects.filter(contract__initiative=initiative).order_by("system", "pk")
    return [
        _("API key of %(system)s: %(uses)s.")
        % {"system": key.system, "uses": ", ".join(KEY_SCOPES[scope] for scope in key.scopes)}
        for key in keys
        if key.good_at(clock.now())
    ]
