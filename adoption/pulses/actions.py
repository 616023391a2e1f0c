"""Everything that an owner does with a pulse: write it, hand out its links, close it and publish. Answers go in
elsewhere, because nobody does them (adoption.pulses.survey_submission).
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.urls import reverse

from adoption.models import AnswerBox, Invitation, Pulse, PulseComment, Reading
from adoption.models.measures import PULSE
from adoption.models.pulses import LANGUAGES
from adoption.pulses import disclosure_control, permissions, presentation, question_sets, survey_submission
from adoption.readings.actions import record_readings
from adoption.readings.reading_validation import LONGEST_DAYS, Sent
from governance import clock
from governance.ledger import record
from governance.models import User
from governance.permission_result import Conflict
from governance.vocabulary.entry_kinds import EntryKind
from initiatives.cases.act import act
from initiatives.models import Initiative

MOST_TEAMS, MOST_PEOPLE = 60, 5000
FIELDS = ("title", "language", "sets", "teams", "closes")


@dataclass(frozen=True)
class Link:
    """An address that takes one answer, shown or mailed once and kept nowhere."""

    team: str
    address: str


def write(*, case: Initiative, by: User, **fields) -> Pulse:
    """Begin a pulse: `title`, `language`, `sets` (keys), `teams` ([{name, invited}]), `closes`.

    Raises ValidationError by field, or Refused.
    """
    with act("write pulse", by=by, case=case) as case:
        permissions.may_run(case, by).or_refuse()
        row = Pulse(initiative=case, drafted_by=by, **_checked(fields))
        row.save()
        record.record(EntryKind.PULSE_WRITTEN, case=case, pulse=row.pk, title=row.title)
    return row


def change(*, pulse: Pulse, by: User, **fields) -> Pulse:
    """Change a draft; the same fields as `write`."""
    with act("change pulse", by=by, case=pulse.initiative_id) as case:
        row = _read(pulse)
        permissions.may_change(row, by).or_refuse()
        for name, value in _checked(fields).items():
            setattr(row, name, value)
        row.save()
        record.record(EntryKind.PULSE_WRITTEN, case=case, pulse=row.pk, title=row.title)
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


def _read(pulse: Pulse) -> Pulse:
    """The row, read after the lock."""
    return Pulse.objects.select_related("initiative__unit", "opened_by", "closed_by").get(pk=pulse.pk)


def open_pulse(*, pulse: Pulse, by: User) -> list[Link]:
    """Take answers from now on; the links, once, in random order within their team. Small teams are put together.

    Raises Refused where it may not be opened yet, Conflict where somebody opened it meanwhile.
    """
    with act("open pulse", by=by, case=pulse.initiative_id) as case:
        row = _read(pulse)
        if row.state != Pulse.DRAFT:
            raise Conflict(f"{row.opened_by} opened it already.", "Its links were shown then, and only then.")
        permissions.may_open(row, by).or_refuse()
        row.teams = disclosure_control.merged(row.teams)
        row.state, row.opened_at, row.opened_by = Pulse.OPEN, clock.now(), by
        row.save()
        AnswerBox.objects.create(pulse=row)
        links = _invite(row)
        record.record(
            EntryKind.PULSE_OPENED, case=case, pulse=row.pk, title=row.title, teams=row.teams, sets=row.sets
        )
    return links


def replace_links(*, pulse: Pulse, by: User) -> list[Link]:
    """End every link that was handed out, and make as many new ones: where a sheet was lost and nobody has answered."""
    with act("replace pulse links", by=by, case=pulse.initiative_id) as case:
        AnswerBox.objects.select_for_update().filter(pulse=pulse.pk).first()  # no answer goes in meanwhile
        row = _read(pulse)
        permissions.may_replace_links(row, by).or_refuse()
        Invitation.objects.filter(pulse=row).delete()
        links = _invite(row)
        record.record(EntryKind.PULSE_LINKS_REPLACED, case=case, pulse=row.pk, title=row.title)
    return links


def _invite(pulse: Pulse) -> list[Link]:
    """As many invitations as people, inserted in random order; their links by team, each team's in another."""
    places = [place for place, team in enumerate(pulse.teams) for _ in range(team["invited"])]
    made = [(place, survey_submission.new_token()) for place in places]
    chance = secrets.SystemRandom()
    chance.shuffle(made)
    Invitation.objects.bulk_create(
        [Invitation(pulse=pulse, team=place, hash=survey_submission.hash_of(token)) for place, token in made]
    )
    chance.shuffle(made)
    return [
        Link(pulse.teams[place]["name"], f"{settings.ADDRESS}{reverse('pulse-answer', args=[token])}")
        for place, token in sorted(made, key=lambda one: one[0])
    ]


def close(*, pulse: Pulse, by: User) -> Pulse:
    """End it: its links open nothing more, what may be published is written down, and everything else is thrown away.

    What was in the box is gone with it; under five answers nothing of it stays but how many there were.
    """
    with act("close pulse", by=by, case=pulse.initiative_id) as case:
        box = AnswerBox.objects.select_for_update().filter(pulse=pulse.pk).first()
        row = _read(pulse)
        if row.state == Pulse.CLOSED:
            raise Conflict(f"{row.closed_by} closed it already.", "Read what came of it.", link_of(row))
        permissions.may_close(row, by).or_refuse()
        answered = {place: box.answered.get(str(place), 0) for place in range(len(row.teams))}
        sums = {int(place): by_key for place, by_key in box.sums.items()}
        keys = [question.key for question in question_sets.asked(row.sets)]
        row.results = disclosure_control.published(answered, sums, keys)
        row.teams = [team | {"answered": answered[place]} for place, team in enumerate(row.teams)]
        row.state, row.closed_at, row.closed_by = Pulse.CLOSED, clock.now(), by
        row.save()
        if row.results is not None:
            comments = list(box.comments)
            secrets.SystemRandom().shuffle(comments)
            PulseComment.objects.bulk_create([PulseComment(pulse=row, text=text) for text in comments])
        Invitation.objects.filter(pulse=row).delete()
        box.delete()
        record.record(
            EntryKind.PULSE_CLOSED,
            case=case,
            pulse=row.pk,
            title=row.title,
            teams=row.teams,
            results=row.results,
        )
        _read_into_measures(case, row, by)
    return row


def _read_into_measures(case: Initiative, pulse: Pulse, by: User) -> None:
    """Keep what was published as a reading of the standing measures that pulses read, in the running act.

    It is the figure of the whole set as its page shows it, so no second total; where one of its questions has fewer
    than five answers there is none, and no reading.
    """
    ends_on = min(pulse.closes, clock.today())
    starts_on = max(clock.local_day(pulse.opened_at), ends_on - timedelta(days=LONGEST_DAYS - 1))
    sent = []
    for measure in case.measures.standing():
        asked = question_sets.SETS.get(measure.how.asked_by)
        figure = presentation.figure_of(pulse, asked) if asked else None
        if figure is not None:
            sent.append(
                Sent(
                    measure.pk,
                    starts_on,
                    ends_on,
                    figure["n"],
                    _key(pulse),
                    value=figure["mean"],
                    sd=figure["sd"],
                )
            )
    if sent:
        said = f"{pulse.title}: {pulse.answered} of {pulse.invited} answered"
        record_readings(case=case, sent=sent, came=PULSE, source=said, by=by)


def _key(pulse: Pulse) -> str:
    return f"pulse {pulse.pk}"


def readings_of(pulse: Pulse) -> list[Reading]:
    """The readings that closing this pulse became."""
    rows = Reading.objects.filter(measure__initiative=pulse.initiative_id, key=_key(pulse), came=PULSE)
    return list(rows.select_related("measure"))


def link_of(pulse: Pulse) -> str:
    """The page of a pulse."""
    return reverse("pulse", args=[pulse.pk])


def remove_comment(*, comment: PulseComment, reason: str, by: User) -> None:
    """Take a comment out that names somebody or lets them be known; that it was taken out stays on record."""
    if not reason.strip():
        raise ValidationError({"reason": "Say why, without repeating what it says."})
    with act("remove pulse comment", by=by, case=comment.pulse.initiative_id, reason=reason.strip()) as case:
        permissions.may_run(case, by).or_refuse()
        gone, _ = PulseComment.objects.filter(pk=comment.pk).delete()
        if gone != 1:
            raise Conflict("Somebody took it out already.", "Read the others.", link_of(comment.pulse))
        record.record(EntryKind.PULSE_COMMENT_REMOVED, case=case, pulse=comment.pulse_id, why=reason.strip())
