"""Stubs: the part of a non-confidential initiative that every user sees. They prevent duplicates."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404

from governance.models import User
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import Role
from initiatives.lifecycle.access.initiative_lookup import with_ref
from initiatives.lifecycle.access.visibility import visible_to
from initiatives.models import Initiative, RoleAssignment


@dataclass(frozen=True)
class Stub:
    """The part of an initiative that every user sees, such as title and contact.

    `link` is the initiative, for a person who may open it, and `words` are those it shares with the text.
    `must_write` is True if its owner, who also owns the new initiative, still has to write its post-mortem.
    """

    ref: str
    title: str
    unit: str
    stage: str
    ask: str
    link: str = ""
    words: str = ""
    must_write: bool = False


def to_tell(initiatives: QuerySet, visible: QuerySet) -> QuerySet:
    """Return these initiatives with the rows of `stub_of`. `visible` has those that the person may open."""
    owners = RoleAssignment.objects.in_force().filter(role=Role.OWNER).select_related("person")
    return (
        initiatives.annotate(may_open=Exists(visible.filter(pk=OuterRef("pk"))))
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
    )


def stub_of(initiative: Initiative, words: str = "") -> Stub:
    """Return an initiative's stub, with a link for a person who may open it."""
    if initiative.owner_rows:
        ask = initiative.owner_rows[0].person.full_name
    elif initiative.registered_by and initiative.registered_by.is_active:
        ask = initiative.registered_by.full_name
    else:
        ask = ""
    link = initiative.get_absolute_url() if initiative.may_open else ""
    must_write = getattr(initiative, "must_write", False)
    return Stub(
        initiative.ref,
        initiative.title,
        initiative.unit.label,
        stage_word(initiative.stage),
        ask,
        link,
        words,
        must_write,
    )


def stub_for(person: User, ref: str) -> Stub:
    """Return the stub of the initiative with this reference.

    Raises Http404 if it is confidential or does not exist.
    """
    found = with_ref(to_tell(Initiative.objects.told(), visible_to(person)), ref)
    if found is None:
        raise Http404("This initiative does not exist, or you cannot see it.")
    return stub_of(found)
