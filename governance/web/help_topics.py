"""Topics of the help page in their order: headings, and further words each is found by."""

from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True)
class Topic:
    """One part of the help page: its place in it, its heading, and words somebody may look for it by."""

    anchor: str
    title: str
    words: str = ""

    @property
    def link(self) -> str:
        """Where it stands."""
        return f"{reverse('help')}#{self.anchor}"


TOPICS = [
    Topic(
        "stages",
        "What is a stage?",
        "prototype mvp production idea proposed stopped retired percentage progress",
    ),
    Topic(
        "approved_stage",
        "Why does my initiative show “not supported: evidence supports Prototype”?",
        "claims claimed supported approved shortfall larger prototype in name only plumb leaning",
    ),
    Topic(
        "evidence",
        "What counts as evidence?",
        "proof evidence answer document test report attestation demo file upload verified level",
    ),
    Topic(
        "ageing",
        "When does evidence expire?",
        "evidence proof ages ageing expired stale fresh old date observed voided trigger model change",
    ),
    Topic(
        "gates",
        "What is a gate?",
        "review criteria requirement question requirements decide chair promote rulebook",
    ),
    Topic(
        "signing",
        "Who signs?",
        "seat board sign-off approve object recuse quorum separation duties",
    ),
    Topic(
        "holds",
        "What is a hold?",
        "blocked stopped concern residency vacant owner lift waiting stuck",
    ),
    Topic(
        "systems",
        "Connected systems",
        "system integration register link tie owner agree condition frozen orphaned account import table "
        "describe",
    ),
    Topic(
        "terms",
        "What if two systems use a word differently?",
        "term glossary definition facet conflict undecided steward mapping reconcile meaning field format mask "
        "standard",
    ),
    Topic(
        "regions",
        "Data residency",
        "region residency vendor contract policy path country cloud",
    ),
    Topic(
        "samples",
        "Data profiles",
        "sample profile count drift check schema trace output source great expectations evidently ydata",
    ),
    Topic(
        "effort",
        "Effort by layer",
        "effort hours money wait unseen cost weeks",
    ),
    Topic(
        "roles",
        "Roles on an initiative",
        "owner support lead steward sponsor accept decline responsible several sign once",
    ),
    Topic(
        "owners",
        "For owners",
        "three questions standards judgement demo event announcement funding money observation dependant outage "
        "executive rename name continue stop age reattest accept again",
    ),
    Topic(
        "boards",
        "For boards",
        "waiting days move since last visit news ideas side by side compare value feasibility early decisions list "
        "pictures chart flow time ageing gaps rulebook versions difference",
    ),
    Topic(
        "finding",
        "How do I find something?",
        "search look reference shortcut key slash portfolio filter",
    ),
    Topic(
        "telling",
        "Language and notifications",
        "language german deutsch mail notification digest weekly calendar subscribe unsubscribe ics reminder settings",
    ),
    Topic(
        "words",
        "Words you will meet",
        "glossary meaning waived waiver condition obligation due obligation gap not apply applicable reported",
    ),
    Topic(
        "begin",
        "Next steps",
        "start first new register inbox",
    ),
]


def topics_about(asked: str) -> list[Topic]:
    """The topics in whose words every word asked for begins one; none where nothing is asked."""
    wanted = asked.casefold().split()
    if not wanted:
        return []
    return [
        topic for topic in TOPICS if all(_begins(f"{topic.title} {topic.words}", word) for word in wanted)
    ]


def _begins(text: str, word: str) -> bool:
    return any(known.strip("“”,.").startswith(word) for known in text.casefold().split())
