"""Notes that move nothing, former names, the word to go on, and dependants stated in person."""

import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import governance.database.migration_operations
import governance.database.row_history

# What the database holds by itself, whoever asks; the acts carry the advice.
GUARDS = """
-- A note says for ever what it said; it is taken back once, with a reason.
CREATE FUNCTION plumbline_guard_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a note is kept; take it back instead.' USING ERRCODE = 'PL019';
  END IF;
  IF OLD.withdrawn_at IS NOT NULL
     OR to_jsonb(NEW) - ARRAY['withdrawn_at', 'withdrawn_by_id', 'withdrawn_reason']
        IS DISTINCT FROM to_jsonb(OLD) - ARRAY['withdrawn_at', 'withdrawn_by_id', 'withdrawn_reason'] THEN
    RAISE EXCEPTION 'Plumbline: a note does not change.'
      USING ERRCODE = 'PL019', HINT = 'Take it back and write another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER note_is_kept BEFORE UPDATE OR DELETE ON initiatives_event
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_note();
CREATE TRIGGER note_is_kept BEFORE UPDATE OR DELETE ON initiatives_fundingdecision
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_note();
CREATE TRIGGER note_is_kept BEFORE UPDATE OR DELETE ON initiatives_observation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_note();

-- What an executive is asked to state does not change under them, and the answer stays (S2-13).
CREATE FUNCTION plumbline_guard_dependant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'Plumbline: a dependence ends, it is not deleted.' USING ERRCODE = 'PL020';
  END IF;
  IF to_jsonb(NEW) - ARRAY['confirmed_at', 'declined_at', 'declined_reason', 'statement_id', 'ended_at']
     IS DISTINCT FROM
     to_jsonb(OLD) - ARRAY['confirmed_at', 'declined_at', 'declined_reason', 'statement_id', 'ended_at']
     OR (OLD.confirmed_at IS NOT NULL OR OLD.declined_at IS NOT NULL)
        AND (NEW.confirmed_at, NEW.declined_at, NEW.declined_reason, NEW.statement_id)
            IS DISTINCT FROM (OLD.confirmed_at, OLD.declined_at, OLD.declined_reason, OLD.statement_id) THEN
    RAISE EXCEPTION 'Plumbline: what somebody depends on stays as it was stated.'
      USING ERRCODE = 'PL020', HINT = 'End it and record another.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER dependence_is_kept BEFORE UPDATE OR DELETE ON initiatives_dependant
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_dependant();

-- A word to go on is about the stage that the case has.
CREATE FUNCTION plumbline_guard_continuation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.stage IS DISTINCT FROM (SELECT stage FROM initiatives_initiative WHERE id = NEW.initiative_id) THEN
    RAISE EXCEPTION 'Plumbline: a case goes on in the stage that it has.' USING ERRCODE = 'PL021';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER goes_on_in_its_stage BEFORE INSERT ON initiatives_continuation
  FOR EACH ROW EXECUTE FUNCTION plumbline_guard_continuation();
"""
NO_GUARDS = """
DROP FUNCTION plumbline_guard_continuation() CASCADE;
DROP FUNCTION plumbline_guard_dependant() CASCADE;
DROP FUNCTION plumbline_guard_note() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("initiatives", "0005_search"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.CreateModel(
                    name="Continuation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "xact",
                            models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                        ),
                        ("stage", models.CharField(max_length=20)),
                        ("until", models.DateField()),
                        ("reason", models.TextField()),
                        ("at", models.DateTimeField()),
                    ],
                    options={
                        "ordering": ["initiative", "-id"],
                    },
                ),
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("once", models.UUIDField(editable=False, null=True, unique=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("announcement", "Announcement"),
                                    ("demo", "Demo"),
                                    ("model_choice", "Choice of model"),
                                    ("budget_talk", "Budget talk"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("happened_on", models.DateField()),
                        ("words", models.TextField()),
                    ],
                    options={
                        "ordering": ["initiative", "-happened_on", "-id"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="FormerTitle",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "xact",
                            models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                        ),
                        ("title", models.CharField(max_length=200)),
                        ("until", models.DateTimeField()),
                        ("reason", models.TextField()),
                    ],
                    options={
                        "ordering": ["initiative", "-id"],
                    },
                ),
                migrations.CreateModel(
                    name="FundingDecision",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("once", models.UUIDField(editable=False, null=True, unique=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        ("decided_on", models.DateField()),
                        ("decided_by", models.CharField(max_length=160)),
                        ("basis", models.TextField()),
                        ("amount", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        ("claimed", models.CharField(blank=True, default="", max_length=20)),
                        ("supported", models.CharField(blank=True, default="", max_length=20)),
                        ("label", models.CharField(blank=True, default="", max_length=60)),
                    ],
                    options={
                        "ordering": ["initiative", "-decided_on", "-id"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalEvent",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                        ),
                        ("history_user_name", models.TextField(default="")),
                        (
                            "history_xact",
                            models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                        ),
                        ("once", models.UUIDField(db_index=True, editable=False, null=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("announcement", "Announcement"),
                                    ("demo", "Demo"),
                                    ("model_choice", "Choice of model"),
                                    ("budget_talk", "Budget talk"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("happened_on", models.DateField()),
                        ("words", models.TextField()),
                        ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                        ("history_change_reason", models.TextField(blank=True, default="")),
                        ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical event",
                        "verbose_name_plural": "historical events",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalFundingDecision",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                        ),
                        ("history_user_name", models.TextField(default="")),
                        (
                            "history_xact",
                            models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                        ),
                        ("once", models.UUIDField(db_index=True, editable=False, null=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        ("decided_on", models.DateField()),
                        ("decided_by", models.CharField(max_length=160)),
                        ("basis", models.TextField()),
                        ("amount", models.DecimalField(blank=True, decimal_places=2, max_digits=14, null=True)),
                        ("currency", models.CharField(blank=True, default="", max_length=3)),
                        ("claimed", models.CharField(blank=True, default="", max_length=20)),
                        ("supported", models.CharField(blank=True, default="", max_length=20)),
                        ("label", models.CharField(blank=True, default="", max_length=60)),
                        ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                        ("history_change_reason", models.TextField(blank=True, default="")),
                        ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical funding decision",
                        "verbose_name_plural": "historical funding decisions",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalObservation",
                    fields=[
                        (
                            "id",
                            models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                        ),
                        ("history_user_name", models.TextField(default="")),
                        (
                            "history_xact",
                            models.BigIntegerField(db_default=governance.database.row_history.TransactionId(), editable=False),
                        ),
                        ("once", models.UUIDField(db_index=True, editable=False, null=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        (
                            "layer",
                            models.CharField(
                                choices=[
                                    ("model", "Model"),
                                    ("application", "Application"),
                                    ("integration", "Integration"),
                                    ("policy", "Policy"),
                                    ("runtime", "Runtime"),
                                    ("observability", "Observability"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("observed_on", models.DateField()),
                        ("words", models.TextField()),
                        ("history_user_id", models.BigIntegerField(blank=True, null=True)),
                        ("history_change_reason", models.TextField(blank=True, default="")),
                        ("history_id", models.BigAutoField(editable=False, primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical observation",
                        "verbose_name_plural": "historical observations",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Observation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("once", models.UUIDField(editable=False, null=True, unique=True)),
                        ("at", models.DateTimeField()),
                        ("withdrawn_at", models.DateTimeField(blank=True, null=True)),
                        ("withdrawn_reason", models.TextField(blank=True, default="")),
                        (
                            "layer",
                            models.CharField(
                                choices=[
                                    ("model", "Model"),
                                    ("application", "Application"),
                                    ("integration", "Integration"),
                                    ("policy", "Policy"),
                                    ("runtime", "Runtime"),
                                    ("observability", "Observability"),
                                ],
                                max_length=20,
                            ),
                        ),
                        ("observed_on", models.DateField()),
                        ("words", models.TextField()),
                    ],
                    options={
                        "ordering": ["initiative", "-observed_on", "-id"],
                        "abstract": False,
                    },
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="confirmed_at",
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="declined_at",
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="declined_reason",
                    field=models.TextField(blank=True, default=""),
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="executive",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dependants",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="process",
                    field=models.CharField(blank=True, default="", max_length=160),
                ),
                migrations.AddField(
                    model_name="dependant",
                    name="statement",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="initiatives.evidence",
                    ),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="confirmed_at",
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="declined_at",
                    field=models.DateTimeField(blank=True, null=True),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="declined_reason",
                    field=models.TextField(blank=True, default=""),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="executive",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="process",
                    field=models.CharField(blank=True, default="", max_length=160),
                ),
                migrations.AddField(
                    model_name="historicaldependant",
                    name="statement",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="initiatives.evidence",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="dependant",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("declined_at__isnull", True)),
                            models.Q(
                                ("executive__isnull", False),
                                models.Q(
                                    ("confirmed_at__isnull", True), ("declined_at__isnull", True), _connector="OR"
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="confirmed_or_declined_by_a_named_executive",
                    ),
                ),
                migrations.AddField(
                    model_name="continuation",
                    name="by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                migrations.AddField(
                    model_name="continuation",
                    name="initiative",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="continuations",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="event",
                    name="by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                migrations.AddField(
                    model_name="event",
                    name="initiative",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="event",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="formertitle",
                    name="by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                migrations.AddField(
                    model_name="formertitle",
                    name="initiative",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_titles",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="fundingdecision",
                    name="by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                migrations.AddField(
                    model_name="fundingdecision",
                    name="initiative",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="funding",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="fundingdecision",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalevent",
                    name="by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalevent",
                    name="initiative",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="historicalevent",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalfundingdecision",
                    name="by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalfundingdecision",
                    name="initiative",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="historicalfundingdecision",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalobservation",
                    name="by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="historicalobservation",
                    name="initiative",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="historicalobservation",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddField(
                    model_name="observation",
                    name="by",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                migrations.AddField(
                    model_name="observation",
                    name="initiative",
                    field=models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="observations",
                        to="initiatives.initiative",
                    ),
                ),
                migrations.AddField(
                    model_name="observation",
                    name="withdrawn_by",
                    field=models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                migrations.AddConstraint(
                    model_name="continuation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("stage__in", ["prototype", "mvp"])), name="only_trials_are_continued"
                    ),
                ),
                migrations.AddConstraint(
                    model_name="event",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                                models.Q(("withdrawn_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="event_taken_back_by_whom_and_why",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fundingdecision",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                                models.Q(("withdrawn_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="fundingdecision_taken_back_by_whom_and_why",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="fundingdecision",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount__isnull", True), ("currency", "")),
                            models.Q(
                                ("amount__gt", 0),
                                ("amount__isnull", False),
                                models.Q(("currency", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="an_amount_has_its_currency",
                    ),
                ),
                migrations.AddConstraint(
                    model_name="observation",
                    constraint=models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("withdrawn_at__isnull", True), ("withdrawn_by__isnull", True)),
                            models.Q(
                                ("withdrawn_at__isnull", False),
                                ("withdrawn_by__isnull", False),
                                models.Q(("withdrawn_reason", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="observation_taken_back_by_whom_and_why",
                    ),
                ),
            ]
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
