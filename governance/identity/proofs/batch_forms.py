"""Forms that sign several statements at once: rows of a page, each ticked separately."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django import forms
from django.core import signing as django_signing
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from governance import clock
from governance.audit_log import entries
from governance.database import rehearsing
from governance.identity.proofs import batch_signing, ceremony, demands, statements
from governance.identity.proofs.ceremony import Proof
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.sign_in.signing import PREPARE, SigningForm
from governance.vocabulary.phrases import phrase

SALT = "governance.batch"
SEEN = "sign_seen"


@dataclass(frozen=True)
class Row:
    """One thing to sign: its label, its purpose in words, its facts and its risk tier.

    `facts` are plain values. `why_not`: why this person cannot sign it now. A row of no initiative has the tier None.
    `act` is the name of the act in the rulebook, by default that of the form.
    """

    label: str
    purpose: str
    facts: dict
    tier: str | None = ""
    why_not: str = ""
    act: str = ""


class BatchSigningForm(SigningForm):
    """A form that signs several rows at once. `proofs` holds one for each ticked row, by key.

    The page sends back, sealed, what it showed of each row (`seal`, named `SEEN`). If a fact of a ticked row has
    changed, or a row is gone, nothing is signed, and the form names it.
    """

    request: SignedInRequest
    data: QueryDict

    take = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Statements"),
        coerce=int,
        error_messages={"required": "Tick at least one statement."},
    )

    def __init__(self, *args, rows: Mapping[int, Row], all_ticked: bool = False, **options):
        """`all_ticked`: whether all signable rows are ticked when the page is first shown."""
        self.rows, self._all_ticked = rows, all_ticked
        super().__init__(*args, **options)
        self.proofs: Mapping[int, Proof | None] = {}  # None: of an act that is only rehearsed
        self.now = clock.now()
        self._seen_at, self._seen = self._unsealed()
        cast(forms.ChoiceField, self.fields["take"]).choices = [(key, key) for key in [*rows, *self._seen]]

    def _to_sign(self) -> list[int]:
        """Return the keys of the ticked rows, or at first of all rows this person can sign."""
        ticked = {*self.data.getlist("take")} if self.is_bound else None
        return [
            key
            for key, row in self.rows.items()
            if (not row.why_not if ticked is None else str(key) in ticked)
        ]

    def tiers(self) -> list[str]:
        """Return the tiers of the rows to sign."""
        found = {self.rows[key].tier for key in self._to_sign()}
        return super().tiers() if None in found else [tier for tier in found if tier is not None]

    @cached_property
    def asked(self) -> demands.Asked:
        """Return the greatest strength that one of the acts asks for, and the proofs this person can give."""
        acts = sorted({self._act_of(key) for key in self._to_sign()}) or [self.act]
        asked = (demands.asked_of(self.request.user, act, *self.tiers()) for act in acts)
        return max(asked, key=lambda one: one.least.rank)

    def _act_of(self, key: int) -> str:
        return self.rows[key].act or self.act

    @property
    def ticked(self) -> set[int]:
        """Return the keys of the rows that the page shows as ticked."""
        if self.is_bound:
            return {key for key in self.rows if str(key) in self.data.getlist("take")}
        return {key for key, row in self.rows.items() if self._all_ticked and not row.why_not}

    @property
    def seal(self) -> str:
        """Return the sealed text of what the page shows of each row, and when."""
        rows = {key: [row.label, _plain(row.facts)] for key, row in self.rows.items()}
        shown = {"at": self.now.isoformat(), "person": self.request.user.pk, "rows": rows}
        return django_signing.dumps(shown, salt=SALT, compress=True)

    def _unsealed(self) -> tuple[datetime, dict]:
        try:
            shown = django_signing.loads(self.data.get(SEEN, ""), salt=SALT)
        except django_signing.BadSignature:
            shown = {}
        if shown.get("person") != self.request.user.pk:
            return clock.now(), {}
        rows = {int(key): row for key, row in shown["rows"].items()}
        return min(clock.now(), datetime.fromisoformat(shown["at"])), rows

    def clean(self):
        """Check that the rows are as they were shown, and then the proof."""
        changed = self._changed() if not self.errors and self.fields["password"].required else ""
        if changed and PREPARE not in self.data:
            ceremony.record_end(
                self.request.user,
                purpose=self.purpose,
                why=changed,
                address=throttling.address_of(self.request),
            )
        if changed:
            self.conflict = changed
            self.add_error(
                None, phrase("{} No statement was signed. Read the new text before you sign.", changed)
            )
        cleaned = super().clean()
        if rehearsing.unsigned():
            self.proofs = dict.fromkeys(cleaned.get("take", ()))
        return cleaned

    def _changed(self) -> str:
        """Return the changes of ticked rows since they were shown, as sentences, or ""."""
        found = []
        for key in self.cleaned_data["take"]:
            label, seen = self._seen.get(key, (self.rows[key].label if key in self.rows else "", None))
            if key not in self.rows:
                found.append(f"{label}: this statement no longer waits for you.")
            elif seen is None:
                found.append(f"{label}: this statement was not shown to you.")
            elif names := [
                name for name, value in _plain(self.rows[key].facts).items() if seen.get(name) != value
            ]:
                found.append(f"{label}: {', '.join(names)} changed since it was shown.")
        return " ".join(found)

    def statements(self, cleaned: dict, shown_at: datetime) -> dict[int, str]:
        """Return the statement of each ticked row."""
        ticked = {*cleaned["take"]}
        return {key: self.statement_of(key, shown_at) for key in self.rows if key in ticked}

    def statement_of(self, key: int, shown_at: datetime | None = None) -> str:
        """Return the statement of a row, by default as this page shows it."""
        row = self.rows[key]
        return statements.write(
            person_id=self.request.user.pk,
            act=self._act_of(key),
            purpose=row.purpose,
            shown_at=shown_at or self.now,
            words={},
            facts={"page": self.request.path, **row.facts},
        )

    def _acts(self) -> dict[int, str]:
        return {key: self._act_of(key) for key in self.rows}

    def _freeze(self, cleaned: dict, shown_at: datetime, token: str):
        return batch_signing.freeze(
            self.request.user, self.statements(cleaned, shown_at), shown_at, token=token
        )

    def _hold_assertion(self, cleaned: dict, **sent) -> None:
        self.proofs = batch_signing.by_passkey(
            self.request.user,
            again=lambda shown_at: self.statements(cleaned, shown_at),
            acts=self._acts(),
            **sent,
        )

    def _hold_token(self, cleaned: dict, **sent) -> None:
        self.proofs = batch_signing.by_provider(
            self.request.user,
            again=lambda shown_at: self.statements(cleaned, shown_at),
            acts=self._acts(),
            **sent,
        )

    def _hold_word(self, cleaned: dict, shown_at: datetime, *, with_code: bool) -> None:
        self.proofs = batch_signing.by_password(
            self.request.user,
            acts=self._acts(),
            statements=self.statements(cleaned, shown_at),
            shown_at=shown_at,
            with_code=with_code,
        )

    def _shown_at(self) -> datetime:
        return self._seen_at


def _plain(facts: dict) -> dict:
    """Return facts in the form that they have after they were sealed."""
    return json.loads(entries.canonical(facts))
