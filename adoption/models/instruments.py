"""Instruments: how it is shown that people use a system, trust it for good reason, and work otherwise than before.

Which instruments there are, what kind of figure each gives and from how many initiatives on it says anything is code,
because verdicts depend on it. Baselines, targets and who is asked are declared case by case.
"""

import re
from dataclasses import dataclass

PROPORTION, MEAN, CHANGE = "proportion", "mean", "change"
KINDS = {
    PROPORTION: "count of a sample",
    MEAN: "a mean, with its spread",
    CHANGE: "a mean difference of pairs, with its spread",
}
UP, DOWN = "up", "down"

USERS = "users"
POPULATIONS = {
    USERS: "real users in scope",
    "test_users": "test users",
    "project_team": "the project team",
    "curated": "curated cases",
    "model": "a model evaluation",
}
# What is sent as a population and is none: the word it is sent by, and why it proves nothing.
TRAINING = "training"
TRAINING_WORDS = {TRAINING, "training_attendance", "attendance", "course", "trainees"}
TRAINING_PROVES_NOTHING = (
    "Training attendance shows who sat in a room, not that anybody works otherwise since. "
    "Send what people did in their work afterwards."
)
NO_MODEL_REPORT = (
    "A figure about the model says how good its outputs are, not whether anybody uses or trusts them. "
    "Send what real users did."
)
NO_EVIDENCE = {
    "test_users": "Test users are not the people whose work is to change.",
    "project_team": "Whoever built it knows its ways; ask those who did not.",
    "curated": "Examples chosen beforehand show what can go well, not what happens in the day's work.",
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
# Below this share of overrides, or above this share of unchanged acceptance, people do not look any more. From the
# literature on automation complacency (Parasuraman and Manzey, Human Factors 52, 2010) there is no one figure: these
# are ours, and a measure may state a stricter one.
BLIND_OVERRIDES, BLIND_ACCEPTANCE = 0.01, 0.98


@dataclass(frozen=True)
class Instrument:
    """One way of measuring: its kind of figure, the better direction, what it asks before it says anything.

    `least`: the smallest n that says anything. `counts_users`: n are people, so that where fewer are intended all of
    them are enough. `weekly`: asks for eight weeks, each team in each. `newest`: only the newest measurement of a team
    counts, because each counts the same people again. `floor`: a share below which it fails whatever the target.
    `blind`: a share beyond which it counts against trust, in the worse direction for the people. `asked_by`: the set of
    questions whose published figure, from 0 to 100, is its measurement whenever a survey that asks them is closed;
    nobody sends any other.
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
        """Whether its figures are shares, shown in percent."""
        return self.kind == PROPORTION

    @property
    def value(self) -> bool:
        """Whether it measures value against the declared criteria of success, and no requirement of adoption."""
        return not self.requirement


_ALL = (
    Instrument(
        "explains.reason",
        "Users who can name the reason or source of an output",
        "Of the users shown an output of their own work, how many could name its reason or source",
        PROPORTION,
        UP,
        "adopt.explains",
        least=USERS_AT_LEAST,
        counts_users=True,
    ),
    Instrument(
        "recoverable.undone",
        "Failures that the user undid or repaired",
        "Of the failures in the day's work, how many a user undid or repaired without losing work",
        PROPORTION,
        UP,
        "adopt.recoverable",
        least=10,
    ),
    Instrument(
        "burden.time",
        "Time on the same task, before and after",
        "Mean time that users take for the task, with its standard deviation; the baseline is the time before",
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
        "Felt effort on a scale, before and after",
        "Mean of a published burden scale answered by users, with its standard deviation; the baseline is before",
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
        "Felt load, asked by a survey, before and after",
        "Mean of the six questions on load, from 0 to 100; closing a survey that asks them is the measurement",
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
        "Of the outputs that users decided on in a week, how many they overrode or discarded, team by team",
        PROPORTION,
        DOWN,
        "adopt.trust",
        least=DECISIONS_A_WEEK,
        weekly=True,
        blind=BLIND_OVERRIDES,
    ),
    Instrument(
        "trust.acceptance",
        "Outputs that users take as they are",
        "Of the outputs that users decided on in a week, how many they took without an edit, team by team",
        PROPORTION,
        UP,
        "adopt.trust",
        least=DECISIONS_A_WEEK,
        weekly=True,
        blind=BLIND_ACCEPTANCE,
    ),
    Instrument(
        "usage.active",
        "Intended users who are active",
        "Of all intended users, how many used it in their work in the period",
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
        "Of all pieces of this work in the period, how many were done with it in place of the old way",
        PROPORTION,
        UP,
        "adopt.usage",
        floor=FLOOR,
    ),
    Instrument(
        "behaviour.practice",
        "People who work otherwise than before",
        "Of the users observed or asked about their last piece of work, how many showed the changed practice",
        PROPORTION,
        UP,
        "adopt.behaviour",
        least=USERS_AT_LEAST,
        counts_users=True,
    ),
    Instrument(
        "value.share",
        "Value: a share",
        "A declared criterion of success that is a share, against what would have happened without",
        PROPORTION,
        UP,
    ),
    Instrument(
        "value.mean",
        "Value: a mean",
        "A declared criterion of success that is a mean, against what would have happened without",
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
    """Why these words describe no figure of adoption: training attendance, or a figure about the model; else "".

    Recognised by what people call them. Whoever calls them otherwise still has to say whom the figures are about.
    """
    if _TRAINED.search(words) and _ATTENDED.search(words):
        return TRAINING_PROVES_NOTHING
    if _OF_THE_MODEL.search(words):
        return NO_MODEL_REPORT
    return ""
