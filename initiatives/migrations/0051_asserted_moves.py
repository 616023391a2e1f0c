"""Moves that newer lists assert, and a claim that a newer list corrects, by the database."""

import importlib

from django.db import migrations, models

from governance.database.migration_operations import Together


def _with(text: str, *changes: tuple[str, str]) -> str:
    for before, after in changes:
        if text.count(before) != 1:
            raise ValueError(f"not once in the function: {before}")
        text = text.replace(before, after)
    return text


OLD_CHANGE = importlib.import_module("initiatives.migrations.0049_own_portfolio").TAKEN_BACK
CHANGE = _with(
    OLD_CHANGE,
    (
        "    IF NOT (NEW.basis = 'import' AND NEW.from_stage = 'proposed' AND NEW.to_stage <> 'proposed')\n",
        """\
    IF NOT (NEW.basis = 'import' AND NEW.from_stage <> NEW.to_stage)
""",
    ),
    (
        "    IF NEW.basis = 'decision' AND NOT EXISTS (",
        """\
    IF NEW.basis = 'import' AND EXISTS (
         SELECT 1 FROM initiatives_stagechange WHERE initiative_id = NEW.initiative_id AND basis <> 'import') THEN
      RAISE EXCEPTION 'Plumbline: an import corrects what an import claimed, and nothing that was decided here.'
        USING ERRCODE = 'PL010';
    END IF;
    IF NEW.basis = 'decision' AND NOT EXISTS (""",
    ),
)


class Migration(migrations.Migration):
    dependencies = [("initiatives", "0049_own_portfolio")]

    operations = [
        Together(
            [
                migrations.AddField(
                    model_name='importrow',
                    name='move',
                    field=models.CharField(blank=True, default='', max_length=14),
                ),
                migrations.AddField(
                    model_name='importrow',
                    name='paired_by',
                    field=models.CharField(blank=True, default='', max_length=6),
                ),
                migrations.AddField(
                    model_name='importrow',
                    name='stage_before',
                    field=models.CharField(blank=True, default='', max_length=20),
                ),
                migrations.AlterField(
                    model_name='importrow',
                    name='decision',
                    field=models.CharField(choices=[('import', 'Import'), ('merge', 'Merge: the same line twice'), ('triage', 'Needs review'), ('reject', 'Rejected'), ('unchanged', 'Unchanged'), ('taken', 'Newer claim taken'), ('left', 'Claim left as it was'), ('change', 'Proposed changes')], max_length=12),
                ),
                migrations.AddIndex(
                    model_name='importrow',
                    index=models.Index(condition=models.Q(('paired_by', ''), _negated=True), fields=['paired_by', 'move'], name='rows_by_move'),
                ),
                migrations.AddConstraint(
                    model_name='importrow',
                    constraint=models.CheckConstraint(condition=models.Q(models.Q(('paired_by', 'name'), _negated=True), ('initiative__isnull', True), _connector='OR'), name='a_pair_by_name_ties_nothing'),
                ),
            ]
        ),
        migrations.RunSQL(CHANGE, OLD_CHANGE),
    ]
