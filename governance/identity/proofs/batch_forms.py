"""Forms by which several statements are signed at once: rows of a page, each of them ticked by itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django import forms
from django.core import signing as django_signing
from django.http import QueryDict

from governance import clock
from governance.audit_log import entries
from governance.identity.proofs import batch_signing, ceremony, statements
from governance.identity.proofs.ceremony import Proof
from governance.runtime.signed_in_request import SignedInRequest
from governance.sign_in import throttling
from governance.sign_in.signing import PREPARE, SigningForm

SALT = "governance.batch"
SEEN = "sign_seen"


@dataclass(frozen=True)
class Row:
    """What can be signed by itself: what it is called, what is signed in words, the facts it rests on, the risk tier.

    `facts` are plain values. `why_not`: why this person cannot sign it now.
    """

    label: str
    purpose: str
    facts: dict
    tier: str = ""
    why_not: str = ""


class BatchSigningForm(SigningForm):
    """A form by which rows are signed at once; `proofs` holds one for each that was ticked, by its key.

    The page sends back under our seal what it showed of each row (`seal`, named `SEEN`). Where one fact of what is
    ticked is another now, or one row is gone, nothing is signed, and the form says which.
    """

    request: SignedInRequest
    data: QueryDict

    take = forms.TypedMultipleChoiceField(
        coerce=int, error_messages={"required": "Tick at least one of them."}
    )

    def __init__(self, *args, rows: Mapping[int, Row], all_ticked: bool = False, **options):
        """`all_ticked`: whether everything that can be signed is ticked when the page is first shown."""
        self.rows, self._all_ticked = rows, all_ticked
        super().__init__(*args, **options)
        self.proofs: dict[int, Proof] = {}
        self.now = clock.now()
        self._seen_at, self._seen = self._unsealed()
        cast(forms.ChoiceField, self.fields["take"]).choices = [(key, key) for key in [*rows, *self._seen]]

    def tiers(self) -> list[str]:
        """Those of what is ticked; before that, of all that this person can sign."""
        ticked = {*self.data.getlist("take")} if self.is_bound else None
        return [
            row.tier
            for key, row in self.rows.items()
            if (not row.why_not if ticked is None else str(key) in ticked)
        ]

    @property
    def ticked(self) -> set[int]:
        """The rows that are ticked where the page is shown."""
        if self.is_bound:
            return {key for key in self.rows if str(key) in self.data.getlist("take")}
        return {key for key, row in self.rows.items() if self._all_ticked and not row.why_not}

    @property
    def seal(self) -> str:
        """What the page shows of each row, and when: to be sent back."""
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
        """What was shown is what is so now; then the proof."""
        changed = self._changed() if not self.errors and self.fields["password"].required else ""
        if changed and PREPARE not in self.data:
            ceremony.record_end(
                self.request.user,
                purpose=self.purpose,
                why=changed,
                address=throttling.address_of(self.request),
            )
        if changed:
            self.add_error(None, f"{changed} Nothing was signed. Read it again, and sign what is true now.")
        return super().clean()

    def _changed(self) -> str:
        """What of the rows that are ticked is another than the page showed, as sentences; empty where nothing is."""
        found = []
        for key in self.cleaned_data["take"]:
            label, seen = self._seen.get(key, (self.rows[key].label if key in self.rows else "", None))
            if key not in self.rows:
                found.append(f"{label}: it waits for you no longer.")
            elif seen is None:
                found.append(f"{label}: it was not shown to you.")
            elif names := [
                name for name, value in _plain(self.rows[key].facts).items() if seen.get(name) != value
            ]:
                found.append(f"{label}: {', '.join(names)} changed since it was shown.")
        return " ".join(found)

    def statements(self, cleaned: dict, shown_at: datetime) -> dict[int, str]:
        """What is signed of each row that is ticked."""
        ticked = {*cleaned["take"]}
        return {key: self.statement_of(key, shown_at) for key in self.rows if key in ticked}

    def statement_of(self, key: int, shown_at: datetime | None = None) -> str:
        """What is signed of a row; as the page shows it where nothing else is said."""
        row = self.rows[key]
        return statements.write(
            person_id=self.request.user.pk,
            act=self.act,
            purpose=row.purpose,
            shown_at=shown_at or self.now,
            words={},
            facts={"page": self.request.path, **row.facts},
        )

    def _freeze(self, cleaned: dict, shown_at: datetime, token: str):
        return batch_signing.freeze(
            self.request.user, self.statements(cleaned, shown_at), shown_at, token=token
        )

    def _hold_assertion(self, cleaned: dict, **sent) -> None:
        self.proofs = batch_signing.by_passkey(
            self.request.user, again=lambda shown_at: self.statements(cleaned, shown_at), act=self.act, **sent
        )

    def _hold_token(self, cleaned: dict, **sent) -> None:
        self.proofs = batch_signing.by_provider(
            self.request.user, again=lambda shown_at: self.statements(cleaned, shown_at), act=self.act, **sent
        )

    def _hold_word(self, cleaned: dict, shown_at: datetime, *, with_code: bool) -> None:
        self.proofs = batch_signing.by_password(
            self.request.user,
            act=self.act,
            statements=self.statements(cleaned, shown_at),
            shown_at=shown_at,
            with_code=with_code,
        )

    def _shown_at(self) -> datetime:
        return self._seen_at


def _plain(facts: dict) -> dict:
    """Facts as they come back from where they were sealed."""
    return json.loads(entries.canonical(facts))
