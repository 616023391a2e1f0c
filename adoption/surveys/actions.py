"""The acts of an owner on a survey: write, hand out links, close and publish.

Answers are elsewhere, because they have no known author (adoption.surveys.survey_submission).
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.measurements.actions import record_measurements
from adoption.measurements.measurement_validation import LONGEST_DAYS, Sent
from adoption.models import AnswerBox, Invitation, Measurement, Survey, SurveyComment
from adoption.models.measures import SURVEY
from adoption.models.surveys import LANGUAGES
from adoption.surveys import disclosure_control, permissions, presentation, question_sets, survey_submission
from governance import clock
from governance.audit_log import entries
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from governance.vocabulary.phrases import phrase
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST_TEAMS, MOST_PEOPLE = 60, 5000
FIELDS = ("title", "language", "sets", "teams", "closes")


@dataclass(frozen=True)
class Link:
    """An address that takes one answer. It is shown or emailed once, and not kept."""

    team: str
    address: str


def write(*, initiative: Initiative, by: User, **fields) -> Survey:
    """Begin a survey: `title`, `language`, `sets` (keys), `teams` ([{name, invited}]), `closes`.

    Raises ValidationError by field, or Refused.
    """
    with act("write survey", by=by, initiative=initiative) as initiative:
        permissions.may_run(initiative, by).or_refuse()
        row = Survey(initiative=initiative, drafted_by=by, **_checked(fields))
        row.save()
        entries.record(EntryKind.SURVEY_WRITTEN, initiative=initiative, survey=row.pk, title=row.title)
    return row


def change(*, survey: Survey, by: User, **fields) -> Survey:
    """Change a draft, with the same fields as `write`."""
    with act("change survey", by=by, initiative=survey.initiative_id) as initiative:
        row = _read(survey)
        permissions.may_change(row, by).or_refuse()
        for name, value in _checked(fields).items():
            setattr(row, name, value)
        row.save()
        entries.record(EntryKind.SURVEY_WRITTEN, initiative=initiative, survey=row.pk, title=row.title)
    return row


def _checked(fields: dict) -> dict:
    if set(fields) != set(FIELDS):
        raise TypeError(f"A survey has {', '.join(FIELDS)}.")
    title, teams, wrong = fields["title"].strip(), _teams(fields["teams"]), {}
    if not title:
        wrong["title"] = "Give the survey a name that its participants will recognise."
    if fields["closes"] < clock.today():
        wrong["closes"] = "The last day for answers is in the past. Choose today or later."
    if fields["language"] not in LANGUAGES:
        wrong["language"] = "Choose one of the languages listed."
    if not fields["sets"] or set(fields["sets"]) - set(question_sets.SETS):
        wrong["sets"] = "Choose at least one set of questions."
    elif (takes := question_sets.seconds(fields["sets"])) > question_sets.MOST_SECONDS:
        wrong["sets"] = (
            f"These questions take about {takes} seconds, and a survey takes at most two minutes. "
            "Remove a set of questions, and use it in the next survey."
        )
    if not teams:
        wrong["teams"] = "Write one team on each line, with its number of people."
    elif len({team["name"].casefold() for team in teams}) != len(teams):
        wrong["teams"] = "Enter each team only once."
    elif len(teams) > MOST_TEAMS or sum(team["invited"] for team in teams) > MOST_PEOPLE:
        wrong["teams"] = (
            f"The survey asks too many people. Enter at most {MOST_PEOPLE} people in {MOST_TEAMS} teams."
        )
    if wrong:
        raise ValidationError(wrong)
    sets = [key for key in question_sets.SETS if key in fields["sets"]]
    return fields | {"title": title, "sets": sets, "teams": teams}


def _teams(teams: list[dict]) -> list[dict]:
    return [
        {"name": name, "invited": int(team["invited"])}
        for team in teams
        if (name := " ".join(team["name"].split())) and int(team["invited"]) > 0
    ]


def _read(survey: Survey) -> Survey:
    """Return the row, read after the lock."""
    return Survey.objects.select_related("initiative__unit", "opened_by", "closed_by").get(pk=survey.pk)


def open_survey(*, survey: Survey, by: User) -> list[Link]:
    """Open a survey for answers, and return its links once.

    The links are in random order within their team. Small teams are put together. Raises Refused if it may not be
    opened yet, Conflict if someone opened it meanwhile.
    """
    with act("open survey", by=by, initiative=survey.initiative_id) as initiative:
        row = _read(survey)
        if row.state != Survey.DRAFT:
            raise Conflict(
                phrase("{} opened this survey already.", row.opened_by),
                phrase("Ask {} for the links. The links were shown only once.", row.opened_by),
            )
        permissions.may_open(row, by).or_refuse()
        row.teams = disclosure_control.merged(row.teams)
        row.state, row.opened_at, row.opened_by = Survey.OPEN, clock.now(), by
        row.save()
        AnswerBox.objects.create(survey=row)
        links = _invite(row)
        entries.record(
            EntryKind.SURVEY_OPENED,
            initiative=initiative,
            survey=row.pk,
            title=row.title,
            teams=row.teams,
            sets=row.sets,
        )
    return links


def replace_links(*, survey: Survey, by: User) -> list[Link]:
    """Replace every link by a new one, for a lost sheet while no one has answered."""
    with act("replace survey links", by=by, initiative=survey.initiative_id) as initiative:
        AnswerBox.objects.select_for_update().filter(survey=survey.pk).first()  # no answer goes in meanwhile
        row = _read(survey)
        permissions.may_replace_links(row, by).or_refuse()
        Invitation.objects.filter(survey=row).delete()
        links = _invite(row)
        entries.record(EntryKind.SURVEY_LINKS_REPLACED, initiative=initiative, survey=row.pk, title=row.title)
    return links


def _invite(survey: Survey) -> list[Link]:
    """Make an invitation for each person, and return their links by team. Their random orders differ."""
    places = [place for place, team in enumerate(survey.teams) for _ in range(team["invited"])]
    made = [(place, survey_submission.new_token()) for place in places]
    chance = secrets.SystemRandom()
    chance.shuffle(made)
    Invitation.objects.bulk_create(
        [
            Invitation(survey=survey, team=place, hash=survey_submission.hash_of(token))
            for place, token in made
        ]
    )
    chance.shuffle(made)
    return [
        Link(survey.teams[place]["name"], f"{settings.ADDRESS}{reverse('survey-answer', args=[token])}")
        for place, token in sorted(made, key=lambda one: one[0])
    ]


def close(*, survey: Survey, by: User) -> Survey:
    """Close a survey: end its links, save what may be published, delete the rest.

    The answer box is deleted. A survey with fewer than five answers keeps only their number.
    """
    with act("close survey", by=by, initiative=survey.initiative_id) as initiative:
        box = AnswerBox.objects.select_for_update().filter(survey=survey.pk).first()
        row = _read(survey)
        if row.state == Survey.CLOSED:
            raise Conflict(
                phrase("{} closed this survey already.", row.closed_by), "Read the results.", link_of(row)
            )
        permissions.may_close(row, by).or_refuse()
        answered = {place: box.answered.get(str(place), 0) for place in range(len(row.teams))}
        sums = {int(place): by_key for place, by_key in box.sums.items()}
        keys = [question.key for question in question_sets.asked(row.sets)]
        row.results = disclosure_control.published(answered, sums, keys)
        row.teams = [team | {"answered": answered[place]} for place, team in enumerate(row.teams)]
        row.state, row.closed_at, row.closed_by = Survey.CLOSED, clock.now(), by
        row.save()
        if row.results is not None:
            comments = list(box.comments)
            secrets.SystemRandom().shuffle(comments)
            SurveyComment.objects.bulk_create([SurveyComment(survey=row, text=text) for text in comments])
        Invitation.objects.filter(survey=row).delete()
        box.delete()
        entries.record(
            EntryKind.SURVEY_CLOSED,
            initiative=initiative,
            survey=row.pk,
            title=row.title,
            teams=row.teams,
            results=row.results,
        )
        _read_into_measures(initiative, row, by)
    return row


def _read_into_measures(initiative: Initiative, survey: Survey, by: User) -> None:
    """Keep the published figure as a measurement of the measures that surveys feed.

    The act is running. It is the figure of the whole set as its page shows it, so it is not a second total. If one of
    its questions has fewer than five answers, the figure and the measurement are missing.
    """
    ends_on = min(survey.closes, clock.today())
    starts_on = max(clock.local_day(survey.opened_at), ends_on - timedelta(days=LONGEST_DAYS - 1))
    sent = []
    for measure in initiative.measures.current():
        asked = question_sets.SETS.get(measure.how.asked_by)
        figure = presentation.figure_of(survey, asked) if asked else None
        if figure is not None:
            sent.append(
                Sent(
                    measure.pk,
                    starts_on,
                    ends_on,
                    figure["n"],
                    _key(survey),
                    value=figure["mean"],
                    sd=figure["sd"],
                )
            )
    if sent:
        said = f"{survey.title}: {survey.answered} of {survey.invited} answered"
        record_measurements(initiative=initiative, sent=sent, came=SURVEY, source=said, by=by)


def _key(survey: Survey) -> str:
    return f"survey {survey.pk}"


def measurements_of(survey: Survey) -> list[Measurement]:
    """Return the measurements that closing this survey made."""
    rows = Measurement.objects.filter(measure__initiative=survey.initiative_id, key=_key(survey), came=SURVEY)
    return list(rows.select_related("measure"))


def link_of(survey: Survey) -> str:
    """Return the address of a survey's page."""
    return reverse("survey", args=[survey.pk])


def remove_comment(*, comment: SurveyComment, reason: str, by: User) -> None:
    """Take out a comment that names or identifies a person. The removal is recorded."""
    if not reason.strip():
        raise ValidationError({"reason": "Give a reason. Do not repeat the comment."})
    with act(
        "remove survey comment", by=by, initiative=comment.survey.initiative_id, reason=reason.strip()
    ) as initiative:
        permissions.may_run(initiative, by).or_refuse()
        gone, _ = SurveyComment.objects.filter(pk=comment.pk).delete()
        if gone != 1:
            raise Conflict(
                "Someone removed this comment already.", "Read the others.", link_of(comment.survey)
            )
        entries.record(
            EntryKind.SURVEY_COMMENT_REMOVED,
            initiative=initiative,
            survey=comment.survey_id,
            why=reason.strip(),
        )
