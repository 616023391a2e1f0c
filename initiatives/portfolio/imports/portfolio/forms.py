"""Forms of an organisation's sheet: file, mapping and choice of changes."""

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from governance.models import Unit, User
from governance.people.people_matching import spelled_alike
from governance.sign_in.forms import UnitField
from governance.vocabulary import Stage, Tier
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import OwnUnitField, PersonField
from initiatives.models import ImportBatch
from initiatives.portfolio.imports.inventories.forms import DATE_ORDERS
from initiatives.portfolio.imports.inventories.reported_stages import TARGETS
from initiatives.portfolio.imports.portfolio.bulk import WHAT
from initiatives.portfolio.imports.portfolio.portfolio_columns import FIELDS
from initiatives.portfolio.imports.portfolio.portfolio_plan import APART, INVITE, NEW_UNIT

WORDS_SHOWN = 200  # departments, and owners, that the page lists; those nobody is certain of come first
LINES_OFFERED = 10  # of one question about lines that seem to be one initiative
LONGEST_LABEL = 400  # letters of the spellings of one word
FOUND_BY = {
    "address": _("by email address"),
    "login": _("by user name"),
    "name": _("by name"),
    "remembered": _("as last time"),
    INVITE: _("invited when the sheet is published"),
    "invited": _("invited"),
    "chosen": _("chosen by hand"),
}


class PortfolioMappingForm(forms.Form):
    """The fields for the columns of the sheet and the meaning of its words."""

    rows_may_be_empty = True

    dates = forms.ChoiceField(label=_("Date format"), required=False, choices=DATE_ORDERS.items())
    point = forms.ChoiceField(
        label=_("Amounts such as 1.250"),
        required=False,
        choices=[
            ("", _("not known: left out")),
            (",", _("the point separates thousands: 1250")),
            (".", _("the point is decimal: 1.25")),
        ],
    )
    comma = forms.ChoiceField(
        label=_("Amounts such as 1,250"),
        required=False,
        choices=[
            ("", _("not known: left out")),
            (".", _("the comma separates thousands: 1250")),
            (",", _("the comma is decimal: 1.25")),
        ],
    )
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        required=False,
        help_text=_("Used for amounts without a currency, for example EUR."),
    )
    unit = UnitField(
        label=_("Unit of rows without a department"), queryset=Unit.objects.own(), empty_label=_("choose")
    )
    parent = UnitField(label=_("Place new units below"), queryset=Unit.objects.own(), empty_label=_("choose"))

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
        self.stages = spelled_alike(reading["stages"])
        for place, (word, *others) in enumerate(self.stages):
            self.fields[f"stage_{place}"] = forms.ChoiceField(
                label="; ".join([word, *others])[:LONGEST_LABEL] or _("no status"),
                choices=[("", _("not known: set aside")), *[(name, Stage(name).label) for name in TARGETS]],
                required=False,
                initial=reading["stages"][word][0],
            )
        self.units = spelled_alike(reading["units"])
        self.unit_places = _shown([reading["units"][group[0]] != NEW_UNIT for group in self.units])
        choices = [(NEW_UNIT, _("a new unit of this name"))]
        choices += [(str(unit.pk), unit.name) for unit in Unit.objects.own()]
        for place in self.unit_places:
            self.fields[f"unit_{place}"] = forms.ChoiceField(
                label="; ".join(self.units[place])[:LONGEST_LABEL],
                choices=choices,
                initial=reading["units"][self.units[place][0]],
            )
        self.repeated = [each["lines"] for each in reading.get("repeated", ())]
        self.repeated_places = _shown([bool(each["answer"]) for each in reading.get("repeated", ())])
        for place in self.repeated_places:
            each = reading["repeated"][place]
            self.fields[f"repeated_{place}"] = forms.ChoiceField(
                label=phrase("Lines {}: {}", each["lines"], each["about"]).in_language()[:LONGEST_LABEL],
                choices=[
                    ("", _("not known: set aside")),
                    *[(ref, ref) for ref in each.get("here", ())],
                    *[
                        (line, phrase("one initiative, as line {} describes it", line).in_language())
                        for line in each["lines"].split(", ")[:LINES_OFFERED]
                        if "here" not in each
                    ],
                    (APART, _("a new initiative") if "here" in each else _("different initiatives")),
                ],
                required=False,
                initial=each["answer"],
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
            choices.append(("", _("no one yet")))
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
                label=_("Someone else"),
                required=False,
                max_length=150,
                widget=forms.TextInput(attrs={"list": "logins", "autocomplete": "off"}),
            )
        for name in ("point", "comma", "dates"):
            if unsure := reading["two_readings"][name]["count"]:
                self.fields[name].help_text = ngettext(
                    "%(count)s cell is not read. %(text)s",
                    "%(count)s cells are not read. %(text)s",
                    unsure,
                ) % {"count": unsure, "text": " ".join(reading["two_readings"][name]["texts"])}
        self.initial |= {
            name: reading.get(name, "") for name in ("dates", "point", "comma", "currency", "unit", "parent")
        }

    def clean(self):
        """Check that each login belongs to an active person."""
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
                self.add_error(
                    f"login_{place}", phrase("No active user is called {}. Check the name.", login[:60])
                )
            else:
                cleaned[f"person_{place}"] = str(person.pk)
        return cleaned

    def part(self, name: str) -> list:
        """Return the fields of one part of the page, in order: column, stage, unit or repeated."""
        if name == "column":
            return [self[f"column_{role}"] for role in FIELDS]
        places = {
            "stage": range(len(self.stages)),
            "unit": self.unit_places,
            "repeated": self.repeated_places,
        }[name]
        return [self[f"{name}_{place}"] for place in places]

    @property
    def more(self) -> int:
        """Return the number of departments and owners without a field on the page."""
        words, listed = (self.units, self.people_words), (self.unit_places, self.people_places)
        return sum(map(len, words)) - sum(map(len, listed))

    def _people(self, *, certain: bool) -> list[tuple]:
        places = [at for at in self.people_places if bool(self[f"person_{at}"].initial) is certain]
        return [(self[f"person_{at}"], self[f"login_{at}"]) for at in places]

    @property
    def unsure(self) -> list[tuple]:
        """Return the fields of the words for owners that match no one yet."""
        return self._people(certain=False)

    @property
    def sure(self) -> list[tuple]:
        """Return the fields of the words for owners that match someone."""
        return self._people(certain=True)

    def chosen(self) -> dict:
        """Return the chosen values as the act takes them."""
        cleaned = self.cleaned_data
        return {
            "columns": {role: cleaned[f"column_{role}"] for role in FIELDS},
            "stages": {
                word: cleaned[f"stage_{at}"] for at, group in enumerate(self.stages) for word in group
            },
            "units": {word: cleaned[f"unit_{at}"] for at in self.unit_places for word in self.units[at]},
            "people": {
                word: cleaned[f"person_{at}"] for at in self.people_places for word in self.people[at]
            },
            "repeated": {self.repeated[at]: cleaned[f"repeated_{at}"] for at in self.repeated_places},
            **{name: cleaned[name] for name in ("unit", "parent", "currency", "dates", "point", "comma")},
        }


def _by_person(people: dict[str, dict]) -> list[list[str]]:
    """Return the spellings in groups that mean one person, certainly or likely."""
    groups: dict[tuple, list[str]] = {}
    for word, one in people.items():
        key = ("person", one["person"]) if one["person"] else ("spelled", one["group"])
        groups.setdefault(key, []).append(word)
    return list(groups.values())


def _shown(certain: list[bool]) -> list[int]:
    """Return the places of the words to list, in order. Uncertain words are chosen first."""
    return sorted(sorted(range(len(certain)), key=lambda place: certain[place])[:WORDS_SHOWN])


class ManyForm(forms.Form):
    """The field to set for many initiatives, and its value."""

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
        help_text=_("Needed for a tier: the worst harm that a wrong output could do to someone."),
    )
    vendor = forms.CharField(label=_("Vendor"), required=False, max_length=160)

    def clean(self):
        """Check that the field to set has its value."""
        cleaned = super().clean()
        what = cleaned.get("what")
        if what and not cleaned.get(what):
            self.add_error(what, "Choose a value.")
        if what == "tier" and not cleaned.get("worst_credible_harm", "").strip():
            self.add_error("worst_credible_harm", "Describe the worst credible harm of a wrong output.")
        return cleaned


class ChangesForm(forms.Form):
    """The choice of the proposed changes to take from a row."""

    fields_taken = forms.MultipleChoiceField(
        label=_("Take"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args, changes: list[dict], **options):
        super().__init__(*args, **options)
        self.fields["fields_taken"].choices = [
            (
                each["field"],
                f"{FIELDS[each['field']]}: “{each['after'][:200]}” instead of "
                f"“{each['before'][:200] or 'nothing'}”",
            )
            for each in changes
        ]
        self.fields["fields_taken"].initial = [each["field"] for each in changes]
