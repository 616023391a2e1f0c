"""The sets of questions for surveys, with their literature and their conditions.

The questions are worded by us, after their sources, in English, and German is in locale/. Every answer is put on a
scale from 0 to 100, on which 100 agrees with the question as it is worded.
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
    """One question: the words of the lowest and the highest step, and their number.

    `against`: agreement means less of what its set measures.
    """

    key: str
    text: str
    low: str
    high: str
    steps: int = 7
    against: bool = False

    def value(self, step: int) -> float:
        """Return the chosen step, from 1 on, on the scale from 0 to 100."""
        return (step - 1) * 100 / (self.steps - 1)


@dataclass(frozen=True)
class QuestionSet:
    """Questions asked together. `more_is` "better", "worse" or "" (compare only). `speaks_to`: rulebook keys."""

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
            "Workload",
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
            "The six scales without weights (raw TLX), in eleven steps. The paper form has twenty-one "
            "steps. Compare this figure with an earlier figure for the same work, because a single "
            "figure shows little.",
            ("adopt.burden",),
            "",
        ),
        QuestionSet(
            "ease",
            "Ease of one task",
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
            "The single ease question, on a scale of seven steps.",
            ("adopt.burden",),
            "better",
        ),
        QuestionSet(
            "useful",
            "Useful and easy to use",
            (
                _said("useful.needs", _("What the AI can do is what I need for my work.")),  # prose: allow
                _said("useful.easy", _("The AI is easy to use.")),
            ),
            (
                "Lewis, J. R., Utesch, B. S., & Maher, D. E. (2013). UMUX-LITE: when there's no time for the SUS. "
                "Proc. CHI 2013, 2099-2102.",
            ),
            "The two statements of UMUX-LITE, on a scale of seven steps. The result is their mean, without "
            "the correction towards SUS.",
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
                _said(
                    "trust.harm",
                    _("What the AI does may have harmful results."),  # prose: allow
                    against=True,
                ),
            ),
            (
                "Jian, J.-Y., Bisantz, A. M., & Drury, C. G. (2000). Foundations for an empirically determined scale "
                "of trust in automated systems. International Journal of Cognitive Ergonomics, 4(1), 53-71.",
            ),
            "Four statements on a scale of seven steps, two for trust and two for distrust, based on the "
            "twelve statements of that scale. Answers about distrust are counted in reverse. The rates "
            "of acceptance and override decide whether the requirement is met. This survey adds the "
            "opinions of people.",
            ("adopt.trust",),
            "better",
        ),
        QuestionSet(
            "why",
            "Explanations",
            (_said("why.seen", _("I could see why the AI gave the answer it gave.")),),
            (),
            "One statement, written for Plumbline, on a scale of seven steps.",
            ("adopt.explains",),
            "better",
        ),
        QuestionSet(
            "undo",
            "Undo",
            (_said("undo.done", _("When the AI got something wrong, I could undo or repair it.")),),
            (),
            "One statement, written for Plumbline, on a scale of seven steps.",
            ("adopt.recoverable",),
            "better",
        ),
        QuestionSet(
            "around",
            "Use instead of workaround",
            (
                _said(
                    "around.old",
                    _("I mostly do the work another way, even if I could use the AI."),
                    against=True,
                ),
            ),
            (),
            "One statement, written for Plumbline, on a scale of seven steps, counted in reverse.",
            ("adopt.behaviour", "adopt.usage"),
            "better",
        ),
    )
}
QUESTIONS = {question.key: question for one in SETS.values() for question in one.questions}


def asked(sets: list[str]) -> list[Question]:
    """Return the questions of these sets, in their order here. Unknown keys have none."""
    return [question for key, one in SETS.items() if key in sets for question in one.questions]


def seconds(sets: list[str]) -> int:
    """Return the estimated seconds to answer these sets. The page shows it, and it limits a survey."""
    return SECONDS_BESIDE + SECONDS_A_QUESTION * len(asked(sets))
