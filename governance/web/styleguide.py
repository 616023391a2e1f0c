"""Sample values for the styleguide page: every component in every state, without a database."""

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator

from governance import clock


class SampleForm(forms.Form):
    """One field of every kind, so that the field template can be looked at."""

    title = forms.CharField(help_text="Enter the name that people will use.")
    unit = forms.ChoiceField(choices=[("", "choose"), ("retail", "Retail"), ("claims", "Claims")])
    problem = forms.CharField(
        widget=forms.Textarea, help_text="The people affected, how often, and the cost today."
    )
    observed_on = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    evidence = forms.FileField(required=False, help_text="A document is required, up to 20 MB.")
    kind = forms.ChoiceField(
        label="Answer",
        widget=forms.RadioSelect,
        choices=[("answered", "Yes"), ("no", "Not yet")],
    )
    seats = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[("risk", "Risk and compliance"), ("value", "Business value")],
        help_text="The first person to ask.",
    )
    understood = forms.BooleanField(label="I have read what will happen")


class ReasonForm(forms.Form):
    """The one field of a page that asks before it acts."""

    reason = forms.CharField(widget=forms.Textarea, help_text="Everyone on the initiative can read this.")


def _seats():
    return [
        ("business_value", "Business value", False),
        ("risk_compliance", "Risk", True),
        ("security_privacy", "Security", False),
        ("architecture_integration", "Architecture", False),
        ("service_operations", "Operations", False),
        ("adoption_change", "Adoption", False),
    ]


def _matrix_rows():
    signed = {"word": "signed", "tone": "ok"}
    yours = {"word": "waiting for your signature", "tone": "lead", "mine": True}
    return [
        {
            "text": "Support ownership explicit",
            "state": "met",
            "tone": "ok",
            "cells": [None, None, None, None, signed | {"who": "Grace Kim"}, None],
        },
        {
            "text": "Exceptions defined",
            "state": "expired",
            "tone": "warn",
            "why": "drill of 12 May expired",
            "link": "#gaps",
            "cells": [
                None,
                None,
                None,
                {
                    "word": "expired",
                    "tone": "warn",
                    "who": "Tomas Ek",
                    "gone": True,
                    "why": "the drill expired",
                },
                signed | {"who": "Grace Kim"},
                None,
            ],
        },
        {
            "text": "Governance satisfied",
            "state": "met",
            "tone": "ok",
            "cells": [None, yours, signed | {"who": "Olu Adeyemi"}, None, None, None],
        },
        {
            "text": "Integration test passed",
            "state": "not met",
            "tone": "bad",
            "why": "three open conflicts on customer",
            "cells": [
                None,
                None,
                None,
                {"word": "objects", "tone": "bad", "who": "Tomas Ek", "why": "until the term is defined"},
                None,
                None,
            ],
        },
        {
            "text": "Rollout bounded",
            "state": "waived",
            "tone": "lead",
            "why": "until 30 November",
            "cells": [{"word": "recused", "tone": "", "who": "Dana Hill"}, None, None, None, None, None],
        },
    ]


def _findings():
    return [
        {
            "layer": "integration",
            "state": "unmet",
            "text": "Three open conflicts on customer.",
            "who": "Hanna Vogel (data steward)",
            "how": "reconcile or accept them.",
            "link": "#gaps",
            "link_text": "Open the term",
        },
        {
            "layer": "integration",
            "state": "expired",
            "text": "Fallback drill is 181 days old. 180 are allowed.",
            "who": "You",
            "how": "add a newer drill.",
            "link": "#gaps",
            "link_text": "Add it",
        },
        {
            "layer": "policy",
            "state": "waived",
            "text": "Rollout bounded",
            "how": "Until 30 November, by Elena Novak.",
        },
        {"layer": "model", "state": "advisory", "text": "A second test set would help.", "who": "Ravi Menon"},
        {"layer": "observability", "state": "met", "text": "Every input and output is logged."},
    ]


def sample_context():
    """Return the styleguide's context. It has plain values, and days relative to the clock's today."""
    today = clock.today()
    wrong = SampleForm({"title": "", "unit": "", "kind": ""}, auto_id="wrong_%s")
    wrong.is_valid()
    return {
        "day": {
            name: today + timedelta(days=n)
            for name, n in (("past", -3), ("now", 0), ("next", 12), ("far", 400))
        },
        "stages": ["proposed", "prototype", "mvp", "production", "stopped", "retired"],
        "rooms": [
            {"word": "Prototype", "tags": [("supported", "ok")]},
            {
                "word": "MVP",
                "tags": [("approved, 3 gaps", "warn")],
                "approved": True,
            },
            {"word": "Production", "link": "#matrix", "link_text": "review open"},
            {"word": "Retired"},
        ],
        "tasks": [
            {
                "text": "Customer summary assistant",
                "link": "#inbox",
                "ref": "AI-0042",
                "why": "MVP to production. The gate needs five signatures and yours among them.",
                "due": "in 11 days (20 November)",
                "verb": "Review",
                "main": True,
            },
            {
                "text": "Fallback drill of 12 May",
                "link": "#inbox",
                "ref": "AI-0031",
                "why": "Covers exceptions defined. The approval of the architecture seat depends on this drill.",
                "due": "stale since today",
                "late": True,
                "verb": "Replace the drill",
            },
        ],
        "findings": _findings(),
        "seats": _seats(),
        "matrix_rows": _matrix_rows(),
        "entries": [
            {
                "at": clock.now(),
                "who": "Tomas Ek",
                "text": "withdrew an objection.",
                "reason": "The drill was repeated.",
            },
            {"at": today - timedelta(days=2), "text": "Approved stage raised to MVP.", "link": "#history"},
            {
                "at": today - timedelta(days=500),
                "who": "Marta Lindqvist",
                "text": "registered the initiative.",
            },
        ],
        "transfers": [
            {"name": "CRM", "region": "eu-west", "allowed": True},
            {"name": "Gateway", "region": "eu-west", "allowed": True},
            {
                "name": "Vendor model",
                "region": "us-east",
                "allowed": False,
                "why": "breaks: no processing outside EU",
            },
        ],
        "facts": [("Owner", "Marta Lindqvist"), ("Users", "40, two teams"), ("Sponsor", "")],
        "rows": [["Claims summary", "Production", 402], ["Meeting notes", "MVP", 210]],
        "page": Paginator(range(230), 20).page(3),
        "ageing": [
            ("now", 12, True),
            ("16 Nov", 4),
            ("23 Nov", 7),
            ("30 Nov", 20),
            ("7 Dec", 0),
            ("14 Dec", 9),
        ],
        "flow": [("Proposed", 9), ("Prototype", 12), ("MVP", 7), ("Production", 3)],
        "measurements": [("June", 9.1), ("July", 8.4), ("August", 7.2), ("September", 6.6), ("October", 6.9)],
        "effects": [
            "2 sign-offs go stale: Amara Diallo, Tomas Ek.",
            "The criterion “Rollout bounded” is no longer met.",
        ],
        "happens": ["The system stops answering at once.", "You must write a post-mortem within 30 days."],
        "reasons": [
            {
                "text": "One approval is stale.",
                "remedy": "Tomas Ek can sign again after a newer drill.",
                "link": "#gaps",
            }
        ],
        "statement": (
            "I, Ines Okafor, in the seat of risk and compliance approve that AI-0042 meets:\n"
            "- Governance satisfied, on contract v2 in force.\n"
            "This sign-off ends when any of these facts changes."
        ),
        "digest": "9f2c41d70be388a15c607d1e2f94a6b3e01277c94d58b1fe63a09d2bc8e71540",
        "text": "**Right queue** in 91 % of 1,200 tickets. The required share is `85 %`.\n\n- curated\n- model m-5",
        "form": SampleForm(auto_id="sample_%s"),
        "wrong_form": wrong,
        "reason_form": ReasonForm(auto_id="reason_%s"),
    }
