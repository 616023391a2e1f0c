"""The post-mortem as a form: its sections, the layers it is put down to, and lessons with room for one more."""

from django import forms
from django.utils.translation import gettext_lazy as _

from adoption.models import PostMortem
from adoption.models.postmortems import ASSUMED, FAILURE, FOUND, PATTERNS, SIDES, SUCCESS, VOICES
from adoption.postmortems import sections
from governance.vocabulary import Layer
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.models import System

LAYER_CHOICES = [("", "not chosen yet"), *Layer.choices]
PATTERN_CHOICES = [("", "not chosen yet"), *PATTERNS.items()]
VOICE_CHOICES = [("", "nobody in particular"), *VOICES.items()]
MOST = 40  # lessons, or rows of layers, in one post-mortem
GROUPS = [(side, said) for side in SIDES for said in (FOUND, ASSUMED)]
WORDS_OF_GROUPS = {
    (FAILURE, FOUND): "Failure: the layer it was found in, the main one first",
    (FAILURE, ASSUMED): "Failure: the cause that was assumed at first",
    (SUCCESS, FOUND): "Success: the layer that was found to carry it, the main one first",
    (SUCCESS, ASSUMED): "Success: the cause that was assumed at first",
}


class Later:
    """A field that handing in needs and saving a draft does not: not called optional, and never refused empty."""

    def validate(self, value) -> None:
        """Nothing is wrong with leaving it for later."""
        if value:
            super().validate(value)


class LaterText(Later, forms.CharField):
    """Paragraphs, kept as they were typed."""

    def __init__(self, *, rows: int = 5, **options):
        options.setdefault("max_length", 20_000)
        super().__init__(strip=False, widget=forms.Textarea(attrs={"rows": rows}), **options)


class LaterChoice(Later, forms.ChoiceField):
    """One of several."""


class LaterList(Later, ListField):
    """Several words."""


class LaterMany(Later, forms.TypedMultipleChoiceField):
    """Some of several."""


def _hidden(value: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=40, initial=value, widget=forms.HiddenInput())


class PostMortemForm(forms.Form):
    """A draft. Nothing is required to save it; handing it in says what is still lacking."""

    use_required_attribute = False

    def __init__(self, data=None, *, post_mortem: PostMortem, mine=None):
        """`mine`: what somebody typed where others saved meanwhile, by the name of the section; shown beside it."""
        super().__init__(data, auto_id="id_%s")
        self.post_mortem, self.mine = post_mortem, mine or {}
        self._texts()
        self.cause_rows = self._causes()
        self.lesson_rows = self._lessons()

    # --- What is asked

    def _texts(self) -> None:
        asked = [
            (one.name, one.heading, one.prompt, one.needed) for one in sections.sections_of(self.post_mortem)
        ]
        asked += [
            (
                "no_lesson_because",
                "There is no lesson, because",
                "Only where no lesson is written above. The adoption seat has to agree.",
                False,
            ),
            (
                "no_gaps_because",
                "Nothing is left open, because",
                "Only where no gap is recorded on the initiative. What is still open is recorded there, with "
                "owner and day.",
                False,
            ),
        ]
        for name, label, prompt, needed in asked:
            stands = getattr(self.post_mortem, name)
            self.fields[name] = LaterText(
                label=label, help_text=prompt, required=needed, initial=self.mine.get(name, stands)
            )
            self.fields[f"{name}_mark"] = _hidden(sections.mark(stands))

    def _causes(self) -> list[dict]:
        stands = sections.causes(self.post_mortem)
        self.fields["causes_mark"] = _hidden(sections.mark(stands))
        shown = self.mine.get(sections.CAUSES, stands)
        groups = []
        for side, said in GROUPS:
            rows = [row for row in shown if (row["side"], row["said"]) == (side, said)]
            prefix = f"{said}_{side}"
            count = self._room(f"{prefix}_{{}}_layer", len(rows))
            names = [
                self._cause(f"{prefix}_{n}", said, rows[n] if n < len(rows) else {}, n) for n in range(count)
            ]
            groups.append({"side": side, "said": said, "words": WORDS_OF_GROUPS[side, said], "names": names})
        return groups

    def _room(self, name: str, current: int, spare: int = 1) -> int:
        """How many rows to show: those that stand, or as many as were sent, and room for one more."""
        sent = 0
        while self.is_bound and sent < MOST and name.format(sent) in self.data:
            sent += 1
        return min(MOST, max(sent, current + spare))

    def _cause(self, prefix: str, said: str, row: dict, place: int) -> list[str]:
        number = f" ({place + 1})" if place else ""
        self.fields[f"{prefix}_layer"] = LaterChoice(
            label=f"Layer{number}",
            choices=LAYER_CHOICES,
            initial=row.get("layer", ""),
        )
        names = [f"{prefix}_layer"]
        if said == ASSUMED:
            self.fields[f"{prefix}_by_whom"] = LaterChoice(
                label=f"By whom{number}", choices=VOICE_CHOICES, initial=row.get("by_whom", "")
            )
            names.append(f"{prefix}_by_whom")
        self.fields[f"{prefix}_grounds"] = LaterText(
            label=f"{'How you know' if said == FOUND else 'In which words'}{number}",
            rows=2,
            max_length=4000,
            initial=row.get("grounds", ""),
        )
        return [*names, f"{prefix}_grounds"]

    def _lessons(self) -> list[dict]:
        systems = System.objects.filter(links__initiative=self.post_mortem.initiative_id).distinct()
        self.systems = [(row.pk, row.name) for row in systems.order_by("name")]
        current = list(self.post_mortem.lessons.current())
        shown = [
            (
                row.pk,
                sections.mark(sections.lesson_of(row)),
                self.mine.get(f"lesson:{row.pk}", sections.lesson_of(row)),
            )
            for row in current
        ]
        count = self._room("lesson_{}", len(shown))
        empty = {
            name: [] if name in ("tags", "systems", "vendors") else "" for name in sections.LESSON_FIELDS
        }
        shown += [(None, "", empty)] * (count - len(shown))
        return [self._lesson(n, *row) for n, row in enumerate(shown)]

    def _lesson(self, place: int, pk, began: str, lesson: dict) -> dict:
        prefix, number = f"lesson_{place}", f" (lesson {place + 1})"
        self.fields[f"{prefix}_key"] = _hidden(str(pk or ""))
        self.fields[f"{prefix}_mark"] = _hidden(began)
        self.fields[prefix] = LaterText(
            label=f"Lesson {place + 1}",
            rows=2,
            max_length=4000,
            initial=lesson["text"],
            help_text=_("One sentence that would have helped you. Empty it to remove it.")
            if not place
            else "",
        )
        self.fields[f"{prefix}_instead"] = LaterText(
            label=f"What to do instead{number}", rows=2, max_length=4000, initial=lesson["instead"]
        )
        self.fields[f"{prefix}_layer"] = LaterChoice(
            label=f"Its layer{number}", choices=LAYER_CHOICES, initial=lesson["layer"]
        )
        self.fields[f"{prefix}_pattern"] = LaterChoice(
            label=f"What it is about{number}", choices=PATTERN_CHOICES, initial=lesson["pattern"]
        )
        more = [f"{prefix}_tags", f"{prefix}_vendors"]
        self.fields[more[0]] = LaterList(label=f"Tags{number}", required=False, initial=lesson["tags"])
        self.fields[more[1]] = LaterList(
            label=f"Vendors{number}",
            required=False,
            initial=lesson["vendors"],
            help_text=_("Separated by commas."),
        )
        if self.systems:
            more.append(f"{prefix}_systems")
            self.fields[more[2]] = LaterMany(
                label=f"Systems{number}",
                required=False,
                choices=self.systems,
                coerce=int,
                initial=lesson["systems"],
                widget=forms.CheckboxSelectMultiple,
            )
        names = [prefix, f"{prefix}_instead"]
        return {"pk": pk, "names": names, "pair": [f"{prefix}_layer", f"{prefix}_pattern"], "more": more}

    # --- What was typed

    def texts(self) -> dict[str, str]:
        """The texts, by section."""
        return {name: self.cleaned_data.get(name, "") for name in PostMortem.TEXTS if name in self.fields}

    def causes(self) -> list[dict]:
        """The layers it is put down to, in order."""
        return [
            {"side": group["side"], "said": group["said"]}
            | {
                name.rpartition(f"{group['side']}_")[2].partition("_")[2]: self.cleaned_data.get(name, "")
                for name in names
            }
            for group in self.cause_rows
            for names in group["names"]
        ]

    def lessons(self) -> list[dict]:
        """The lessons in order, each with the key of the row that it changes."""
        found = []
        for place in range(len(self.lesson_rows)):
            prefix = f"lesson_{place}"
            key = self.cleaned_data.get(f"{prefix}_key", "")
            said = {
                name: self.cleaned_data.get(f"{prefix}_{name}")
                or ([] if name in ("tags", "systems", "vendors") else "")
                for name in sections.LESSON_FIELDS[1:]
            }
            pk = int(key) if key.isdecimal() and len(key) < 16 else None
            found.append({"pk": pk, "text": self.cleaned_data.get(prefix, "")} | said)
        return found

    def began(self) -> dict[str, str]:
        """The marks of what the page showed, by section."""
        marks = {name: self.cleaned_data.get(f"{name}_mark", "") for name in (*self.texts(), sections.CAUSES)}
        for place, lesson in enumerate(self.lessons()):
            marks[f"lesson:{lesson['pk']}"] = self.cleaned_data.get(f"lesson_{place}_mark", "")
        return marks


class ConfirmForm(forms.Form):
    """The word of the adoption seat."""

    note = forms.CharField(
        label=_("Your words to its writers"),
        help_text=_("Needed to send it back: what is missing."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    no_lesson = forms.BooleanField(
        label=_("I agree that nothing can be learned from it for others"), required=False
    )

    def __init__(self, *args, without_lesson: bool, **options):
        super().__init__(*args, **options)
        if not without_lesson:
            del self.fields["no_lesson"]


class CommentForm(forms.Form):
    """What a reader says about one section."""

    section = forms.ChoiceField(label=_("About"), required=False)
    text = WordsField(label=_("Your comment"), max_length=4000)

    def __init__(self, *args, post_mortem: PostMortem, **options):
        super().__init__(*args, **options)
        names = ["", *sections.names_of(post_mortem)]
        self.fields["section"].choices = [(name, sections.heading_of(post_mortem, name)) for name in names]


class AttachForm(forms.Form):
    """A file to keep with it."""

    title = forms.CharField(label=_("What it shows"), max_length=200)
    file = forms.FileField(
        label=_("File"),
        help_text=_("PDF, pictures, office files or plain text. Kept with its hash; it is no evidence."),
    )


class LinkedGapForm(forms.Form):
    """Something unresolved that bites downstream, recorded from the post-mortem."""

    text = WordsField(label=_("What is unresolved"))
    owner = PersonField(label=_("Who owns it"))
    due = DayField(label=_("By when"))
    downstream = ListField(
        label=_("What it touches downstream"),
        help_text=_("Systems or teams, separated by commas; they are named on the initiative."),
    )
