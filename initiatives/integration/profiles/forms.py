"""The form by which a data profile is sent."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from governance import clock
from governance.tables.encodings import CODE_PAGES
from governance.web.form_fields import DayField
from initiatives.models import Initiative, System


class DataProfileForm(forms.Form):
    """A result of a tool, or a table to be counted."""

    system = forms.ModelChoiceField(
        label=_("System"), queryset=System.objects.none(), empty_label=_("choose a system of this initiative")
    )
    data_set = forms.CharField(
        label=_("Data set"),
        max_length=160,
        required=False,
        help_text=_(
            "For example: customers. Plumbline compares a profile with the last profile of the same data set."
        ),
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "Choose the JSON file of Great Expectations, Evidently or ydata-profiling. If you use none of "
            "these tools, send the table as csv or xlsx. The file is not kept."
        ),
    )
    taken_on = DayField(label=_("Data of"), help_text=_("The day on which the data were read."))
    encoding = forms.ChoiceField(
        label=_("Code page"),
        required=False,
        choices=[("", _("detect from the file")), *CODE_PAGES.items()],
        help_text=_("Choose a code page only if Plumbline asks you to."),
    )

    def __init__(self, *args: Any, initiative: Initiative, **options: Any):
        options.setdefault("initial", {"taken_on": clock.today()})
        super().__init__(*args, **options)
        linked = initiative.links.current().values("system")
        self.fields["system"].queryset = System.objects.filter(pk__in=linked).order_by("name")

    def act(self) -> dict[str, Any]:
        """The fields as the act takes them."""
        fields = dict(self.cleaned_data)
        return fields | {"upload": fields.pop("file")}
