"""The form of one clause: the fields of its kind, and their conversion into terms."""

import re
from datetime import time

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy

from governance.contracts.clauses import (
    ASK,
    COMPARISONS,
    CONSEQUENCES,
    DAY_MINUTES,
    FAILURES,
    LARGEST,
    NUMERIC,
    PARTS,
    SHORTEST_RETENTION,
    WEEKDAYS,
    Terms,
    Test,
)
from governance.contracts.wording import APPROVERS, major_units, minor_units, sentence
from governance.models.contracts import VOCABULARY, VocabularyWord
from governance.tables.forms import NumberField, WholeNumberField
from governance.vocabulary.currencies import wrong_currency
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField, ListField, control_id
from initiatives.contracts.documents.actions import Written
from initiatives.contracts.documents.forms import LONGEST_WORDS, KeyField, proposed_key

TEST_ROWS = 3
LONGEST_SENTENCE = 4_000
UNITS = {"minutes": 1, "hours": 60, "days": DAY_MINUTES}
VALUES = {"text": "a text", "number": "a whole number", "yes_no": "yes or no"}

# Fields in which a word is added in passing: what people read, and the key.
NEW = {kind: (f"new_{kind}", f"new_{kind}_key") for kind in VOCABULARY}
_ACT = ("action", *NEW["action"], "resource", *NEW["resource"])
_WHEN = ("weekdays", "from_time", "until_time", "holds_from", "holds_until")
_LIMITS = ("over", "up_to", "currency", "most")
_ASKING = ("approvers", "wait", "wait_unit", "four_eyes")
# Legend and fields of each part of the form, by kind; conditions are rows of their own.
_NARROWER = (
    ("Audience", ("audience", *NEW["audience"])),
    ("When", _WHEN),
    ("Amounts", _LIMITS),
    ("Only if", ("tests",)),
)
_FAILING = (phrase("Only when something goes wrong"), ("failure",))
OWN_WORDS = (phrase("In your own words"), ("sentence",))
SECTIONS = {
    "autonomy": (("Allowed action", _ACT), *_NARROWER, _FAILING),
    "human_approval": (("Allowed action", _ACT), ("Approvers", _ASKING), *_NARROWER, _FAILING),
    "edge_policy": (
        (phrase("Failure and consequence"), ("failure", "then")),
        (phrase("Approvers, if the consequence is to ask a person"), _ASKING),
        (phrase("Action (leave empty for every action)"), _ACT),
        *_NARROWER,
    ),
    "record_owner": (),
    "audience": (("Audience", ("audience", *NEW["audience"])),),
    "retention": (("Period", ("days",)),),
    "residency": (("Regions", ("regions",)),),
}
# The sentence of these follows from the kind alone.
SAYS_ITSELF = ("record_owner",)
# The field of the error that the clause is too short for a sentence.
FIRST = {
    "autonomy": "action",
    "human_approval": "action",
    "edge_policy": "failure",
    "audience": "audience",
    "retention": "days",
    "residency": "regions",
}
OF_TERMS = {"from_minute": "from_time", "until_minute": "until_time", "minutes": "wait"}


class AmountField(NumberField):
    """An amount of money. The currency determines its units."""

    def __init__(self, **options):
        super().__init__(required=False, min_value=0, max_digits=16, decimal_places=3, **options)


class TestForm(forms.Form):
    """One condition. A row without an attribute is ignored."""

    __test__ = False
    rows_may_be_empty = True

    of = forms.ChoiceField(
        label=gettext_lazy("Of"), choices=list(PARTS.items()), initial="resource", required=False
    )
    name = forms.CharField(
        label=gettext_lazy("Attribute"),
        max_length=80,
        required=False,
        validators=[
            RegexValidator(r"^\w+$", phrase("Use only letters, digits and _, as your system names it."))
        ],
    )
    how = forms.ChoiceField(
        label=gettext_lazy("Compared"), choices=list(COMPARISONS.items()), initial="equals", required=False
    )
    value = forms.CharField(label=gettext_lazy("With"), max_length=400, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Type of value"), choices=list(VALUES.items()), initial="text", required=False
    )

    @classmethod
    def of_test(cls, one: Test) -> dict:
        """Return the initial values of the form for a condition."""
        kind, value = "text", one.value
        if isinstance(value, bool):
            kind, value = "yes_no", "yes" if value else "no"
        elif isinstance(value, int):
            kind = "number"
        elif isinstance(value, tuple):
            value = ", ".join(value)
        return {"of": one.of, "name": one.name, "how": one.how, "value": value, "kind": kind}

    def clean(self):
        """Convert the value to its type: a text, a number, yes or no, or a list of texts."""
        typed = super().clean()
        if not typed.get("name"):
            if typed.get("value") and "name" not in self.errors:
                self.add_error("name", "Name the attribute that is compared.")
            return typed
        value, how = (typed.get("value") or "").strip(), typed.get("how")
        if not value:
            self.add_error("value", "Enter the value to compare with.")
        elif how == "one_of":
            typed["said"] = tuple(dict.fromkeys(filter(None, (one.strip() for one in value.split(",")))))
            if not typed["said"]:
                self.add_error("value", "Enter a list, separated by commas.")
        elif how in NUMERIC or typed.get("kind") == "number":
            if re.fullmatch(r"-?\d{1,16}", value):
                typed["said"] = int(value)
            else:
                self.add_error("value", "Enter a whole number.")
        elif typed.get("kind") == "yes_no":
            if value.lower() in ("yes", "no"):
                typed["said"] = value.lower() == "yes"
            else:
                self.add_error("value", "Type yes or no.")
        else:
            typed["said"] = value
        return typed


def _words(label: str) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_WORDS, required=False)


def _key() -> forms.CharField:
    return KeyField(
        label=gettext_lazy("Key"),
        help_text=gettext_lazy("The name your systems use. If empty, Plumbline makes a key from the words."),
    )


class ClauseForm(forms.Form):
    """One clause of a kind, made of words from the initiative's vocabulary."""

    # What is left empty does not restrict: no field of it is marked as optional.
    rows_may_be_empty = True

    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    new_action = _words(phrase("Or enter a new action"))
    new_action_key = _key()
    resource = forms.ChoiceField(label=gettext_lazy("Resource"), required=False)
    new_resource = _words(phrase("Or enter a new resource"))
    new_resource_key = _key()
    audience = forms.MultipleChoiceField(
        label=gettext_lazy("These people"), required=False, widget=forms.CheckboxSelectMultiple
    )
    new_audience = _words(phrase("Also add a new group"))
    new_audience_key = _key()
    weekdays = forms.TypedMultipleChoiceField(
        label=gettext_lazy("On these days"),
        coerce=int,
        choices=list(enumerate(WEEKDAYS, 1)),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("If you tick no day, every day is allowed."),
    )
    from_time = forms.TimeField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    until_time = forms.TimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=gettext_lazy(
            "In the field “Until”, 00:00 is the end of the day. If “Until” is earlier than “From”, the "
            "time includes midnight."
        ),
    )
    holds_from = DayField(label=gettext_lazy("First day"), required=False)
    holds_until = DayField(label=gettext_lazy("Last day"), required=False)
    over = AmountField(label=gettext_lazy("For amounts above"))
    up_to = AmountField(label=gettext_lazy("For amounts up to"))
    currency = forms.CharField(
        max_length=3,
        required=False,
        help_text=gettext_lazy("Three letters, for instance EUR. Type amounts as 50.00."),
    )
    most = WholeNumberField(
        label=gettext_lazy("Maximum number of items at once"), min_value=1, max_value=LARGEST, required=False
    )
    approvers = forms.MultipleChoiceField(
        label=gettext_lazy("Any of these"),
        choices=[(role, f"{words[0].upper()}{words[1:]}") for role, words in APPROVERS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    wait = WholeNumberField(
        label=gettext_lazy("Time to answer"),
        min_value=1,
        max_value=LARGEST,
        required=False,
        help_text=gettext_lazy("If no one answers in time, the call is denied."),
    )
    wait_unit = forms.ChoiceField(
        label=gettext_lazy("in"), choices=[(unit, unit) for unit in UNITS], initial="hours", required=False
    )
    four_eyes = forms.BooleanField(label=gettext_lazy("Two people must approve"), required=False)
    failure = forms.ChoiceField(
        label=gettext_lazy("Applies if"),
        choices=[("", "in every situation"), *FAILURES.items()],
        required=False,
    )
    then = forms.ChoiceField(
        label=gettext_lazy("Then"),
        choices=[("", "choose the consequence"), *CONSEQUENCES.items()],
        required=False,
    )
    regions = ListField(
        required=False,
        help_text=gettext_lazy(
            "Names of regions as your systems state them, separated by commas: eu-west, eu-north."
        ),
    )
    days = WholeNumberField(
        label=gettext_lazy("Days"),
        min_value=1,
        max_value=36_500,
        required=False,
        help_text=phrase("Enter at least {}.", SHORTEST_RETENTION),
    )
    sentence = forms.CharField(
        label=gettext_lazy("The clause in your own words"),
        max_length=LONGEST_SENTENCE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=(
            gettext_lazy(
                "Use this field only if the fields above cannot make the sentence. Plumbline does not use a "
                "clause in your own words to answer requests of systems."
            )
        ),
    )

    def __init__(self, data=None, *, kind: str, vocabulary: list[VocabularyWord], terms: Terms, written: str):
        """Take the clause (`terms`, `written`) and all words, retired ones too."""
        self.kind, self.vocabulary = kind, vocabulary
        self.words = {word.key: word.words for word in vocabulary}
        made = sentence(kind, terms, self.words)
        super().__init__(data, initial=_shown(terms) | {"sentence": "" if made else written})
        wanted = {name for _, names in SECTIONS[kind] for name in names}
        if kind not in SAYS_ITSELF:
            wanted.add("sentence")
        for name in [name for name in self.fields if name not in wanted]:
            del self.fields[name]
        for of in VOCABULARY:
            if of in wanted:
                used = terms.audience if of == "audience" else (getattr(terms, of),)
                self.fields[of].choices = self._choices(of, used)
        if kind == "edge_policy":
            self.fields["failure"].choices = [("", "choose, or give conditions below"), *FAILURES.items()]
        rows = max(TEST_ROWS, len(terms.tests)) if "tests" in wanted else 0
        shown = [TestForm.of_test(one) for one in terms.tests] + [{}] * rows
        self.tests = [TestForm(data, prefix=f"test-{place}", initial=shown[place]) for place in range(rows)]

    def _choices(self, of: str, used) -> list[tuple[str, str]]:
        """Return the words to offer: those in use, and those that the clause already has."""
        found = [] if of == "audience" else [("", "choose, or add a new one below")]
        known = set()
        for word in self.vocabulary:
            if word.kind == of and (not word.retired_at or word.key in used):
                known.add(word.key)
                found.append(
                    (
                        word.key,
                        phrase("{} (no longer offered)", word.words) if word.retired_at else word.words,
                    )
                )
        return found + [
            (key, f"{key} (not in the words of this contract)") for key in used if key and key not in known
        ]

    @property
    def sections(self) -> list[dict]:
        """Return the parts of the form: legend, fields, conditions, if folded, if open."""
        parts = list(SECTIONS[self.kind])
        if "sentence" in self.fields:
            parts.append(OWN_WORDS)
        return [self._section(*part, folded=part in (*_NARROWER, _FAILING, OWN_WORDS)) for part in parts]

    def _section(self, legend: str, names: tuple[str, ...], *, folded: bool) -> dict:
        fields = [self[name] for name in names if name in self.fields]
        tests = self.tests if "tests" in names else []
        shown = [*fields, *(one["name"] for one in tests)]
        wrong = any(one.errors for one in [*fields, *tests])
        return {
            "legend": legend,
            "fields": fields,
            "tests": tests,
            "folded": folded,
            "open": wrong or any(field.value() for field in shown),
        }

    def is_valid(self) -> bool:
        """Return True if the clause and all its conditions are valid."""
        tests = [one.is_valid() for one in self.tests]
        return super().is_valid() and all(tests)

    @property
    def all_errors(self) -> list[tuple[str, str, str]]:
        """Return (address, label, error) of all errors, with those of conditions. The form's own have no address."""
        found = [("", "", error) for error in self.non_field_errors()]
        for place, form in enumerate([self, *self.tests]):
            of = phrase("Condition {}: ", place) if place else ""
            found += [
                (control_id(field), f"{of}{field.label}", error) for field in form for error in field.errors
            ]
        return found

    def clean(self):
        """Convert amounts by their currency, and check that each new word has its own key."""
        typed = super().clean()
        typed["currency"] = (typed.get("currency") or "").strip().upper()
        for name in ("over", "up_to"):
            amount = typed.get(name)
            if amount is not None and wrong_currency(typed["currency"]):
                typed[name] = int(amount)  # the error of the currency is enough
            elif amount is not None:
                try:
                    typed[name] = minor_units(amount, typed["currency"])
                except ValueError as error:
                    self.add_error(name, str(error))
        new = [self._new_word(kind, *names) for kind, names in NEW.items() if names[0] in self.fields]
        self.new_words = [word for word in new if word]
        keys = [key for _, key, _ in self.new_words]
        if len(set(keys)) < len(keys):
            self.add_error(
                None, "Two of the new words have the same key. Enter a different key for each word."
            )
        return typed

    def _new_word(self, kind: str, name: str, key_name: str) -> tuple[str, str, str] | None:
        """Return the word added with the clause as (kind, key, words). Errors go to its fields."""
        words, key = self.cleaned_data.get(name), self.cleaned_data.get(key_name)
        if not words:
            if key:
                self.add_error(name, "Enter the words that people read for this key.")
            return None
        key = key or proposed_key(words)
        if kind != "audience" and self.cleaned_data.get(kind):
            self.add_error(name, "Choose a word above or add a new word, not both.")
        elif not key and key_name not in self.errors:
            self.add_error(key_name, "Enter a key. Plumbline cannot make a key from these words.")
        elif same := next((word for word in self.vocabulary if word.key == key), None):
            other = (
                "offer this word again under “Actions and resources”"
                if same.retired_at
                else "choose this word above"
            )
            why = other if same.kind == kind else "enter a different key"
            self.add_error(name, phrase("“{}” already has the key {}: {}.", same.words, key, why))
        return kind, key, words

    def written(self, number: int | None = None) -> Written:
        """Return the clause as it was typed."""
        return Written(self.kind, self.cleaned_data.get("sentence", "").strip(), self._terms(), number)

    def reads(self) -> str:
        """Return the clause's sentence from its terms or its author, or an empty text."""
        return self._made() or self.cleaned_data.get("sentence", "").strip()

    def _made(self) -> str:
        words = self.words | {key: words for _, key, words in self.new_words}
        return sentence(self.kind, self._terms(), words)

    def check_sentence(self) -> bool:
        """Return True if the form gives one sentence, from its fields or its author. Adds errors."""
        made, own = self._made(), self.cleaned_data.get("sentence", "").strip()
        if made and own and made != own:
            self.add_error(
                "sentence",
                phrase(
                    "The fields above make the sentence “{}”. Empty those fields, or empty this field.", made
                ),
            )
        if not made and not own:
            terms = self._terms()
            half = self.kind == "edge_policy" and not terms.then and (terms.failure or terms.tests)
            first = "then" if half else FIRST[self.kind]
            self.add_error(first, "Choose here, or write the clause in your own words below.")
        return not self.errors

    def fix(self, wrong: dict[str, str]) -> None:
        """Put the errors of the terms at the fields they were typed in."""
        for name, why in wrong.items():
            name = OF_TERMS.get(name, name)
            self.add_error(name if name in self.fields else None, why)

    def _terms(self) -> Terms:
        typed = self.cleaned_data
        new = {kind: key for kind, key, _ in self.new_words}
        asks = self.kind == "human_approval" or typed.get("then") == ASK
        wait = typed.get("wait")
        return Terms(
            action=new.get("action") or typed.get("action", ""),
            resource=new.get("resource") or typed.get("resource", ""),
            audience=(*typed.get("audience", ()), *([new["audience"]] if "audience" in new else [])),
            weekdays=tuple(typed.get("weekdays", ())),
            from_minute=_minute(typed.get("from_time")),
            until_minute=_minute(typed.get("until_time"), end=True),
            holds_from=typed.get("holds_from"),
            holds_until=typed.get("holds_until"),
            over=typed.get("over"),
            up_to=typed.get("up_to"),
            currency=typed.get("currency", ""),
            most=typed.get("most"),
            tests=tuple(
                Test(one["of"], one["name"], one["how"], one["said"])
                for one in (form.cleaned_data for form in self.tests)
                if "said" in one
            ),
            approvers=tuple(typed.get("approvers", ())) if asks else (),
            minutes=wait * UNITS[typed.get("wait_unit") or "hours"] if wait and asks else None,
            four_eyes=bool(typed.get("four_eyes")) and asks,
            failure=typed.get("failure", ""),
            then=typed.get("then", ""),
            regions=tuple(typed.get("regions", ())),
            days=typed.get("days"),
        )


def _minute(at: time | None, *, end: bool = False) -> int | None:
    if at is None:
        return None
    minute = at.hour * 60 + at.minute
    return DAY_MINUTES if end and minute == 0 else minute


def _time(minute: int | None) -> time | None:
    return None if minute is None else time(minute // 60 % 24, minute % 60)


def _shown(terms: Terms) -> dict:
    """Return the initial values of the form for the terms of a clause."""
    unit = next(
        (unit for unit, size in reversed(UNITS.items()) if terms.minutes and terms.minutes % size == 0),
        "hours",
    )
    return {
        "action": terms.action,
        "resource": terms.resource,
        "audience": list(terms.audience),
        "weekdays": list(terms.weekdays),
        "from_time": _time(terms.from_minute),
        "until_time": _time(terms.until_minute),
        "holds_from": terms.holds_from,
        "holds_until": terms.holds_until,
        "over": None if terms.over is None else major_units(terms.over, terms.currency),
        "up_to": None if terms.up_to is None else major_units(terms.up_to, terms.currency),
        "currency": terms.currency,
        "most": terms.most,
        "approvers": list(terms.approvers),
        "wait": terms.minutes // UNITS[unit] if terms.minutes else None,
        "wait_unit": unit,
        "four_eyes": terms.four_eyes,
        "failure": terms.failure,
        "then": terms.then,
        "regions": list(terms.regions),
        "days": terms.days,
    }
