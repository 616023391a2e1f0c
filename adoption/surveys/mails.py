"""The links of a survey by email: one to each address, in random order, unrecorded."""

import secrets
from dataclasses import dataclass
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from adoption.models import Survey
from adoption.models.surveys import LANGUAGES
from adoption.surveys.actions import Link
from governance.database import rehearsing

log = structlog.get_logger("plumbline.survey")


@dataclass(frozen=True)
class Left:
    """The failed emails: addresses, and as many links in an unrelated order."""

    addresses: list[str]
    links: list[Link]


def send(survey: Survey, links: list[Link], addresses: dict[str, list[str]]) -> Left:
    """Email each address of a team one of the team's links.

    Returns what the mail system refused. A line of the log has the number of failures and their causes, but no
    addresses. A rehearsed act sends no emails.
    """
    if rehearsing.current() is not None:
        return Left([], [])
    waiting = {team: list(found) for team, found in addresses.items()}
    chance = secrets.SystemRandom()
    for found in waiting.values():
        chance.shuffle(found)
    pairs = [(waiting[link.team].pop(), link) for link in links]
    chance.shuffle(pairs)
    connection, left = get_connection(), []
    for address, link in pairs:
        try:
            _mail(survey, address, link, connection).send()
        except (OSError, SMTPException) as trouble:
            log.warning("an invitation was not mailed", survey=survey.pk, why=type(trouble).__name__)
            left.append((address, link))
    connection.close()
    return Left(
        sorted(address for address, _ in left), sorted((link for _, link in left), key=lambda one: one.team)
    )


def _mail(survey: Survey, address: str, link: Link, connection) -> EmailMessage:
    """Return the email, in the language of the survey, then in the others."""
    words = []
    for language in sorted(LANGUAGES, key=lambda one: one != survey.language):
        with translation.override(language):
            context = {"survey": survey, "address": f"{link.address}?lang={language}"}
            words.append(render_to_string("adoption/surveys/survey_mail.txt", context).strip())
    with translation.override(survey.language):
        subject = gettext("Short survey about your work with the AI: %(title)s") % {
            "title": " ".join(survey.title.split())
        }
    return EmailMessage(
        subject=subject,
        body="\n\n--\n\n".join(words) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[address],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection,
    )
