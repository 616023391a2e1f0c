"""Sentences for entries of catch-up plans."""

from governance.vocabulary.entry_kinds import EntryKind

SENTENCES: dict[str, str] = {
    EntryKind.CATCH_UP_PROPOSED: "proposed a catch-up plan; requirements by wave: {waves}.",
    EntryKind.CATCH_UP_CHANGED: (
        "proposed version {plan} of the catch-up plan; requirements by wave: {waves}. Why: {why:ended}"
    ),
    EntryKind.CATCH_UP_AGREED: "agreed to the dates of version {plan} of the catch-up plan: {waves}.",
    EntryKind.CATCH_UP_SENT_BACK: "sent version {plan} of the catch-up plan back: {why:ended}",
}
