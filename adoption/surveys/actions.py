"""Everything that an owner does with a survey: write it, hand out its links, close it and publish. Answers go in
elsewhere, because nobody does them (adoption.surveys.survey_submission).
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
from initiatives.lifecycle.initiative.act import act
from initiatives.models import Initiative

MOST_TEAMS, MOST_PEOPLE = 60, 5000
FIELDS = ("title", "language", "sets", "teams", "closes")


@dataclass(frozen=True)
class Link:
    """An address that takes one answer, shown or mailed once and kept nowhere."""

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
    """Change a draft; the same fields as `write`."""
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
        wrong["title"] = "Give it a name that the people who answer know it by."
    if fields["language"] not in LANGUAGES:
        wrong["language"] = "Choose one of the languages listed."
    if not fields["sets"] or set(fields["sets"]) - set(question_sets.SETS):
        wrong["sets"] = "Choose at least one set of questions."
    elif (takes := question_sets.seconds(fields["sets"])) > question_sets.MOST_SECONDS:
        wrong["sets"] = (
            f"This takes about {takes} seconds to answer, and a survey takes at most two minutes. Leave a set for "
            "the next one."
        )
    if not teams:
        wrong["teams"] = "Say who is asked: one team a line, and how many work there."
    elif len({team["name"].casefold() for team in teams}) != len(teams):
        wrong["teams"] = "Each team stands in one line."
    elif len(teams) > MOST_TEAMS or sum(team["invited"] for team in teams) > MOST_PEOPLE:
        wrong["teams"] = f"A survey asks at most {MOST_PEOPLE} people in {MOST_TEAMS} teams."
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
    """The row, read after the lock."""
    return Survey.objects.select_related("initiative__unit", "opened_by", "closed_by").get(pk=survey.pk)


def open_survey(*, survey: Survey, by: User) -> list[Link]:
    """Take answers from now on; the links, once, in random order within their team. Small teams are put together.

    Raises Refused where it may not be opened yet, Conflict where somebody opened it meanwhile.
    """
    with act("open survey", by=by, initiative=survey.initiative_id) as initiative:
        row = _read(survey)
        if row.state != Survey.DRAFT:
            raise Conflict(f"{row.opened_by} opened it already.", "Its links were shown then, and only then.")
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
    """End every link that was handed out, and make as many new ones: where a sheet was lost and nobody has answered."""
    with act("replace survey links", by=by, initiative=survey.initiative_id) as initiative:
        AnswerBox.objects.select_for_update().filter(survey=survey.pk).first()  # no answer goes in meanwhile
        row = _read(survey)
        permissions.may_replace_links(row, by).or_refuse()
        Invitation.objects.filter(survey=row).delete()
        links = _invite(row)
        entries.record(EntryKind.SURVEY_LINKS_REPLACED, initiative=initiative, survey=row.pk, title=row.title)
    return links


def _invite(survey: Survey) -> list[Link]:
    """As many invitations as people, inserted in random order; their links by team, each team's in another."""
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
    """End it: its links open nothing more, what may be published is written down, and everything else is thrown away.

    What was in the box is gone with it; under five answers nothing of it stays but how many there were.
    """
    with act("close survey", by=by, initiative=survey.initiative_id) as initiative:
        box = AnswerBox.objects.select_for_update().filter(survey=survey.pk).first()
        row = _read(survey)
        if row.state == Survey.CLOSED:
            raise Conflict(f"{row.closed_by} closed it already.", "Read what came of it.", link_of(row))
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
    """Keep what was published as a measurement of the current measures that surveys read, in the running act.

    It is the figure of the whole set as its page shows it, so no second total; where one of its questions has fewer
    than five answers there is none, and no measurement.
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
    """The measurements that closing this survey became."""
    rows = Measurement.objects.filter(measure__initiative=survey.initiative_id, key=_key(survey), came=SURVEY)
    return list(rows.select_related("measure"))


def link_of(survey: Survey) -> str:
    """The page of a survey."""
    return reverse("survey", args=[survey.pk])


def remove_comment(*, comment: SurveyComment, reason: str, by: User) -> None:
    """Take a comment out that names somebody or lets them be known; that it was taken out stays recorded."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why, without repeating what it says."})
    with act(
        "remove survey comment", by=by, initiative=comment.survey.initiative_id, reason=reason.strip()
    ) as initiative:
        permissions.may_run(initiative, by).or_refuse()
        gone, _ = SurveyComment.objects.filter(pk=comment.pk).delete()
        if gone != 1:
            raise Conflict("Somebody took it out already.", "Read the others.", link_of(comment.survey))
        entries.record(
            EntryKind.SURVEY_COMMENT_REMOVED,
            initiative=initiative,
            survey=comment.survey_id,
            why=reason.strip(),
        )
