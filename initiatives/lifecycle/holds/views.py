"""The page on which the chair lets one decision pass an overdue obligation."""

from django import forms
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _

from governance.permission_result import ended
from governance.templatetags.plumbline import day
from governance.web.form_fields import WordsField
from initiatives.lifecycle.access import initiative_lookup, roles_and_seats, visibility
from initiatives.lifecycle.holds import deeds
from initiatives.lifecycle.holds.actions import held_up
from initiatives.lifecycle.initiative import permissions as initiative_permissions
from initiatives.lifecycle.initiative.initiative_frame import acted, ask, sent
from initiatives.models import Initiative, Obligation


class ExcuseForm(forms.Form):
    """The initiative whose decision may pass an obligation, and the reason."""

    initiative = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("For the decision on"),
        empty_label=gettext_lazy("choose"),
        error_messages={"required": "Choose the initiative whose decision you allow."},
        help_text=gettext_lazy(
            "The list contains only initiatives that you decide on. This obligation blocks their MVP or "
            "production review."
        ),
    )
    reason = WordsField(label=gettext_lazy("Reason to allow the decision"))

    def __init__(self, *args, initiatives, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["initiative"].queryset = Initiative.objects.filter(
            pk__in=[initiative.pk for initiative in initiatives]
        )
        if len(initiatives) == 1:
            self.fields["initiative"].initial = initiatives[0].pk


def _what_is_due(obligation: Obligation, person) -> str:
    """Return the obligation in words. A chair who may not open its confidential initiative reads only the day."""
    said = {"day": day(obligation.due), "value": obligation.responsible or "no one"}
    if obligation.initiative.confidential and not visibility.may_see(obligation.initiative, person):
        return gettext("An obligation on a confidential initiative. Due %(day)s, from %(value)s.") % said
    said |= {"ended": ended(obligation.text), "ref": obligation.initiative.ref}
    return gettext("%(ended)s Due %(day)s, from %(value)s on %(ref)s.") % said


def excuse(request, pk):
    """Let one decision pass an overdue obligation, as the chair there."""
    obligation = get_object_or_404(deeds.OBLIGATIONS, pk=pk)
    held = [
        initiative
        for initiative in held_up(obligation)
        if roles_and_seats.is_acting_chair(initiative, request.user)
    ]
    if not held:  # whoever decides on none of what it holds up opens it as any obligation of the initiative
        obligation = initiative_lookup.of_initiative(deeds.OBLIGATIONS, request.user, pk)
        initiative_permissions.may_raise(obligation.initiative, request.user).or_refuse()
    initiative = held[0] if len(held) == 1 else obligation.initiative
    form = ExcuseForm(sent(request), initiatives=held)
    given = {"obligation": obligation, "by": request.user}
    if acted(request, form, lambda: deeds.excuse_obligation(**given, **form.cleaned_data)):
        messages.success(request, _("You allowed one decision. The obligation is still due."))
        return redirect(initiative)
    return ask(
        request,
        initiative,
        "initiative",
        form,
        title=_("Allow one decision despite this obligation"),
        lede=_what_is_due(obligation, request.user),
        happens=[
            _("You can allow one decision on the chosen initiative although this obligation is due."),
            _(
                "The obligation stays due and blocks every other initiative of the same person. You can "
                "allow this once for each initiative."
            ),
        ],
        verb=_("Allow the decision"),
    )
