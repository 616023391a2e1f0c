"""The forms that declare a pipeline, with the fields of its platform, and what it must show."""

from typing import Any, cast

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from governance.tables.forms import NumberField
from governance.vocabulary import EvidenceCondition, EvidenceKind, PipelinePlatform, Tested, ThresholdSide
from initiatives.integration.pipelines import platforms
from initiatives.integration.pipelines.actions import BAR_FORMATS, OWN_KEYS
from initiatives.models import PipelineBar


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


class BarForm(forms.Form):
    """The bar of a pipeline for one requirement. `names` are those of its `known` bar, or of its newest result."""

    requirement = forms.ChoiceField(label=_("Requirement"))
    format = forms.ChoiceField(
        label=_("The pipeline files"), choices=[(one.value, _(one.label)) for one in BAR_FORMATS]
    )
    tests = forms.CharField(
        label=_("Tests, drills or metric, each on its own line"),
        max_length=600_000,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_(
            "Name each test that must run, as class name and name. Further tests of a report do not count. "
            "A drill is named by its kind, fault and system."
        ),
    )
    tested = forms.ChoiceField(label=_("Subject"), required=False)
    condition = forms.ChoiceField(
        label=_("Test conditions"),
        required=False,
        choices=[("", "---------"), *((one.value, _(one.label)) for one in EvidenceCondition)],
    )
    threshold = NumberField(
        label=_("Threshold"),
        required=False,
        max_digits=24,
        decimal_places=12,
        help_text=_(
            "The least share of these tests that must pass, 1 if empty. The value that a metric must reach."
        ),
    )
    side = forms.ChoiceField(
        label=_("A metric is good at"),
        choices=[(one.value, _(one.label)) for one in ThresholdSide],
        initial=ThresholdSide.AT_LEAST.value,
    )

    def __init__(
        self,
        *args: Any,
        possible: dict,
        key: str,
        names: tuple[str, ...],
        known: PipelineBar | None,
        **options: Any,
    ):
        super().__init__(*args, **options)
        subjects = dict.fromkeys(word for asked in possible.values() for word in asked.tested)
        choices: dict[str, list] = {
            "requirement": [(one, f"{one}: {asked.question}") for one, asked in possible.items()],
            "tested": [("", "---------"), *((one, _(Tested(one).label)) for one in subjects)],
        }
        for name, words in choices.items():
            cast(forms.ChoiceField, self.fields[name]).choices = words
        if key in possible:
            asked = possible[key]
            self.initial = {
                **self.initial,
                "requirement": key,
                "format": BAR_FORMATS[0 if EvidenceKind.TEST_REPORT in asked.evidence else -1],
                "tested": asked.tested[0] if len(asked.tested) == 1 else "",
                "condition": asked.min_condition or "",
                "tests": "\n".join(names),
            }
        if known is not None:
            kept = ("format", "tested", "condition", "threshold", "side")
            self.initial = {**self.initial, **{name: getattr(known, name) for name in kept}}

    def act(self) -> dict[str, Any]:
        """Return the fields as the act takes them."""
        return self.cleaned_data | {"tests": self.cleaned_data["tests"].splitlines()}
