"""The names by which both logs are compared: of acts, and of declared models."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from governance.audit_log import entries
from governance.interaction_log.shape import act_name
from governance.models import Clause, VocabularyWord
from governance.vocabulary import Layer, model_names
from initiatives.models import ActName, Deployment, Initiative


@dataclass(frozen=True)
class Declared:
    """The names of one version of a recorded model, and when it runs."""

    names: frozenset[str]
    runs_from: datetime
    runs_to: datetime | None


@dataclass(frozen=True)
class Names:
    """The names by which the logs of an initiative are compared.

    The field `actions` gives the action of the contract for each name of a sender: the same name, or the one that the
    register of the initiative has. The names in `ignored` are registered as no act of the contract.
    """

    actions: Mapping[str, str] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    models: tuple[Declared, ...] = ()

    @property
    def digest(self) -> str:
        """Return a digest of the names. Days are compared again when it changes."""
        models = sorted(
            [sorted(one.names), one.runs_from.isoformat(), one.runs_to.isoformat() if one.runs_to else ""]
            for one in self.models
        )
        said = {"actions": dict(self.actions), "ignored": sorted(self.ignored), "models": models}
        return hashlib.sha256(entries.canonical(said)).hexdigest()

    def models_since(self, moment: datetime) -> set[str]:
        """Return the names of models that ran at `moment` or were declared for later."""
        return {
            name for one in self.models if one.runs_to is None or one.runs_to > moment for name in one.names
        }


def contract_actions(initiatives: Iterable[Initiative]) -> dict[int, dict[str, str]]:
    """Return by key of the initiative the actions of its contract, with their words.

    They come from the vocabulary, and from the clauses of every version that was ever in force. Keys are as compared.
    """
    found: dict[int, dict[str, str]] = {initiative.pk: {} for initiative in initiatives}
    clauses = Clause.objects.filter(
        version__contract__initiative__in=found, version__starts_at__isnull=False, terms__has_key="action"
    )
    for key, initiative in (
        clauses.values_list("terms__action", "version__contract__initiative").distinct().order_by()
    ):
        if key:
            found[initiative][act_name(key)] = key
    words = VocabularyWord.objects.filter(kind="action", contract__initiative__in=found)
    for key, said, initiative in words.values_list("key", "words", "contract__initiative"):
        found[initiative][act_name(key)] = said
    return found


def names_of(initiatives: Iterable[Initiative]) -> dict[int, Names]:
    """Return by key of the initiative the names for its comparison. Uses four queries."""
    initiatives = list(initiatives)
    actions = {
        initiative: {key: key for key in found} for initiative, found in contract_actions(initiatives).items()
    }
    ignored: dict[int, set[str]] = {initiative.pk: set() for initiative in initiatives}
    models: dict[int, list[Declared]] = {initiative.pk: [] for initiative in initiatives}
    for row in ActName.objects.filter(initiative__in=actions, withdrawn_at=None):
        actions[row.initiative_id].pop(row.name, None)
        if row.action:
            actions[row.initiative_id][row.name] = act_name(row.action)
        else:
            ignored[row.initiative_id].add(row.name)
    rows = Deployment.objects.filter(initiative__in=actions, version__layer=Layer.MODEL)
    for row in rows.select_related("version"):
        found = model_names.names_of(row.version.name, row.version.version)
        models[row.initiative_id].append(Declared(frozenset(found), row.runs_from, row.runs_to))
    return {
        initiative.pk: Names(
            actions[initiative.pk], frozenset(ignored[initiative.pk]), tuple(models[initiative.pk])
        )
        for initiative in initiatives
    }
