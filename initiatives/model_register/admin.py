"""The model register in the Django admin: read-only; its rows change through acts that look at the cases."""

from governance.web.admin_base import read_only
from initiatives import models
from initiatives.cases.admin_filters import BY_CASE, OF_STAGE

read_only(
    models.ModelVersion,
    ("integration", "Models"),
    list_display=("vendor", "family", "version", "region", "end_of_life", "successor", "confirmed_at"),
    list_filter=("end_of_life", "confirmed_at"),
    search_fields=("vendor__name", "family", "version"),
    list_select_related=("vendor", "successor"),
)
read_only(
    models.ModelEvaluation,
    ("integration", "Evaluations of models"),
    list_display=("initiative", "metric", "data_set", "threshold", "declared_on", "result", "measured_on"),
    list_filter=("withdrawn_at", *OF_STAGE),
    search_fields=(*BY_CASE, "metric", "data_set"),
)
