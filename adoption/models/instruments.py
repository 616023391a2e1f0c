"""Instruments: ways to measure use, justified trust and changed work.

The instruments, their kinds of figures and their least numbers are code, because verdicts depend on these. Baselines,
targets and the people asked are declared case by case.
"""

import re
from dataclasses import dataclass

PROPORTION, MEAN, CHANGE = "proportion", "mean", "change"
KINDS = {
    PROPORTION: "count out of a sample",
    MEAN: "a mean with its standard deviation",
    CHANGE: "a mean difference of pairs with its standard deviation",
}
TIMES = re.compile(
    r"(milli)?(seconds?|minutes?|hours?|days?|weeks?|months?)\b", re.IGNORECASE
)  # units of times
UP, DOWN = "up", "down"

USERS = "users"
POPULATIONS = {
    USERS: "real users in scope",
    "test_users": "test users",
    "project_team": "the project team",
    "curated": "selected initiatives",
    "model": "a model evaluation",
}
# False populations: the word that senders use, and why it proves nothing.
TRAINING = "training"
TRAINING_WORDS = {TRAINING, "training_attendance", "attendance", "course", "trainees"}
TRAINING_PROVES_NOTHING = (
    "Training attendance shows who took part, but not whether their work changed. Send figures about their "
    "work after the training."
)
NO_MODEL_REPORT = (
    "A figure about the model shows how good its outputs are, but not whether people use or trust them. "
    "Send figures about real users."
)
NO_EVIDENCE = {
    "test_users": "Test users are not the people whose work should change.",
    "project_team": "People who built the system know how to handle it. Send figures about people who did "
    "not build the system.",
    "curated": "Selected examples show what can go well, not what happens in daily work.",
    "model": NO_MODEL_REPORT,
}

# Numbers of users below which a figure says little about the others. 20: what usability research asks for where a
# figure is wanted (J. Nielsen, "Quantitative Studies: How Many Users to Test?", 2006). Where fewer are intended, all of
# them; below five nobody is counted at all, so that nobody can be made out (as in surveys).
LOWEST, HIGHEST = 0, 100  # points that a survey gives
USERS_AT_LEAST, NEVER_FEWER = 20, 5
# Decisions in one team and week below which their rate jumps with each single one: of ten, one is ten points.
DECISIONS_A_WEEK = 10
# Initiatives below which a share is a handful of anecdotes; with it the Wilson interval is at most 36 points wide
# (Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", Statistical Science 16, 2001).
INITIATIVES_AT_LEAST = 30
WEEKS = 8  # rulebook, adopt.trust: "over at least eight weeks"
FLOOR = 0.20  # rulebook, adopt.usage: "below 20 % it fails whatever the target"
# Below this share of overrides, or above this share of unchanged acceptance, people no longer look. From the
# literature on automation complacency (Parasuraman and Manzey, Human Factors 52, 2010) there is no one figure: these
# are ours, and a measure may state a stricter one.
BLIND_OVERRIDES, BLIND_ACCEPTANCE = 0.01, 0.98


@dataclass(frozen=True)
class Instrument:
    """One way of measuring: kind of figure, better direction, and what it needs.

    `least` is the smallest n that gives a verdict. With `counts_users`, n are people, who count once in a window, and
    all intended people are enough if they are fewer. A `weekly` one needs eight weeks, each team in each. With
    `newest`, the newest measurement of a team counts in place of the largest. Below the share `floor` it fails with any
    target. A share beyond `blind` counts against trust, in the worse direction for the people. `asked_by` is a set of
    questions: the figure from 0 to 100, published when a survey with the set closes, is the only measurement.
    """

    key: str
    words: str
    asks: str
    kind: str
    better: str
    requirement: str = ""
    unit: str = ""
    least: int = INITIATIVES_AT_LEAST
    counts_users: bool = False
    weekly: bool = False
    newest: bool = False
    baseline: bool = False
    floor: float | None = None
    blind: float | None = None
    asked_by: str = ""

    @property
    def share(self) -> bool:
        """Return True if its figures are shares, shown in percent."""
        return self.kind == PROPORTION

    @property
    def value(self) -> bool:
        """Return True if it measures value by the success criteria, not an adoption requirement."""
        return not self.requirement


_ALL = (
    Instrument(
        "explains.reason",
        "Users who can name the reason or source of an output",
        "Number of users who saw an output from their work and could name its reason or source",
        PROPORTION,
        UP,
        "adopt.explains",
        least=USERS_AT_LEAST,
        counts_users=True,
    ),
    Instrument(
        "recoverable.undone",
        "Failures that the user undid or repaired",
        "Number of failures in daily work that a user undid or repaired without losing work",
        PROPORTION,
        UP,
        "adopt.recoverable",
        least=10,
    ),
    Instrument(
        "burden.time",
        "Time on the same task, before and after",
        "Mean time that users need for the task, with its standard deviation. The baseline is the "
        "time before",
        MEAN,
        DOWN,
        "adopt.burden",
        "minutes",
        least=USERS_AT_LEAST,
        counts_users=True,
        baseline=True,
    ),
    Instrument(
        "burden.effort",
        "Effort on a scale, before and after",
        "Mean of a published workload scale answered by users, with its standard deviation. The "
        "baseline is the mean before",
        MEAN,
        DOWN,
        "adopt.burden",
        "points",
        least=USERS_AT_LEAST,
        counts_users=True,
        baseline=True,
    ),
    Instrument(
        "burden.survey",
        "Workload in a survey, before and after",
        "Mean of the six workload questions, from 0 to 100. The result is added as a measurement when a "
        "survey with these questions is closed",
        MEAN,
        DOWN,
        "adopt.burden",
        "points of 100",
        least=USERS_AT_LEAST,
        counts_users=True,
        baseline=True,
        asked_by="load",
    ),
    Instrument(
        "burden.saved",
        "Time saved on the same task, person by person",
        "Mean difference between before and after of the same people on the same task, with its standard deviation",
        CHANGE,
        UP,
        "adopt.burden",
        "minutes",
        least=USERS_AT_LEAST,
        counts_users=True,
    ),
    Instrument(
        "trust.overrides",
        "Outputs that users override",
        "Number of outputs that users overrode or discarded, out of those they decided on in a week, by team",
        PROPORTION,
        DOWN,
        "adopt.trust",
        least=DECISIONS_A_WEEK,
        weekly=True,
        blind=BLIND_OVERRIDES,
    ),
    Instrument(
        "trust.acceptance",
        "Outputs that users accept unchanged",
        "Number of outputs that users accepted without an edit, out of those they decided on in a "
        "week, by team",
        PROPORTION,
        UP,
        "adopt.trust",
        least=DECISIONS_A_WEEK,
        weekly=True,
        blind=BLIND_ACCEPTANCE,
    ),
    Instrument(
        "usage.active",
        "Active intended users",
        "Number of intended users who used the system in their work in the period",
        PROPORTION,
        UP,
        "adopt.usage",
        least=USERS_AT_LEAST,
        counts_users=True,
        newest=True,
        floor=FLOOR,
    ),
    Instrument(
        "usage.new_way",
        "Work done the new way",
        "Number of pieces of work done in the new way, out of all pieces of work in the period",
        PROPORTION,
        UP,
        "adopt.usage",
        floor=FLOOR,
    ),
    Instrument(
        "behaviour.practice",
        "People who changed their way of working",
        "Number of users who showed the changed practice when they were observed or asked about their last "
        "piece of work",
        PROPORTION,
        UP,
        "adopt.behaviour",
        least=USERS_AT_LEAST,
        counts_users=True,
    ),
    Instrument(
        "value.share",
        "Value: a share",
        "A declared success criterion that is a share, compared with what would have happened "
        "without the system",
        PROPORTION,
        UP,
    ),
    Instrument(
        "value.mean",
        "Value: a mean",
        "A declared success criterion that is a mean, compared with what would have happened "
        "without the system",
        MEAN,
        UP,
        baseline=True,
    ),
)
INSTRUMENTS = {one.key: one for one in _ALL}
CHOICES = [(one.key, one.words) for one in _ALL]

# By requirement of the rulebook, what has to be measured: every group, by any one of its instruments.
ASKED: dict[str, tuple[tuple[str, ...], ...]] = {
    "adopt.explains": (("explains.reason",),),
    "adopt.recoverable": (("recoverable.undone",),),
    "adopt.burden": (("burden.time", "burden.effort", "burden.saved", "burden.survey"),),
    "adopt.trust": (("trust.overrides",), ("trust.acceptance",)),
    "adopt.usage": (("usage.active",), ("usage.new_way",)),
    "adopt.behaviour": (("behaviour.practice",),),
}

_TRAINED = re.compile(
    r"\b(train(ed|ing)s?|courses?|workshops?|webinars?|e-?learning|onboarding session)\b", re.IGNORECASE
)
_ATTENDED = re.compile(
    r"\b(attend\w*|complet\w+|participat\w+|certificat\w*|took part|sat through)\b", re.IGNORECASE
)
_OF_THE_MODEL = re.compile(
    r"\b(model (accuracy|score|evaluation|report|card|benchmark)|benchmarks?|test set|eval(uation)? set|"
    r"f1|auc|bleu|rouge|perplexity|offline evaluation)\b",
    re.IGNORECASE,
)


def no_evidence_in(words: str) -> str:
    """Return why these words describe another figure than adoption, else "".

    The words are about training attendance or the model, and are recognised by common names. A person who uses other
    names still has to state the population.
    """
    if _TRAINED.search(words) and _ATTENDED.search(words):
        return TRAINING_PROVES_NOTHING
    if _OF_THE_MODEL.search(words):
        return NO_MODEL_REPORT
    return ""
