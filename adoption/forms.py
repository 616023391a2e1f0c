"""The post-mortem as a form: its words, and as many lessons as there are with room for two more."""

from django import forms

from adoption.models import PostMortem
from initiatives.models.versions import LAYERS

LAYER_CHOICES = [("", "not chosen yet"), *LAYERS.items()]
ROOM = 2  # empty lessons offered below those that are written
MOST = 40  # lessons in one post-mortem


class Later:
    """A field that publishing needs and saving a draft does not: not called optional, and never refused empty."""

    def validate(self, value) -> None:
        """Nothing is wrong with leaving it for later."""
        if value:
            super().validate(value)


class LaterText(Later, forms.CharField):
    """Paragraphs."""


class LaterChoice(Later, forms.ChoiceField):
    """One of several."""


def paragraphs(label: str, help_text: str, **options) -> LaterText:
    """A field for some paragraphs, kept as they were typed."""
    return LaterText(
        label=label,
        help_text=help_text,
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        **options,
    )


class PostMortemForm(forms.Form):
    """A draft. Nothing is required to save it; publishing says what is still lacking."""

    timeline = paragraphs("What happened when", "Dates first, facts only: what was seen, decided and done.")
    impact = paragraphs("What it did", "To whom, for how long, at what cost. Say so too when there was none.")
    attribution = paragraphs(
        "In which layer it lay, and how you know",
        "Layers are causes, people are not: what made the mistake easy to make?",
    )
    blamed_layer = forms.ChoiceField(
        label="The layer that was blamed at first",
        choices=LAYER_CHOICES,
        required=False,
        help_text="Often the model. It is kept apart from what was found.",
    )
    found_layer = LaterChoice(label="The layer it was found in", choices=LAYER_CHOICES)
    no_gaps_because = paragraphs(
        "Nothing is left open, because",
        "Only where no gap is recorded on the case. What is still open is recorded there, with owner and day.",
        required=False,
    )

    use_required_attribute = False

    def __init__(self, *args, lessons=(), **kwargs):
        """`lessons`: dicts of pk, text, layer that stand now."""
        super().__init__(*args, **kwargs)
        self.places = self._places(lessons)
        for place, lesson in enumerate(self.places):
            self.fields[f"lesson_{place}"] = forms.CharField(
                label=f"Lesson {place + 1}",
                required=False,
                max_length=4000,
                initial=lesson["text"],
                help_text="One sentence that would have helped you. Empty it to take it out."
                if not place
                else "",
                widget=forms.Textarea(attrs={"rows": 2}),
            )
            self.fields[f"lesson_{place}_layer"] = forms.ChoiceField(
                label=f"Its layer (lesson {place + 1})",
                choices=LAYER_CHOICES,
                required=False,
                initial=lesson["layer"],
            )

    def _places(self, lessons) -> list[dict]:
        """The rows of lessons: those that stand, those that were posted beyond them, and room for more."""
        rows = list(lessons)
        posted = 0
        while self.is_bound and posted < MOST and f"lesson_{posted}" in self.data:
            posted += 1
        wanted = min(MOST, max(posted, len(rows) + ROOM))
        return rows + [{"pk": None, "text": "", "layer": ""}] * (wanted - len(rows))

    def lessons(self) -> list[dict]:
        """What was typed, in order: pk, text, layer."""
        return [
            {
                "pk": lesson["pk"],
                "text": self.cleaned_data.get(f"lesson_{place}", ""),
                "layer": self.cleaned_data.get(f"lesson_{place}_layer", ""),
            }
            for place, lesson in enumerate(self.places)
        ]

    def words(self) -> dict[str, str]:
        """The words beside the lessons."""
        return {name: self.cleaned_data.get(name, "") for name in self.base_fields}


def form_for(post_mortem: PostMortem, data=None) -> PostMortemForm:
    """The form of a post-mortem, with what stands now or with what was typed."""
    lessons = list(post_mortem.lessons.filter(removed_at__isnull=True).values("pk", "text", "layer"))
    names = PostMortemForm.base_fields
    return PostMortemForm(
        data, lessons=lessons, initial={name: getattr(post_mortem, name) for name in names}, auto_id="id_%s"
    )


class ConfirmForm(forms.Form):
    """The word of the adoption seat."""

    note = forms.CharField(
        label="Your words to its writers",
        help_text="Needed to send it back: what is missing.",
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
