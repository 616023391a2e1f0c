"""The Django admin of identity: read-only, since acts own every row."""

from governance import models
from governance.web.admin import read_only

read_only(
    models.IdentityProvider,
    "people",
    list_display=("name", "issuer", "client_id", "switched_on"),
    list_filter=("kind", "switched_on"),
    search_fields=("name", "issuer"),
    never_shown=("secret_box",),
)
read_only(
    models.ProviderKey,
    ("people", "Keys of identity providers"),
    list_display=("provider", "kid", "algorithm", "fetched_at", "gone_at"),
    list_filter=("provider", "algorithm"),
    search_fields=("kid", "thumbprint"),
)
read_only(
    models.ClientKey,
    ("people", "Keys of ours for identity providers"),
    list_display=("provider", "kid", "made_at", "ended_at"),
    list_filter=("provider",),
    search_fields=("kid",),
    never_shown=("private_box",),
)
read_only(
    models.ExternalIdentity,
    ("people", "Links with identity providers"),
    list_display=("person", "provider", "key", "linked_at", "linked_by", "counts_from", "ended_at"),
    list_filter=("provider",),
    search_fields=("person__full_name", "key"),
)
read_only(
    models.SamePerson,
    ("people", "Accounts that may be one person's"),
    list_display=("one", "other", "why", "found_at", "cleared_at", "cleared_by"),
    list_filter=("why",),
    search_fields=("one__full_name", "other__full_name"),
)
read_only(
    models.BreakGlass,
    ("people", "Break-glass accounts"),
    list_display=("person", "marked_by", "marked_at"),
    list_filter=("marked_at",),
    search_fields=("person__full_name",),
)
read_only(
    models.SignInPolicy,
    ("people", "Local accounts"),
    list_display=("local_accounts", "changed_at"),
    list_filter=("local_accounts",),
    search_fields=("id",),
)
