"""Texts of modules: English for the audit log and programs, translated where a page shows them."""

import json
import pickle
from datetime import date

from django.core.exceptions import ValidationError
from django.template import engines
from django.utils.translation import override

from governance.permission_result import Refused, no
from governance.vocabulary import Seat
from governance.vocabulary.phrases import DayOfYear, Phrase, in_the_future, joined, label, phrase

ASK = phrase("Ask {}.", "Ada <Ada@corp.example>")


def shown(template: str, **context) -> str:
    """A template in German."""
    with override("de"):
        return engines["django"].from_string(template).render(context)


def test_a_phrase_is_its_english_text_and_shown_in_the_language_of_the_page():
    assert ASK == "Ask Ada <Ada@corp.example>."
    assert json.loads(json.dumps({"fix": ASK})) == {"fix": "Ask Ada <Ada@corp.example>."}
    with override("de"):
        assert str(ASK) == f"{ASK}" == "Ask Ada <Ada@corp.example>."
    assert shown("{{ text }}", text=ASK) == "Fragen Sie Ada &lt;Ada@corp.example&gt;."
    assert pickle.loads(pickle.dumps(ASK)).in_language() == ASK


def test_values_are_shown_in_the_language_too():
    until = phrase("Waived until {}: {}", date(2026, 3, 1), phrase("Answer the requirement."))
    assert until == "Waived until 1 March 2026: Answer the requirement."
    with override("de"):
        assert until.in_language() == "Ausnahme bis 1. März 2026: Beantworten Sie die Anforderung."
        assert label(Seat.RISK_COMPLIANCE.label, inside=True).in_language() == "Risiko und Compliance"
    assert label(Seat.RISK_COMPLIANCE.label, inside=True) == "risk and compliance"


def test_a_day_without_its_year_is_shown_in_the_language_too():
    since = phrase("since {}", DayOfYear(date(2026, 10, 12)))
    assert since == "since 12 October"
    assert shown("{{ since }}", since=since) == "seit 12. Oktober"


def test_texts_are_joined_without_empty_ones():
    assert joined(ASK, "", "Now.") == f"{ASK} Now."
    assert shown("{{ text }}", text=joined(ASK, ASK)).count("Fragen Sie") == 2
    assert joined() == ""


def test_a_refusal_is_english_where_it_is_recorded_and_translated_on_a_page():
    refused = Refused(no("Only the owner can do this.", ASK))
    with override("de"):
        assert str(refused.answer) == f"Only the owner can do this. {ASK}"
    for page in (
        "{{ a.reasons.0 }}",
        "{{ a.reasons|join:' ' }}",
        "{{ a.reasons.0.text }} {{ a.reasons.0.remedy }}",
    ):
        assert shown(page, a=refused.answer).startswith("Nur der Owner kann das tun. Fragen Sie Ada &lt;"), (
            page
        )


def test_errors_of_forms_keep_their_message():
    (error,) = ValidationError({"names": ASK}).message_dict["names"]
    assert isinstance(error, Phrase)
    page = "{% load plumbline %}{{ error|translated }}"
    assert shown(page, error=error).startswith("Fragen Sie")
    assert shown(page, error="Only the owner can do this.") == "Nur der Owner kann das tun."


def test_the_refusal_of_a_later_day_or_time_names_what_counts(settings):
    settings.TIME_ZONE = "America/New_York"
    day = in_the_future(date(2026, 11, 28), date(2026, 11, 27))
    assert day.values == (date(2026, 11, 28), date(2026, 11, 27), "America/New_York")
    time = in_the_future("09:00 on 28 November 2026", "18:00 on 27 November 2026")
    assert time.values == ("09:00 on 28 November 2026", "18:00 on 27 November 2026", "America/New_York")
