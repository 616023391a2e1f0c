"""The admin of what came of the cases: to be read there; written on its own pages, through actions."""

from adoption.models import Lesson, PostMortem
from governance.administration import read_only

read_only(
    PostMortem,
    ("learned", "Post-mortems"),
    list_display=(
        "initiative",
        "obligation",
        "state",
        "found_layer",
        "author",
        "published_at",
        "confirmed_at",
    ),
    list_filter=("state", "found_layer", "blamed_layer"),
    list_select_related=("initiative", "obligation", "author"),
    search_fields=("initiative__title", "timeline", "impact", "attribution"),
    date_hierarchy="published_at",
)

read_only(
    Lesson,
    "learned",
    list_display=("text", "layer", "post_mortem", "removed_at"),
    list_filter=("layer",),
    list_select_related=("post_mortem__initiative",),
    search_fields=("text", "post_mortem__initiative__title"),
)
