"""Forms of a sheet of one's own: the file, how it is read, which changes are taken."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from governance.models import Unit, User
from governance.sign_in.forms import UnitField
from governance.tables.numbers import DECIMAL_MARKS
from governance.vocabulary import Stage, Tier
from governance.web.form_fields import OwnUnitField, PersonField
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.inventories.forms import DATE_ORDERS
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS
from initiatives.portfolio.imports.portfolio.bulk import WHAT
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS
from initiatives.portfolio.imports.portfolio.portfolio_plan import INVITE, NEW_UNIT

WORDS_SHOWN = 200  # departments, and owners, that the page lists; those nobody is certain of come first
LONGEST_LABEL = 400  # letters of the spellings of one person
FOUND_BY = {
    "address": _("by mail address"),
    "login": _("by user name"),
    "name": _("by name"),
    "remembered": _("as last time"),
    INVITE: _("invited when the sheet is published"),
    "invited": _("invited"),
    "chosen": _("chosen by hand"),
}


class PortfolioMappingForm(forms.Form):
    """Which column holds what, and what the words of the sheet stand for here."""

    rows_may_be_empty = True

    dates = forms.ChoiceField(
        label=_("How its dates are written"), required=False, choices=DATE_ORDERS.items()
    )
    mark = forms.ChoiceField(
        label=_("How its amounts are written"), required=False, choices=DECIMAL_MARKS.items()
    )
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        required=False,
        help_text=_("Of amounts where the sheet names none, for instance EUR."),
    )
    unit = UnitField(
        label=_("Unit of rows without a department"), queryset=Unit.objects.own(), empty_label=_("choose")
    )
    parent = UnitField(label=_("New units stand below"), queryset=Unit.objects.own(), empty_label=_("choose"))

    def __init__(self, batch: ImportBatch, *args, **options):
        super().__init__(*args, **options)
        reading = batch.reading
        columns = [("", _("not in this sheet")), *[(name, name[:90]) for name in batch.columns]]
        for role, words in FIELDS.items():
            self.fields[f"column_{role}"] = forms.ChoiceField(
                label=words,
                choices=columns,
                required=role == "title",
                initial=reading["columns"].get(role, ""),
            )
        self.stage_words = list(reading["stages"])
        for place, word in enumerate(self.stage_words):
            self.fields[f"stage_{place}"] = forms.ChoiceField(
                label=word[:120] or _("no status"),
                choices=[("", _("not known: set aside")), *[(name, Stage(name).label) for name in TARGETS]],
                required=False,
                initial=reading["stages"][word][0],
            )
        self.unit_words = list(reading["units"])
        self.unit_places = _shown([reading["units"][word] != NEW_UNIT for word in self.unit_words])
        choices = [(NEW_UNIT, _("a new unit of this name"))]
        choices += [(str(unit.pk), unit.name) for unit in Unit.objects.own()]
        for place in self.unit_places:
            word = self.unit_words[place]
            self.fields[f"unit_{place}"] = forms.ChoiceField(
                label=word, choices=choices, initial=reading["units"][word]
            )
        self.people = _by_person(reading["people"])
        self.people_words = [group[0] for group in self.people]
        self.people_places = _shown([bool(reading["people"][word]["person"]) for word in self.people_words])
        asked = {at: [reading["people"][word] for word in self.people[at]] for at in self.people_places}
        known = User.objects.active().in_bulk(
            {
                pk
                for group in asked.values()
                for one in group
                for pk in (*one["candidates"], one["person"])
                if pk
            }
        )
        for place, group in asked.items():
            first = group[0]
            keys = dict.fromkeys(
                key for one in group for key in (one["person"], *one["candidates"]) if key in known
            )
            choices = [(str(key), known[key].full_name) for key in keys]
            choices.append(("", _("nobody is asked yet")))
            if first["address"] and not first["person"]:
                choices.append((INVITE, _("invite %(address)s") % {"address": first["address"]}))
            hows = dict.fromkeys(str(FOUND_BY.get(one["how"], _("not certain"))) for one in group)
            self.fields[f"person_{place}"] = forms.ChoiceField(
                label="; ".join(self.people[place])[:LONGEST_LABEL],
                choices=choices,
                required=False,
                initial=INVITE if first["how"] == INVITE else str(first["person"] or ""),
                help_text=", ".join(hows),
            )
            self.fields[f"login_{place}"] = forms.CharField(
                label=_("Somebody else"),
                required=False,
                max_length=150,
                widget=forms.TextInput(attrs={"list": "logins", "autocomplete": "off"}),
            )
        if unsure := reading["two_amounts"]["count"]:
            self.fields["mark"].help_text = ngettext(
                "%(count)s amount is not read. %(text)s", "%(count)s amounts are not read. %(text)s", unsure
            ) % {"count": unsure, "text": reading["two_amounts"]["text"]}
        self.initial |= {
            name: reading.get(name, "") for name in ("dates", "mark", "currency", "unit", "parent")
        }

    def clean(self):
        """Whoever is named by login is somebody active."""
        cleaned = super().clean()
        logins = {
            place: cleaned.get(f"login_{place}", "").strip()
            for place in self.people_places
            if cleaned.get(f"login_{place}", "").strip()
        }
        found = {person.login.lower(): person for person in User.objects.active()} if logins else {}
        for place, login in logins.items():
            person = found.get(login.split(" ")[0].lower())
            if person is None:
                self.add_error(f"login_{place}", f"Nobody active signs in as {login[:60]}.")
            else:
                cleaned[f"person_{place}"] = str(person.pk)
        return cleaned

    def part(self, name: str) -> list:
        """The fields of one part of the page, in order: column, stage or unit."""
        if name == "column":
            return [self[f"column_{role}"] for role in FIELDS]
        places = {"stage": range(len(self.stage_words)), "unit": self.unit_places}[name]
        return [self[f"{name}_{place}"] for place in places]

    @property
    def more(self) -> int:
        """How many departments and owners are not listed: they are read as they stand in the rows."""
        words, listed = (self.unit_words, self.people_words), (self.unit_places, self.people_places)
        return sum(map(len, words)) - sum(map(len, listed))

    def _people(self, *, certain: bool) -> list[tuple]:
        places = [at for at in self.people_places if bool(self[f"person_{at}"].initial) is certain]
        return [(self[f"person_{at}"], self[f"login_{at}"]) for at in places]

    @property
    def unsure(self) -> list[tuple]:
        """The fields of each word for an owner that stands for nobody yet: one of the likely, or somebody else."""
        return self._people(certain=False)

    @property
    def sure(self) -> list[tuple]:
        """The same for each word that stands for somebody."""
        return self._people(certain=True)

    def chosen(self) -> dict:
        """What was chosen, as the act takes it."""
        cleaned = self.cleaned_data
        return {
            "columns": {role: cleaned[f"column_{role}"] for role in FIELDS},
            "stages": {word: cleaned[f"stage_{at}"] for at, word in enumerate(self.stage_words)},
            "units": {self.unit_words[at]: cleaned[f"unit_{at}"] for at in self.unit_places},
            "people": {
                word: cleaned[f"person_{at}"] for at in self.people_places for word in self.people[at]
            },
            **{name: cleaned[name] for name in ("unit", "parent", "currency", "dates", "mark")},
        }


def _by_person(people: dict[str, dict]) -> list[list[str]]:
    """The spellings that stand for one person together: found to be the same, or likely to be."""
    groups: dict[tuple, list[str]] = {}
    for word, one in people.items():
        key = ("person", one["person"]) if one["person"] else ("spelled", one["group"])
        groups.setdefault(key, []).append(word)
    return list(groups.values())


def _shown(certain: list[bool]) -> list[int]:
    """The places of the words that are listed, in their order: where there are too many, first who is not certain."""
    return sorted(sorted(range(len(certain)), key=lambda place: certain[place])[:WORDS_SHOWN])


class ManyForm(forms.Form):
    """What is set for many initiatives, and to what."""

    rows_may_be_empty = True
    what = forms.ChoiceField(label=_("Set"), choices=[("", _("choose")), *WHAT.items()])
    owner = PersonField(required=False, label=_("Owner"))
    unit = OwnUnitField(required=False, label=_("Unit"), empty_label=_("choose a unit"))
    tier = forms.ChoiceField(
        label=_("Risk tier"), required=False, choices=[("", _("choose a tier")), *Tier.choices]
    )
    worst_credible_harm = forms.CharField(
        label=_("Worst credible harm"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("With a tier: what could a wrong output do to somebody, at worst?"),
    )
    vendor = forms.CharField(label=_("Vendor"), required=False, max_length=160)

    def clean(self):
        """What is set needs its value."""
        cleaned = super().clean()
        what = cleaned.get("what")
        if what and not cleaned.get(what):
            self.add_error(what, "Choose what it should be.")
        if what == "tier" and not cleaned.get("worst_credible_harm", "").strip():
            self.add_error("worst_credible_harm", "Say what the worst credible harm of a wrong output is.")
        return cleaned


class ChangesForm(forms.Form):
    """Which of the changes that a row proposes are taken."""

    fields_taken = forms.MultipleChoiceField(
        label=_("Take"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, changes: list[dict], *args, **options):
        super().__init__(*args, **options)
        self.fields["fields_taken"].choices = [
            (
                each["field"],
                f"{FIELDS[each['field']]}: \u201c{each['after'][:200]}\u201d in place of "
                f"\u201c{each['before'][:200] or 'nothing'}\u201d",
            )
            for each in changes
        ]
        self.fields["fields_taken"].initial = [each["field"] for each in changes]
