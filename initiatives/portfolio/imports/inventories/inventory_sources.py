# ruff: noqa: RUF001 - the sources' own dashes and apostrophes
"""Known inventories: the meaning of their columns, and of their words for stages.

If a word has two possible stages, the lower is used, and the doubt is kept as `confidence`. A row without a stage is
set aside. Sources of one family list the same systems in different years, and `published_on` shows which is newer.
"""

from dataclasses import dataclass, field
from datetime import date

from initiatives.models import InventorySource
from initiatives.models.imports import OWN, OWN_SHEET

# What is read from a row beyond its own answers.
FIELDS = {
    "title": "Name of the system",
    "organisation": "Organisation",
    "bureau": "Part of the organisation",
    "key": "Its id at the source",
    "stage": "Stage",
    "problem": "What it is for",
    "vendor": "Vendor",
    "contact": "Contact",
    "began": "In use since",
}


@dataclass(frozen=True)
class Source:
    """The reading of one inventory. `stages`: their word -> (stage or "", confidence, note)."""

    key: str
    words: str
    family: str
    columns: dict[str, str] = field(default_factory=dict)
    stages: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)
    allowed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    published_on: date | None = None
    code_page: str = ""
    dates: str = ""  # "mdy", "dmy", or "" when only unmistakable dates are read
    sheet: str = ""  # of its workbooks the one that was chosen
    since_1904: bool = False  # days told by their number are counted from 1904
    guessed: bool = False  # columns and stages not named are guessed from their words


RETIRED = "The source does not tell stopped from retired: whether it was ever live is open."
REPORTED = "Reported only."
MAYBE_MVP = "Could be an MVP; an owner must confirm."

WAIVED = ("CAIO Waived", "Agency CAIO has waived this minimum practice and reported such waiver to OMB")

US_2025 = Source(
    key="us-2025",
    words="US federal inventory 2025, individually reported",
    family="us-federal",
    published_on=date(2026, 4, 13),
    dates="mdy",
    columns={
        "title": "use_case_name",
        "organisation": "agency_name",
        "bureau": "agency_bureau",
        "key": "id",
        "stage": "development_stage",
        "problem": "problem_solved",
        "vendor": "vendor_name",
        "contact": "contact_email",
        "began": "operational_date",
    },
    stages={
        "Pre-deployment": ("prototype", "medium", "In development or being bought; no real users."),
        "Deployed": ("production", "high", REPORTED),
        "Pilot": ("mvp", "high", "Limited real use."),
        "Retired": ("retired", "low", RETIRED),
    },
    questions={
        "is_withheld": "Should this use case be withheld from public reporting?",
        "is_high_impact": "Is it high-impact?",
        "HI_justification": "Why is it not high-impact?",
        "topic_area": "Topic",
        "classification": "Kind of AI",
        "benefits": "What are the expected benefits?",
        "system_outputs": "What are its outputs?",
        "contracting_usage": "Bought, contracted or developed in house?",
        "have_ato": "Does it have an authorization to operate?",
        "system_name_ato": "Which system is authorized?",
        "data_description": "Which data train, tune or evaluate it?",
        "link_to_data": "Where are these data published?",
        "has_pii": "Does it involve personally identifiable information?",
        "pia_url": "Where is its privacy impact assessment?",
        "demographic_features": "Which demographic variables does it use?",
        "has_custom_code": "Does it include custom-developed code?",
        "code_url": "Where is its source code?",
        "hi_testing_conducted": "Was it tested before deployment?",
        "hi_assessment_completed": "Is its impact assessment completed?",
        "hi_potential_impacts": "What are its potential impacts?",
        "hi_independent_review": "Was it reviewed independently?",
        "hi_ongoing_monitoring": "Is it monitored for adverse impacts?",
        "hi_training_established": "Are its operators trained?",
        "hi_failsafe_presence": "Does it have a fail-safe?",
        "hi_appeal_process": "Can people affected appeal?",
        "hi_public_consultation": "Were end users and the public consulted?",
    },
    allowed={
        "is_withheld": ("No", "Yes - Disclosure Risk", "Yes - Prohibited by Law", "Other"),
        "is_high_impact": ("High-impact", "Presumed High-Impact, but Not High-impact", "Not High-impact"),
        "topic_area": (
            "Admin Functions",
            "Cybersecurity",
            "Emergency Mgmt",
            "Energy and Environment",
            "Benefits Processing",
            "Health and Medical",
            "HR",
            "IT",
            "International Affairs",
            "Law Enforcement",
            "Other",
            "Procurement and Finance Mgmt",
            "Science",
            "Service Delivery",
            "Transportation",
        ),
        "classification": (
            "Agentic AI",
            "Classical ML",
            "Computer Vision",
            "Generative AI",
            "NLP",
            "Reinforcement Learning",
        ),
        "contracting_usage": ("Vendor Purchased", "In-house Development", "Contracting and In House"),
        "have_ato": ("Yes", "No"),
        "has_pii": ("Yes", "No"),
        "has_custom_code": ("Yes", "No"),
        "hi_testing_conducted": ("Yes", "In-progress", *WAIVED),
        "hi_assessment_completed": ("Yes", "In-progress", *WAIVED),
        "hi_independent_review": (
            "Internal Independent Review",
            "Oversight Board Review",
            "CAIO Review",
            "Yes – by another appropriate agency office or reviewer not directly involved in the AI’s development",
            "Yes – by an agency AI oversight board not directly involved in the AI’s development",
            "Yes – by the CAIO",
            "In-progress",
            *WAIVED,
        ),
        "hi_ongoing_monitoring": (
            "Yes - Monitoring Established",
            "Yes, sufficient monitoring protocols have been established",
            "Development of monitoring protocols is in-progess",
            "Development of monitoring protocols is in-progress",
            "In-progress",
            *WAIVED,
        ),
        "hi_training_established": (
            "Training Established",
            "Training In-progress",
            "Yes, sufficient and periodic training has been established",
            "Establishment of sufficient and periodic training is in-progress",
            *WAIVED,
        ),
        "hi_failsafe_presence": ("Yes", "Not Applicable", "In-progress", *WAIVED),
        "hi_appeal_process": (
            "Appeal Process Established",
            "Yes, an appropriate appeal process has been established",
            "Not Applicable",
            "Appeal Process In-progress",
            "Establishment of an appropriate appeal process is in-progress",
            "Appeal Precluded by Law",
            *WAIVED,
        ),
    },
)

US_2024 = Source(
    key="us-2024",
    words="US federal inventory 2024",
    family="us-federal",
    published_on=date(2025, 1, 23),
    dates="mdy",
    code_page="cp1252",
    columns={
        "title": "Use Case Name",
        "organisation": "Agency",
        "bureau": "Bureau",
        "stage": "Stage of Development",
        "problem": "What is the intended purpose and expected benefits of the AI?",
        "began": "Date Implemented",
    },
    stages={
        "Operation and Maintenance": ("production", "high", REPORTED),
        "Acquisition and/or Development": ("prototype", "medium", MAYBE_MVP),
        "Initiated": ("proposed", "medium", "Agreed as an idea; nothing built."),
        "Implementation and Assessment": ("mvp", "medium", "Functional testing with real users."),
        "Retired": ("retired", "low", RETIRED),
        "Planned": ("proposed", "medium", ""),
        "In production": ("production", "high", REPORTED),
        "Ideation": ("proposed", "medium", ""),
        "In mission": ("production", "medium", "The agency's own word."),
        "Research or Administrative Action Complete": ("", "low", "A finished project or a stopped one."),
    },
)

US_2023 = Source(
    key="us-2023",
    words="US federal inventory 2023",
    family="us-federal",
    published_on=date(2023, 9, 1),
    dates="mdy",
    columns={
        "title": "Title",
        "organisation": "Department",
        "bureau": "Agency",
        "key": "Use_Case_ID",
        "stage": "Development_Stage",
        "problem": "Summary",
    },
    stages={
        "Operation and Maintenance": ("production", "high", REPORTED),
        "Development and Acquisition": ("prototype", "medium", MAYBE_MVP),
        "Initiation": ("proposed", "medium", ""),
        "Implementation": ("mvp", "medium", ""),
        "In-use": ("production", "medium", ""),
        "Operation and Management": ("production", "high", REPORTED),
        "Planned (not in production)": ("proposed", "high", ""),
        "Development (not in production)": ("prototype", "high", ""),
        "In mission": ("production", "medium", "The agency's own word."),
        "In production: more than 1 year": ("production", "high", REPORTED),
        "In production: less than six months": ("production", "high", REPORTED),
        "In production: less than 6 months": ("production", "high", REPORTED),
        "In production: less than one year": ("production", "high", REPORTED),
        "Proof-of-concept completed": ("prototype", "high", ""),
        "Proof of Concept completed and published": ("prototype", "high", ""),
        "Investigating/Proof of concept": ("prototype", "high", ""),
        "Initial development": ("prototype", "high", ""),
        "Currently under development": ("prototype", "high", ""),
        "Successfully tested but not in production.": ("prototype", "medium", ""),
        "User Acceptance Testing to begin early spring '22": ("prototype", "low", "Free text."),
        "Deployment": ("production", "medium", ""),
        "Refinments planned for future release": ("production", "low", "Free text."),
        "This is a pilot initiative": ("mvp", "high", "Free text."),
        "OPC runs in a pseudo-operational capacity via a webpage maintained by the Massachusetts Institute of "
        "Technology - Lincoln Lab, as well as in a test and evaluation capacity in a research mode.": (
            "mvp",
            "low",
            "Free text.",
        ),
        "Completed": ("", "low", "A finished project or a live system."),
        "Technical transfer of capability to industry planned this summer.": ("", "low", "No stage."),
    },
)

KNOWN = {source.key: source for source in (US_2025, US_2024, US_2023)}


def source_for(key: str) -> Source | None:
    """Return a known or remembered source, or None if no one has imported from it."""
    if key in KNOWN:
        return KNOWN[key]
    row = InventorySource.objects.filter(key=key).first()
    return remembered(row) if row else None


def remembered(row: InventorySource) -> Source:
    """Return a source that someone mapped by hand. Unconfirmed parts are guessed."""
    return Source(
        key=row.key,
        words=row.words,
        family=row.key,
        columns=row.columns,
        stages={word: tuple(meaning) for word, meaning in row.stages.items()},
        fixed=row.fixed,
        dates=row.dates,
        sheet=row.sheet,
        code_page=row.code_page,
        guessed=True,
    )


def newcomer(key: str) -> Source:
    """Return a source without a description, with guessed columns and stages."""
    return Source(key=key, words=key, family=key, guessed=True)


def source_words(key: str) -> str:
    """Return the name of a source. One mapped by hand keeps its given name."""
    return OWN if key == OWN_SHEET else KNOWN[key].words if key in KNOWN else key
