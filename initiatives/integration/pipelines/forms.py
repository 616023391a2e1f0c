"""The form that declares a pipeline, with the fields of its platform."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from governance.vocabulary import PipelinePlatform
from initiatives.integration.pipelines import platforms
from initiatives.integration.pipelines.actions import OWN_KEYS


def _told(words: str) -> Any:
    """Return words of a platform in the language of the reader, or "" for none."""
    return _(words) if words else ""


class PipelineForm(forms.Form):
    """A pipeline on one platform. The fields after its name are those of the platform."""

    name = forms.CharField(
        label=_("Name"),
        max_length=120,
        help_text=_("The name that people use for the pipeline, for example: Claims, tests."),
    )

    def __init__(self, *args: Any, platform: str, **options: Any):
        super().__init__(*args, **options)
        self.platform = platform if platform in PipelinePlatform else PipelinePlatform.GITHUB.value
        rules = platforms.PLATFORMS[self.platform]
        if self.platform != PipelinePlatform.GITHUB:
            self.fields["issuer"] = forms.CharField(
                label=_("Issuer"), max_length=255, initial=rules.issuer, help_text=_told(rules.issuer_help)
            )
        for one in rules.fields:
            self.fields[one.name] = self._field(one, rules)
        if self.platform in OWN_KEYS:
            self.fields["keys"] = forms.CharField(
                label=_("Public keys"),
                required=False,
                max_length=20_000,
                widget=forms.Textarea(attrs={"rows": 3}),
                help_text=_(
                    "Only if Plumbline cannot reach the issuer. Enter the JSON that it publishes at its jwks_uri."
                ),
            )

    @staticmethod
    def _field(one: platforms.Field, rules: platforms.Platform) -> forms.Field:
        if one.name == platforms.OWN_RUNNERS:
            return forms.BooleanField(
                label=_(one.label),
                required=False,
                help_text=_told(one.help),
                widget=forms.CheckboxInput(attrs={"value": platforms.YES}),
            )
        words = [_told(one.help)] if one.help else []
        if rules.either and one.name == rules.either[0]:
            words.append(_told(rules.shared_rule))
        words.append(format_lazy(_("Example: {example}"), example=one.example))
        return forms.CharField(
            label=_(one.label),
            required=one.asked,
            max_length=platforms.LONGEST,
            help_text=format_lazy(" ".join(["{}"] * len(words)), *words),
        )

    def act(self) -> dict[str, Any]:
        """Return the fields as the act takes them."""
        given = dict(self.cleaned_data)
        said = {name: given.pop(name) for name in ("name", "issuer", "keys") if name in given}
        if platforms.OWN_RUNNERS in given:
            given[platforms.OWN_RUNNERS] = platforms.YES if given[platforms.OWN_RUNNERS] else ""
        return said | {"platform": self.platform, "bound": given}
