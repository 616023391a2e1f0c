"""What a survey can ask: sets of questions with the literature they come from, and what each set speaks to.

Questions are worded here in our own words, after their sources, in English; German stands in locale/. Every answer is
put on a scale from 0 to 100, on which 100 agrees with the question as it is worded.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

SECONDS_A_QUESTION, SECONDS_BESIDE = (
    7,
    35,
)  # reading and ticking one; the page, its end, and a line of comment
MOST_SECONDS = 120
MOST_COMMENT = 1000  # characters


@dataclass(frozen=True)
class Question:
    """One question: what its lowest and its highest step say, and how many steps there are.

    `against`: the more somebody agrees, the less of what its set measures.
    """

    key: str
    text: str
    low: str
    high: str
    steps: int = 7
    against: bool = False

    def value(self, step: int) -> float:
        """The step that somebody chose, from 1 on, on the scale from 0 to 100."""
        return (step - 1) * 100 / (self.steps - 1)


@dataclass(frozen=True)
class QuestionSet:
    """Questions asked together. `speaks_to`: keys of the rulebook; `more_is` "better", "worse" or "" (compare only)."""

    key: str
    title: str
    questions: tuple[Question, ...]
    sources: tuple[str, ...]
    how: str
    speaks_to: tuple[str, ...]
    more_is: str


DISAGREE, AGREE = _("do not agree at all"), _("agree fully")
VERY_LOW, VERY_HIGH = _("very low"), _("very high")


def _load(key: str, text: str, low: str = VERY_LOW, high: str = VERY_HIGH) -> Question:
    return Question(f"load.{key}", text, low, high, steps=11)


def _said(key: str, text: str, **more) -> Question:
    return Question(key, text, DISAGREE, AGREE, **more)


SETS = {
    one.key: one
    for one in (
        QuestionSet(
            "load",
            "How much the work takes",
            (
                _load("mental", _("How much thinking, deciding and remembering did the work take?")),
                _load("physical", _("How much physical effort did the work take?")),
                _load("time", _("How much time pressure did you feel?")),
                _load(
                    "performance",
                    _("How well did you do what you set out to do?"),
                    _("perfectly"),
                    _("not at all"),
                ),
                _load("effort", _("How hard did you have to work to do it that well?")),
                _load("frustration", _("How annoyed, unsure or stressed were you?")),
            ),
            (
                "Hart, S. G., & Staveland, L. E. (1988). Development of NASA-TLX (Task Load Index): results of "
                "empirical and theoretical research. In P. A. Hancock & N. Meshkati (eds.), Human Mental Workload, "
                "139-183. North-Holland.",
            ),
            "The six scales without weights (raw TLX), in eleven steps where the paper form has twenty-one. "
            "Alone it says little: compare it with the same work before.",
            ("adopt.burden",),
            "",
        ),
        QuestionSet(
            "ease",
            "How easy one task was",
            (
                Question(
                    "ease.task",
                    _("How easy was your last task with the AI?"),
                    _("very difficult"),
                    _("very easy"),
                ),
            ),
            (
                "Sauro, J., & Dumas, J. S. (2009). Comparison of three one-question, post-task usability "
                "questionnaires. Proc. CHI 2009, 1599-1608.",
            ),
            "The single ease question, in seven steps.",
            ("adopt.burden",),
            "better",
        ),
        QuestionSet(
            "useful",
            "Useful and easy to use",
            (
                _said("useful.needs", _("What the AI can do is what I need for my work.")),
                _said("useful.easy", _("The AI is easy to use.")),
            ),
            (
                "Lewis, J. R., Utesch, B. S., & Maher, D. E. (2013). UMUX-LITE: when there's no time for the SUS. "
                "Proc. CHI 2013, 2099-2102.",
            ),
            "The two statements of UMUX-LITE, in seven steps; their mean, without the correction towards SUS.",
            ("adopt.burden",),
            "better",
        ),
        QuestionSet(
            "trust",
            "Trust",
            (
                _said("trust.rely", _("I can rely on what the AI tells me.")),
                _said("trust.same", _("In the same situation the AI behaves in the same way.")),
                _said("trust.wary", _("I am wary of the AI."), against=True),
                _said("trust.harm", _("What the AI does may have harmful results."), against=True),
            ),
            (
                "Jian, J.-Y., Bisantz, A. M., & Drury, C. G. (2000). Foundations for an empirically determined scale "
                "of trust in automated systems. International Journal of Cognitive Ergonomics, 4(1), 53-71.",
            ),
            "Four statements after its twelve, two for trust and two for distrust, in seven steps; the latter count "
            "turned round. What people say beside what they do: acceptance and override rates decide.",
            ("adopt.trust",),
            "better",
        ),
        QuestionSet(
            "why",
            "Could see why",
            (_said("why.seen", _("I could see why the AI gave the answer it gave.")),),
            (),
            "One statement of our own, in seven steps.",
            ("adopt.explains",),
            "better",
        ),
        QuestionSet(
            "undo",
            "Could undo",
            (_said("undo.done", _("When the AI got something wrong, I could undo or repair it.")),),
            (),
            "One statement of our own, in seven steps.",
            ("adopt.recoverable",),
            "better",
        ),
        QuestionSet(
            "around",
            "Work with it, not round it",
            (
                _said(
                    "around.old",
                    _("Where I could use the AI, I mostly do the work another way."),
                    against=True,
                ),
            ),
            (),
            "One statement of our own, in seven steps; it counts turned round.",
            ("adopt.behaviour", "adopt.usage"),
            "better",
        ),
    )
}
QUESTIONS = {question.key: question for one in SETS.values() for question in one.questions}


def asked(sets: list[str]) -> list[Question]:
    """The questions of these sets, in their order here; keys that are no longer known ask nothing."""
    return [question for key, one in SETS.items() if key in sets for question in one.questions]


def seconds(sets: list[str]) -> int:
    """How long somebody takes to answer these sets: an estimate, on the page and as the limit of what is asked."""
    return SECONDS_BESIDE + SECONDS_A_QUESTION * len(asked(sets))
