"""The forms of post-mortems: sections, layers of the cause, and lessons."""

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adoption.models import PostMortem
from adoption.models.postmortems import ASSUMED, FAILURE, FOUND, PATTERNS, SIDES, SUCCESS, VOICES
from adoption.postmortems import sections
from governance.vocabulary import Layer
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ListField, PersonField, WordsField
from initiatives.models import System

LAYER_CHOICES = [("", "not chosen yet"), *Layer.choices]
PATTERN_CHOICES = [("", "not chosen yet"), *PATTERNS.items()]
VOICE_CHOICES = [("", "no one in particular"), *VOICES.items()]
MOST = 40  # lessons, or rows of layers, in one post-mortem
GROUPS = [(side, said) for side in SIDES for said in (FOUND, ASSUMED)]
WORDS_OF_GROUPS = {
    (FAILURE, FOUND): phrase("Failure: layers of the actual cause, the most important first"),
    (FAILURE, ASSUMED): phrase("Failure: layers that people suspected first"),
    (SUCCESS, FOUND): phrase("Success: layers of the actual reason, the most important first"),
    (SUCCESS, ASSUMED): phrase("Success: layers that people named first"),
}


class Later:
    """A field that a draft can leave empty but handing in needs. It is not called optional."""

    def validate(self, value) -> None:
        """Accept an empty value."""
        if value:
            super().validate(value)


class LaterText(Later, forms.CharField):
    """The field for paragraphs, kept as they were typed."""

    def __init__(self, *, rows: int = 5, **options):
        options.setdefault("max_length", 20_000)
        super().__init__(strip=False, widget=forms.Textarea(attrs={"rows": rows}), **options)


class LaterChoice(Later, forms.ChoiceField):
    """The field for one of several options."""


class LaterList(Later, ListField):
    """The field for several words."""


class LaterMany(Later, forms.TypedMultipleChoiceField):
    """The field for some of several options."""


def _hidden(value: str) -> forms.CharField:
    return forms.CharField(required=False, max_length=40, initial=value, widget=forms.HiddenInput())


class PostMortemForm(forms.Form):
    """The form for a draft. Saving requires no field. Handing in shows what is lacking."""

    use_required_attribute = False

    def __init__(self, data=None, *, post_mortem: PostMortem, mine=None):
        """Build the fields. `mine`: texts that clash with a newer save, by section, shown beside it."""
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
                phrase("Reason for no lesson"),
                phrase("Fill in this field only if you wrote no lesson above. The adoption seat must agree."),
                False,
            ),
            (
                "no_gaps_because",
                phrase("Reason for no gap"),
                phrase(
                    "Fill in this field only if the initiative has no gap. Record each open problem as a gap "
                    "with an owner and a date."
                ),
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
        """Return the number of rows to show: the current or sent ones, and one more."""
        sent = 0
        while self.is_bound and sent < MOST and name.format(sent) in self.data:
            sent += 1
        return min(MOST, max(sent, current + spare))

    def _cause(self, prefix: str, said: str, row: dict, place: int) -> list[str]:
        number = f" ({place + 1})" if place else ""
        self.fields[f"{prefix}_layer"] = LaterChoice(
            label=gettext("Layer%(number)s") % {"number": number},
            choices=LAYER_CHOICES,
            initial=row.get("layer", ""),
        )
        names = [f"{prefix}_layer"]
        if said == ASSUMED:
            self.fields[f"{prefix}_by_whom"] = LaterChoice(
                label=gettext("Source of the assumption%(number)s") % {"number": number},
                choices=VOICE_CHOICES,
                initial=row.get("by_whom", ""),
            )
            names.append(f"{prefix}_by_whom")
        self.fields[f"{prefix}_grounds"] = LaterText(
            label=f"{gettext('How do you know?') if said == FOUND else gettext('Assumption')}{number}",
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
        prefix, number = f"lesson_{place}", phrase(" (lesson {})", place + 1)
        self.fields[f"{prefix}_key"] = _hidden(str(pk or ""))
        self.fields[f"{prefix}_mark"] = _hidden(began)
        self.fields[prefix] = LaterText(
            label=gettext("Lesson %(value)s") % {"value": place + 1},
            rows=2,
            max_length=4000,
            initial=lesson["text"],
            help_text=_(
                "Write one sentence that would have helped you. Clear the field to remove the lesson."
            )
            if not place
            else "",
        )
        self.fields[f"{prefix}_instead"] = LaterText(
            label=gettext("Better alternative%(number)s") % {"number": number},
            rows=2,
            max_length=4000,
            initial=lesson["instead"],
        )
        self.fields[f"{prefix}_layer"] = LaterChoice(
            label=gettext("Layer%(number)s") % {"number": number},
            choices=LAYER_CHOICES,
            initial=lesson["layer"],
        )
        self.fields[f"{prefix}_pattern"] = LaterChoice(
            label=gettext("Kind of problem%(number)s") % {"number": number},
            choices=PATTERN_CHOICES,
            initial=lesson["pattern"],
        )
        more = [f"{prefix}_tags", f"{prefix}_vendors"]
        self.fields[more[0]] = LaterList(
            label=gettext("Tags%(number)s") % {"number": number}, required=False, initial=lesson["tags"]
        )
        self.fields[more[1]] = LaterList(
            label=gettext("Vendors%(number)s") % {"number": number},
            required=False,
            initial=lesson["vendors"],
            help_text=_("Separate the names with commas."),
        )
        if self.systems:
            more.append(f"{prefix}_systems")
            self.fields[more[2]] = LaterMany(
                label=gettext("Systems%(number)s") % {"number": number},
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
        """Return the texts by section."""
        return {name: self.cleaned_data.get(name, "") for name in PostMortem.TEXTS if name in self.fields}

    def causes(self) -> list[dict]:
        """Return the layers it is put down to, in order."""
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
        """Return the lessons in order, each with the key of the row that it changes."""
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
        """Return the marks of what the page showed, by section."""
        marks = {name: self.cleaned_data.get(f"{name}_mark", "") for name in (*self.texts(), sections.CAUSES)}
        for place, lesson in enumerate(self.lessons()):
            marks[f"lesson:{lesson['pk']}"] = self.cleaned_data.get(f"lesson_{place}_mark", "")
        return marks


class ConfirmForm(forms.Form):
    """The form for the answer of the adoption seat."""

    note = forms.CharField(
        label=_("Message to the writers"),
        help_text=_("Fill in this field if you send the post-mortem back. Describe what is missing."),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    no_lesson = forms.BooleanField(
        label=_("I agree that this post-mortem has no lesson for others"), required=False
    )

    def __init__(self, *args, without_lesson: bool, **options):
        super().__init__(*args, **options)
        if not without_lesson:
            del self.fields["no_lesson"]


class CommentForm(forms.Form):
    """The form for a reader's comment on one section."""

    section = forms.ChoiceField(label=_("About"), required=False)
    text = WordsField(label=_("Your comment"), max_length=4000)

    def __init__(self, *args, post_mortem: PostMortem, **options):
        super().__init__(*args, **options)
        names = ["", *sections.names_of(post_mortem)]
        self.fields["section"].choices = [(name, sections.heading_of(post_mortem, name)) for name in names]


class AttachForm(forms.Form):
    """The form for a file to keep with it."""

    title = forms.CharField(label=_("Title"), max_length=200)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "PDF, pictures, office files or plain text. The file is kept with its hash and does not "
            "count as evidence."
        ),
    )


class LinkedGapForm(forms.Form):
    """The form for an open problem of the post-mortem with effects downstream."""

    text = WordsField(label=_("Unresolved problem"))
    owner = PersonField(label=_("Owner"))
    due = DayField(label=_("Due"))
    downstream = ListField(
        label=_("Affected downstream"),
        help_text=_("Systems or teams, separated by commas. The page of the initiative shows these names."),
    )
