"""The forms of surveys: the owner's draft, and the answers in the reader's language."""

import re

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from adoption.models import Survey
from adoption.models.surveys import LANGUAGES
from adoption.surveys import question_sets
from adoption.surveys.actions import MOST_PEOPLE
from governance.database.shown_state import OverwritingForm
from governance.vocabulary.phrases import phrase
from governance.web.form_fields import DayField

MOST_MAILS = 300
INVITED = re.compile(r"(?<![\s,;:])[\s,;:]+(\d{1,6})$")  # how many people, at the end of a stripped line


class SurveyForm(OverwritingForm):
    """The form for the questions, the people, the language and the last day."""

    title = forms.CharField(
        label=gettext_lazy("Name of the survey"),
        max_length=120,
        help_text=(
            gettext_lazy(
                "Everyone who is asked sees this name. Use the name of the AI that they know, for example "
                "“Reply drafts, autumn”."
            )
        ),
    )
    sets = forms.MultipleChoiceField(
        label=gettext_lazy("Questions"),
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (
                key,
                f"{one.title}: {len(one.questions)} question{'s' if len(one.questions) > 1 else ''}",
            )
            for key, one in question_sets.SETS.items()
        ],
        help_text=(
            gettext_lazy(
                "Choose few sets, because answering may take two minutes at most. A comment field is "
                "always at the end."
            )
        ),
        error_messages={"required": "Choose at least one set of questions."},
    )
    teams = forms.CharField(
        label=gettext_lazy("Teams"),
        max_length=10_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy(
            "Write one team on each line, followed by its number of people: “Claims north, 14”. Teams of "
            "fewer than five are asked and shown together with other teams."
        ),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("First language of the page"),
        choices=list(LANGUAGES.items()),
        help_text=gettext_lazy("Everyone can switch the language."),
    )
    closes = DayField(label=gettext_lazy("Last day for answers"))

    def _stands(self) -> dict:
        """Return the texts of the draft that is changed. A suggestion for a new survey is not recorded."""
        return super()._stands() if isinstance(self.row, Survey) else {}

    def clean_teams(self) -> list[dict]:
        """Return the lines as rows of name and invited."""
        rows, wrong = [], []
        for number, line in enumerate(self.cleaned_data["teams"].splitlines(), start=1):
            if not line.strip():
                continue
            found = INVITED.search(line.strip())
            name = line.strip()[: found.start()] if found else ""
            if not name or not 0 < int(found[1]) <= MOST_PEOPLE or len(name) > 80:
                wrong.append(f"Line {number} must be a team and a number of people: “{line.strip()[:60]}”.")
            else:
                rows.append({"name": name, "invited": int(found[1])})
        if wrong:
            raise forms.ValidationError(wrong)
        return rows


class MailForm(forms.Form):
    """The form for addresses to email links to. They are used once and not kept."""

    def __init__(self, *args, teams: list[dict], **options):
        """Build one field for each team that is asked."""
        super().__init__(*args, **options)
        self.teams = teams
        for place, team in enumerate(teams):
            self.fields[f"team_{place}"] = forms.CharField(
                label=gettext("%(team)s: %(invited)s addresses")
                % {"team": team["name"], "invited": team["invited"]},
                max_length=40_000,
                strip=False,
                widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
                help_text="Enter one address a line, or separate the addresses with commas."
                if not place
                else "",
            )

    def clean(self) -> dict:
        """Require as many different addresses for each team as people are asked."""
        fields, seen = super().clean(), set()
        if sum(team["invited"] for team in self.teams) > MOST_MAILS:
            self.add_error(
                None,
                phrase(
                    "Only {} people can get an email at a time. Hand out a sheet of links instead.",
                    MOST_MAILS,
                ),
            )
        for place, team in enumerate(self.teams):
            name = f"team_{place}"
            if name not in fields:
                continue
            found = [part for part in re.split(r"[\s,;]+", fields[name]) if part]
            wrong = [part for part in found if not _is_address(part)]
            twice = []
            for part in found:
                if part.lower() in seen:
                    twice.append(part)
                seen.add(part.lower())
            if wrong:
                self.add_error(name, phrase("Not an email address: {}.", ", ".join(wrong[:5])))
            elif twice:
                self.add_error(name, phrase("Listed twice: {}.", ", ".join(twice[:5])))
            elif len(found) != team["invited"]:
                self.add_error(
                    name,
                    phrase(
                        "You entered {} addresses for {} people. Enter one address for each person.",
                        len(found),
                        team["invited"],
                    ),
                )
            fields[name] = found
        return fields

    def by_team(self) -> dict[str, list[str]]:
        """Return the addresses by name of the team."""
        return {team["name"]: self.cleaned_data[f"team_{place}"] for place, team in enumerate(self.teams)}


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except forms.ValidationError:
        return False
    return True


class AnswerForm(forms.Form):
    """The form of an answer. One answer is required, and no option is preselected."""

    comment = forms.CharField(
        label=_("Anything else? (optional)"),
        required=False,
        max_length=question_sets.MOST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=_(
            "Your comment is shown as you write it, without your team. Do not name anyone, and do "
            "not write anything that identifies you."
        ),
    )

    use_required_attribute = False

    def __init__(self, *args, survey: Survey, **options):
        super().__init__(*args, **options)
        self.questions = question_sets.asked(survey.sets)
        for question in self.questions:
            self.fields[question.key] = forms.TypedChoiceField(
                label=question.text,
                required=False,
                coerce=int,
                empty_value=None,
                choices=[*((step, str(step)) for step in range(1, question.steps + 1)), ("", _("no answer"))],
                widget=forms.RadioSelect,
                error_messages={"invalid_choice": _("Choose one of the answers on the scale.")},
            )
        self.fields["comment"].error_messages["max_length"] = _(
            "Please keep your comment under 1000 characters."
        )

    def clean(self) -> dict:
        """Require an answer to one question or more."""
        fields = super().clean()
        if not self.errors and not any(fields.get(question.key) for question in self.questions):
            raise forms.ValidationError(_("You have not answered a question. Answer at least one question."))
        return fields

    def rows(self) -> list[dict]:
        """Return the questions with their fields, in their order."""
        return [{"question": question, "field": self[question.key]} for question in self.questions]

    def steps(self) -> dict[str, int]:
        """Return the chosen steps."""
        return {
            question.key: step
            for question in self.questions
            if (step := self.cleaned_data.get(question.key)) is not None
        }
