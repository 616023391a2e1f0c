"""Forms of surveys: what the owner asks and whom; and the page of whoever answers, in their language."""

import re

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from adoption.models import Survey
from adoption.models.surveys import LANGUAGES
from adoption.surveys import question_sets
from adoption.surveys.actions import MOST_PEOPLE
from governance.web.form_fields import DayField

MOST_MAILS = 300
INVITED = re.compile(r"(?<![\s,;:])[\s,;:]+(\d{1,6})$")  # how many people, at the end of a stripped line


class SurveyForm(forms.Form):
    """What is asked, of whom, in which language, until when."""

    title = forms.CharField(
        label="Name of the survey",
        max_length=120,
        help_text="Read by those who are asked, so name the AI as they call it. “Reply drafts, autumn”",
    )
    sets = forms.MultipleChoiceField(
        label="What it asks",
        widget=forms.CheckboxSelectMultiple,
        choices=[
            (
                key,
                f"{one.title}: {len(one.questions)} question{'s' if len(one.questions) > 1 else ''}",
            )
            for key, one in question_sets.SETS.items()
        ],
        help_text="Few: it has to be answered in two minutes. A line for a comment always stands at its end.",
        error_messages={"required": "Choose at least one set of questions."},
    )
    teams = forms.CharField(
        label="Who is asked",
        max_length=10_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="One team a line, then how many people: “Claims north, 14”. Teams of fewer than five are asked and "
        "shown together with others.",
    )
    language = forms.ChoiceField(
        label="Language that its page begins in",
        choices=list(LANGUAGES.items()),
        help_text="Everybody can switch.",
    )
    closes = DayField(label="Last day for answers")

    def clean_teams(self) -> list[dict]:
        """The lines as rows of name and invited."""
        rows, wrong = [], []
        for number, line in enumerate(self.cleaned_data["teams"].splitlines(), start=1):
            if not line.strip():
                continue
            found = INVITED.search(line.strip())
            name = line.strip()[: found.start()] if found else ""
            if not name or not 0 < int(found[1]) <= MOST_PEOPLE or len(name) > 80:
                wrong.append(f"Line {number} is not a team and how many people: “{line.strip()[:60]}”.")
            else:
                rows.append({"name": name, "invited": int(found[1])})
        if wrong:
            raise forms.ValidationError(wrong)
        return rows


def form_of(survey: Survey, typed=None) -> SurveyForm:
    """The form with what stands now, or with what was typed."""
    lines = "\n".join(f"{team['name']}, {team['invited']}" for team in survey.teams)
    initial = {name: getattr(survey, name) for name in ("title", "sets", "language", "closes")}
    return SurveyForm(typed, initial=initial | {"teams": lines})


class MailForm(forms.Form):
    """Addresses to mail links to: used once and kept nowhere."""

    def __init__(self, *args, teams: list[dict], **options):
        """One field for each team that is asked."""
        super().__init__(*args, **options)
        self.teams = teams
        for place, team in enumerate(teams):
            self.fields[f"team_{place}"] = forms.CharField(
                label=f"{team['name']}: {team['invited']} addresses",
                max_length=40_000,
                strip=False,
                widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
                help_text="One a line, or with commas between them." if not place else "",
            )

    def clean(self) -> dict:
        """By team, as many different addresses as people are asked."""
        fields, seen = super().clean(), set()
        if sum(team["invited"] for team in self.teams) > MOST_MAILS:
            self.add_error(
                None, f"At most {MOST_MAILS} can be mailed at a time. Hand out a sheet of links instead."
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
                self.add_error(name, f"Not a mail address: {', '.join(wrong[:5])}.")
            elif twice:
                self.add_error(name, f"Stands here twice: {', '.join(twice[:5])}.")
            elif len(found) != team["invited"]:
                self.add_error(
                    name, f"These are {len(found)} addresses, and {team['invited']} people are asked."
                )
            fields[name] = found
        return fields

    def by_team(self) -> dict[str, list[str]]:
        """The addresses by name of the team."""
        return {team["name"]: self.cleaned_data[f"team_{place}"] for place, team in enumerate(self.teams)}


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except forms.ValidationError:
        return False
    return True


class AnswerForm(forms.Form):
    """The page of whoever answers. Nothing is required but one answer; nothing is chosen before somebody chooses."""

    comment = forms.CharField(
        label=_("Anything else? (optional)"),
        required=False,
        max_length=question_sets.MOST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
        help_text=_(
            "Your words are shown as you write them, without saying which team you belong to. Please do not name "
            "anybody, and nothing by which you would be known."
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
                error_messages={"invalid_choice": _("Choose one of the steps shown.")},
            )
        self.fields["comment"].error_messages["max_length"] = _("Please keep it under 1000 characters.")

    def clean(self) -> dict:
        """At least one question is answered."""
        fields = super().clean()
        if not self.errors and not any(fields.get(question.key) for question in self.questions):
            raise forms.ValidationError(_("Nothing is chosen yet. Answer at least one question."))
        return fields

    def rows(self) -> list[dict]:
        """The questions with their fields, in their order."""
        return [{"question": question, "field": self[question.key]} for question in self.questions]

    def steps(self) -> dict[str, int]:
        """The steps that were chosen."""
        return {
            question.key: step
            for question in self.questions
            if (step := self.cleaned_data.get(question.key)) is not None
        }
