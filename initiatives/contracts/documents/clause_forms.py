"""The form of one clause: it shows what matters for its kind, and reads what was typed into terms."""

import re
from datetime import time

from django import forms
from django.core.validators import RegexValidator

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
from governance.web.form_fields import DayField, ListField
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
    ("For whom", ("audience", *NEW["audience"])),
    ("When", _WHEN),
    ("How much", _LIMITS),
    ("Only if", ("tests",)),
)
_FAILING = ("Only when something goes wrong", ("failure",))
OWN_WORDS = ("In your own words", ("sentence",))
SECTIONS = {
    "autonomy": (("What it may do", _ACT), *_NARROWER, _FAILING),
    "human_approval": (("What it may do", _ACT), ("Who approves", _ASKING), *_NARROWER, _FAILING),
    "edge_policy": (
        ("What goes wrong, and what then applies", ("failure", "then")),
        ("Who is asked, if a person is asked", _ASKING),
        ("Which act; empty is every act", _ACT),
        *_NARROWER,
    ),
    "record_owner": (),
    "audience": (("For whom", ("audience", *NEW["audience"])),),
    "retention": (("How long", ("days",)),),
    "residency": (("Where to", ("regions",)),),
}
# What these say follows from the kind alone.
SAYS_ITSELF = ("record_owner",)
# The field at which a form says that the clause says too little for a sentence.
FIRST = {
    "autonomy": "action",
    "human_approval": "action",
    "edge_policy": "failure",
    "audience": "audience",
    "retention": "days",
    "residency": "regions",
}
OF_TERMS = {"from_minute": "from_time", "until_minute": "until_time", "minutes": "wait"}


class AmountField(forms.DecimalField):
    """An amount of money as people type it; which units it is in, the currency says."""

    def __init__(self, **options):
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal"}))
        super().__init__(required=False, min_value=0, max_digits=16, decimal_places=3, **options)
        self.error_messages["invalid"] = "Type the amount with a point before the cents: 50.00."


class TestForm(forms.Form):
    """One condition; a row without an attribute is none."""

    __test__ = False
    rows_may_be_empty = True

    of = forms.ChoiceField(label="Of", choices=list(PARTS.items()), initial="resource", required=False)
    name = forms.CharField(
        label="Attribute",
        max_length=80,
        required=False,
        validators=[RegexValidator(r"^\w+$", "Use letters, digits and _ only, as your system names it.")],
    )
    how = forms.ChoiceField(
        label="Compared", choices=list(COMPARISONS.items()), initial="equals", required=False
    )
    value = forms.CharField(label="With", max_length=400, required=False)
    kind = forms.ChoiceField(label="Which is", choices=list(VALUES.items()), initial="text", required=False)

    @classmethod
    def of_test(cls, one: Test) -> dict:
        """What the form shows for a condition."""
        kind, value = "text", one.value
        if isinstance(value, bool):
            kind, value = "yes_no", "yes" if value else "no"
        elif isinstance(value, int):
            kind = "number"
        elif isinstance(value, tuple):
            value = ", ".join(value)
        return {"of": one.of, "name": one.name, "how": one.how, "value": value, "kind": kind}

    def clean(self):
        """The value as what it is: a text, a number, yes or no, or a list of texts."""
        typed = super().clean()
        if not typed.get("name"):
            if typed.get("value") and "name" not in self.errors:
                self.add_error("name", "Name the attribute that is compared.")
            return typed
        value, how = (typed.get("value") or "").strip(), typed.get("how")
        if not value:
            self.add_error("value", "Say what it is compared with.")
        elif how == "one_of":
            typed["said"] = tuple(dict.fromkeys(filter(None, (one.strip() for one in value.split(",")))))
            if not typed["said"]:
                self.add_error("value", "Give a list, separated by commas.")
        elif how in NUMERIC or typed.get("kind") == "number":
            if re.fullmatch(r"-?\d{1,16}", value):
                typed["said"] = int(value)
            else:
                self.add_error("value", "Give a whole number.")
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
    return KeyField(label="Its key", help_text="What your systems call it. Empty: made from the words.")


class ClauseForm(forms.Form):
    """One clause of a kind; which words it can be made of, the initiative's vocabulary says."""

    # What is left empty does not restrict: no field of it is marked as optional.
    rows_may_be_empty = True

    action = forms.ChoiceField(label="Act", required=False)
    new_action = _words("Or a new act")
    new_action_key = _key()
    resource = forms.ChoiceField(label="On what", required=False)
    new_resource = _words("Or a new thing")
    new_resource_key = _key()
    audience = forms.MultipleChoiceField(
        label="These people", required=False, widget=forms.CheckboxSelectMultiple
    )
    new_audience = _words("And a new group")
    new_audience_key = _key()
    weekdays = forms.TypedMultipleChoiceField(
        label="On these days",
        coerce=int,
        choices=list(enumerate(WEEKDAYS, 1)),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: on every day.",
    )
    from_time = forms.TimeField(
        label="From", required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    until_time = forms.TimeField(
        label="Until",
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text="00:00 is the end of the day; an hour before the first passes midnight.",
    )
    holds_from = DayField(label="First day", required=False)
    holds_until = DayField(label="Last day", required=False)
    over = AmountField(label="For amounts above")
    up_to = AmountField(label="For amounts up to")
    currency = forms.CharField(
        max_length=3, required=False, help_text="Three letters, for instance EUR. Type amounts as 50.00."
    )
    most = forms.IntegerField(
        label="How many at once, at most", min_value=1, max_value=LARGEST, required=False
    )
    approvers = forms.MultipleChoiceField(
        label="Any of these",
        choices=[(role, f"{words[0].upper()}{words[1:]}") for role, words in APPROVERS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    wait = forms.IntegerField(
        label="Time to answer",
        min_value=1,
        max_value=LARGEST,
        required=False,
        help_text="When nobody answers in time, nothing is done.",
    )
    wait_unit = forms.ChoiceField(
        label="in", choices=[(unit, unit) for unit in UNITS], initial="hours", required=False
    )
    four_eyes = forms.BooleanField(label="Two of them have to approve", required=False)
    failure = forms.ChoiceField(
        label="When",
        choices=[("", "whatever happens"), *FAILURES.items()],
        required=False,
    )
    then = forms.ChoiceField(
        label="Then", choices=[("", "choose what then applies"), *CONSEQUENCES.items()], required=False
    )
    regions = ListField(
        required=False,
        help_text="Names of regions as your systems state them, separated by commas: eu-west, eu-north.",
    )
    days = forms.IntegerField(
        label="Days",
        min_value=1,
        max_value=36_500,
        required=False,
        help_text=f"At least {SHORTEST_RETENTION}.",
    )
    sentence = forms.CharField(
        label="The clause in your own words",
        max_length=LONGEST_SENTENCE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Only where the fields above make no sentence. A running system cannot ask about such a clause.",
    )

    def __init__(self, data=None, *, kind: str, vocabulary: list[VocabularyWord], terms: Terms, written: str):
        """`terms` and `written`: the clause as it is; `vocabulary`: every word, retired ones too."""
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
        """The words that are offered: those in use, and those the clause has already."""
        found = [] if of == "audience" else [("", "choose, or add a new one below")]
        known = set()
        for word in self.vocabulary:
            if word.kind == of and (not word.retired_at or word.key in used):
                known.add(word.key)
                found.append((word.key, f"{word.words} (retired)" if word.retired_at else word.words))
        return found + [(key, f"{key} (in no vocabulary)") for key in used if key and key not in known]

    @property
    def sections(self) -> list[dict]:
        """The parts of the form in order: legend, fields, conditions; whether it is folded away, and open then."""
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
        """Whether the clause and all its conditions can be read."""
        tests = [one.is_valid() for one in self.tests]
        return super().is_valid() and all(tests)

    @property
    def all_errors(self) -> list[tuple[str, str, str]]:
        """(address, label, error) of all that is wrong, the conditions too; what concerns no field has no address."""
        found = [("", "", error) for error in self.non_field_errors()]
        for place, form in enumerate([self, *self.tests]):
            of = f"Condition {place}: " if place else ""
            found += [
                (field.auto_id, f"{of}{field.label}", error) for field in form for error in field.errors
            ]
        return found

    def clean(self):
        """What a currency makes of the amounts, and that there is one word for one thing."""
        typed = super().clean()
        typed["currency"] = (typed.get("currency") or "").strip().upper()
        for name in ("over", "up_to"):
            amount = typed.get(name)
            if amount is not None:
                try:
                    typed[name] = minor_units(amount, typed["currency"])
                except ValueError as error:
                    self.add_error(name, str(error))
        new = [self._new_word(kind, *names) for kind, names in NEW.items() if names[0] in self.fields]
        self.new_words = [word for word in new if word]
        keys = [key for _, key, _ in self.new_words]
        if len(set(keys)) < len(keys):
            self.add_error(None, "Two of the new words have one key: give each its own.")
        return typed

    def _new_word(self, kind: str, name: str, key_name: str) -> tuple[str, str, str] | None:
        """A word that is added with the clause, as (kind, key, words); what is wrong with it stands at its fields."""
        words, key = self.cleaned_data.get(name), self.cleaned_data.get(key_name)
        if not words:
            if key:
                self.add_error(name, "Give the words that people read for this key.")
            return None
        key = key or proposed_key(words)
        if kind != "audience" and self.cleaned_data.get(kind):
            self.add_error(name, "Choose one above, or add a new one; not both.")
        elif not key and key_name not in self.errors:
            self.add_error(key_name, "Give a key: none can be made from these words.")
        elif same := next((word for word in self.vocabulary if word.key == key), None):
            other = "bring it back on the page of words" if same.retired_at else "choose it above"
            why = other if same.kind == kind else "give another key"
            self.add_error(name, f"“{same.words}” has the key {key} already: {why}.")
        return kind, key, words

    def written(self, number: int | None = None) -> Written:
        """The clause as it was typed."""
        return Written(self.kind, self.cleaned_data.get("sentence", "").strip(), self._terms(), number)

    def reads(self) -> str:
        """The clause as it would be read aloud; empty where its terms and its author say nothing."""
        return self._made() or self.cleaned_data.get("sentence", "").strip()

    def _made(self) -> str:
        words = self.words | {key: words for _, key, words in self.new_words}
        return sentence(self.kind, self._terms(), words)

    def check_sentence(self) -> bool:
        """Whether there is one sentence, from the fields or from its author; what is wrong stands on the form."""
        made, own = self._made(), self.cleaned_data.get("sentence", "").strip()
        if made and own and made != own:
            self.add_error("sentence", f"The fields above make the sentence: “{made}” Empty them, or this.")
        if not made and not own:
            terms = self._terms()
            half = self.kind == "edge_policy" and not terms.then and (terms.failure or terms.tests)
            first = "then" if half else FIRST[self.kind]
            self.add_error(first, "Choose here, or write the clause in your own words below.")
        return not self.errors

    def fix(self, wrong: dict[str, str]) -> None:
        """Put what is wrong with the terms at the fields they were typed in."""
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
    """What the form shows for the structured part of a clause."""
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
