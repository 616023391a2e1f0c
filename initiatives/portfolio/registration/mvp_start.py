"""The page "Start the MVP": what an initiative records before the gate to MVP, in one form.

Each part has a page alone as well, and the page uses its step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from governance import clock
from governance.contracts.templates import STARTERS
from governance.identity.proofs import ceremony
from governance.identity.proofs.ceremony import Proof
from governance.models import Clause, User
from governance.permission_result import no
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in.signing import SigningForm
from governance.vocabulary import Layer, Role, Stage
from governance.vocabulary.form_errors import put_errors
from governance.vocabulary.phrases import label, phrase
from initiatives.lifecycle.access import initiative_lookup
from initiatives.lifecycle.facts.initiative_rows import scope_ahead
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.act import act, together
from initiatives.lifecycle.initiative.initiative_frame import acted, initiative_context, sent
from initiatives.lifecycle.initiative.page_steps import INITIATIVE_ACTS, PageStep
from initiatives.lifecycle.requirements import standalone
from initiatives.models import Initiative


def _model(initiative: Initiative) -> str:
    running = initiative.deployments.running_at(clock.now()).filter(version__layer=Layer.MODEL)
    return ", ".join(str(one.version) for one in running.select_related("version"))


def _scope(initiative: Initiative) -> str:
    scope = scope_ahead(initiative)
    return str(scope.in_words) if scope is not None and scope.for_stage == Stage.MVP else ""


def _tier(initiative: Initiative) -> str:
    word = label(initiative.get_proposed_tier_display(), inside=True)
    return phrase("Proposed: {}", word) if initiative.proposed_tier else ""


def _people(initiative: Initiative) -> str:
    held = {row.get_role_display(): row.person for row in initiative.roles.open().select_related("person")}
    vacant = {*Role} - {row.role for row in initiative.roles.open()}
    return "" if vacant else ", ".join(f"{role}: {person}" for role, person in held.items())


def _systems(initiative: Initiative) -> str:
    names = [str(link.system) for link in initiative.links.current().select_related("system")]
    if names:
        return ", ".join(names)
    return phrase("Declared standalone") if standalone.current_declaration(initiative) else ""


@dataclass(frozen=True)
class Part:
    """One part of the page: the step that records it, what is recorded already, and fields that keep their values."""

    verb: str
    title: Any
    recorded: Callable[[Initiative], str]
    fixed: tuple[str, ...] = ()

    @property
    def step(self) -> PageStep:
        """Return the step that records the part."""
        return INITIATIVE_ACTS[self.verb]


PARTS = (
    Part("record-version", gettext_lazy("Model"), _model, fixed=("layer",)),
    Part("record-scope", gettext_lazy("Users, places and end"), _scope, fixed=("for_stage",)),
    Part("propose-tier", gettext_lazy("Risk tier"), _tier),
    Part("role-propose", gettext_lazy("People"), _people),
    Part("declare-alone", gettext_lazy("Standalone, without systems"), _systems),
)
Asked = tuple[Part, forms.BaseForm]  # a part that is still open, with its form


class StartForm(forms.Form):
    """The whole page. Parts that were left as they were are not saved, and at least one has to be filled in."""

    data: QueryDict

    starter = forms.ChoiceField(label=gettext_lazy("Contract template"), required=False)
    status = 200

    def __init__(self, *args, parts: list[Asked], recorded: dict[str, Any], starters: bool, **options):
        """Set up the page. `recorded` has the title of each part that someone has recorded, by its verb."""
        super().__init__(*args, **options)
        shown = self.data.getlist("shown") if self.is_bound else []
        self.meanwhile = [str(title) for verb, title in recorded.items() if verb in shown]
        self.filled = [(part, form) for part, form in parts if self.is_bound and form.has_changed()]
        choices = [(key, one.title) for key, one in STARTERS.items()]
        cast(forms.ChoiceField, self.fields["starter"]).choices = [("", _("none"))] + (
            choices if starters else []
        )

    def clean(self):
        """Check the parts that are filled in."""
        cleaned = super().clean() or self.cleaned_data
        if self.meanwhile:
            self.say_changed(self.meanwhile)
            return cleaned
        valid = [form.is_valid() for _part, form in self.filled]
        if not all(valid):
            raise ValidationError("No part was saved. Correct the fields that are marked.")
        if not self.filled and not cleaned.get("starter"):
            raise ValidationError("Fill in at least one part.")
        return cleaned

    def say_changed(self, names: list[str]) -> None:
        """Show the page again with the names of what changed after it was opened."""
        self.status = 409
        words = phrase("Changed after you opened this page: {}. No part was saved.", ", ".join(names))
        self.add_error(None, words)


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def start(request: SignedInRequest, ref: str) -> HttpResponse:
    """Show what is missing before the gate to MVP, or record the parts that are filled in: all of them or none."""
    initiative, person = initiative_lookup.initiative_for(request.user, ref), request.user
    initiative_permissions.may_manage(initiative, person).or_refuse()
    if initiative.stage != Stage.PROTOTYPE:
        no(
            "This initiative is not a prototype.", "Open the initiative.", initiative.get_absolute_url()
        ).or_refuse()
    recorded = [(part, part.recorded(initiative)) for part in PARTS]
    parts = {part.verb: (part, _form(part, initiative, request)) for part, words in recorded if not words}
    begun = Clause.objects.filter(version__contract__initiative=initiative).exists()
    done = {part.verb: part.title for part, words in recorded if words}
    form = StartForm(sent(request), parts=[*parts.values()], recorded=done, starters=not begun)

    def save() -> list[tuple[PageStep, Any]]:
        # Someone who takes a role signs its words alone. The entries of the other parts have no signature.
        proof = ceremony.take(person)
        # Links are declared in turn with what changes the register, so their lock comes first.
        with act("start the MVP", by=person, initiative=initiative, register=True), together():
            return [
                (part.step, _record(part, asked, initiative, person, proof)) for part, asked in form.filled
            ]

    if made := acted(request, form, save):
        for step, result in made if made is not True else ():
            step.then(request, result)
            if step.done:
                messages.success(request, str(step.done))
        if starter := form.cleaned_data["starter"]:
            return redirect("contract-start", initiative.ref, starter)
        return redirect(initiative)
    context = initiative_context(request, initiative, "initiative") | {
        "title": _("Start the MVP"),
        "frame": "form",
        "form": form,
        "parts": [_shown(part, words, parts.get(part.verb), initiative) for part, words in recorded],
        "begun": begun,
    }
    return render(request, "initiatives/registration/mvp_start.html", context, status=form.status)


def _shown(part: Part, recorded: str, asked: Asked | None, initiative: Initiative) -> dict[str, Any]:
    """Return a part as the page shows it. Fields that its own page folds are folded here too."""
    form: Any = asked[1] if asked else None
    return {
        "title": part.title,
        "verb": part.verb,
        "recorded": recorded,
        "alone": reverse("initiative-act", args=[initiative.ref, part.verb]),
        "form": form,
        "fixed": part.fixed,
        "first": getattr(form, "first", None) or (form.visible_fields() if form else []),
        "more": getattr(form, "more", []),
    }


def _form(part: Part, initiative: Initiative, request: SignedInRequest) -> forms.BaseForm:
    return part.step.form(sent(request), prefix=part.verb, **part.step.given(initiative, request))


def _record(
    part: Part, form: forms.BaseForm, initiative: Initiative, person: User, proof: Proof | None
) -> Any:
    """Record a part in the running act. Raises ValidationError after it put the errors on the form of the part."""
    try:
        with ceremony.signing(proof if isinstance(form, SigningForm) else None, initiative.contract_id):
            return part.step.act(initiative=initiative, by=person, **part.step.fields(form))
    except ValidationError as error:
        put_errors(form, error)
        raise ValidationError("No part was saved. Correct the fields that are marked.") from error
