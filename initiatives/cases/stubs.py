"""Stubs: what everybody signed in sees of a case that is not confidential, so that nobody builds twice."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.http import Http404

from governance.models import User
from governance.templatetags.plumbline import stage_word
from governance.vocabulary import Role
from initiatives.access.case_lookup import with_ref
from initiatives.access.permissions import visible_to
from initiatives.models import Initiative, RoleAssignment


@dataclass(frozen=True)
class Stub:
    """What everybody signed in sees of a case that is not confidential: ref, title, unit, stage, whom to ask.

    `link`: the case, for whoever may open it. `words`: what it has in common with what was written; `owes`: its owner,
    who is the owner of the new case, too, still owes its post-mortem.
    """

    ref: str
    title: str
    unit: str
    stage: str
    ask: str
    link: str = ""
    words: str = ""
    owes: bool = False


def to_tell(cases: QuerySet, visible: QuerySet) -> QuerySet:
    """These cases with what `stub_of` reads. `visible`: the cases the person may open."""
    owners = RoleAssignment.objects.in_force().filter(role=Role.OWNER).select_related("person")
    return (
        cases.annotate(may_open=Exists(visible.filter(pk=OuterRef("pk"))))
        .select_related("unit", "registered_by")
        .prefetch_related(Prefetch("roles", queryset=owners, to_attr="owner_rows"))
    )


def stub_of(case: Initiative, words: str = "") -> Stub:
    """The stub of a case of `to_tell`; whoever may open it is led to the case."""
    if case.owner_rows:
        ask = case.owner_rows[0].person.full_name
    elif case.registered_by and case.registered_by.is_active:
        ask = case.registered_by.full_name
    else:
        ask = ""
    link = case.get_absolute_url() if case.may_open else ""
    owes = getattr(case, "owes", False)
    return Stub(case.ref, case.title, case.unit.label, stage_word(case.stage), ask, link, words, owes)


def stub_for(person: User, ref: str) -> Stub:
    """The stub of the case with this reference. Raises Http404 where it is confidential, as where there is none."""
    found = with_ref(to_tell(Initiative.objects.told(), visible_to(person)), ref)
    if found is None:
        raise Http404("No such initiative, or not yours to see.")
    return stub_of(found)
