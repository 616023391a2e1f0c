"""Labels of choices in the words that pages use; no column changes."""

from django.db import migrations, models

import governance.database.migration_operations


class Migration(migrations.Migration):

    dependencies = [
        ('initiatives', '0039_accepted_by_two'),
    ]

    operations = [
        governance.database.migration_operations.Together(
            [
                migrations.AlterField(
                    model_name='answer',
                    name='kind',
                    field=models.CharField(choices=[('answered', 'Answered'), ('no', 'Not yet'), ('not_applicable', 'Not applicable'), ('not_reported', 'Not reported')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='estatebatch',
                    name='kind',
                    field=models.CharField(choices=[('systems', 'Systems'), ('links', 'Links of initiatives'), ('accounts', 'Service accounts'), ('definitions', 'Terms and definitions'), ('efforts', 'Effort by week')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='estatemapping',
                    name='kind',
                    field=models.CharField(choices=[('systems', 'Systems'), ('links', 'Links of initiatives'), ('accounts', 'Service accounts'), ('definitions', 'Terms and definitions'), ('efforts', 'Effort by week')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='forecast',
                    name='kind',
                    field=models.CharField(choices=[('cases', 'Initiatives'), ('decisions', 'Past decisions')], default='cases', max_length=10),
                ),
                migrations.AlterField(
                    model_name='foreseen',
                    name='what',
                    field=models.CharField(choices=[('case', 'Initiative'), ('review', 'Open review'), ('decision', 'Decision')], max_length=10),
                ),
                migrations.AlterField(
                    model_name='historicalanswer',
                    name='kind',
                    field=models.CharField(choices=[('answered', 'Answered'), ('no', 'Not yet'), ('not_applicable', 'Not applicable'), ('not_reported', 'Not reported')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalestatebatch',
                    name='kind',
                    field=models.CharField(choices=[('systems', 'Systems'), ('links', 'Links of initiatives'), ('accounts', 'Service accounts'), ('definitions', 'Terms and definitions'), ('efforts', 'Effort by week')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalestatemapping',
                    name='kind',
                    field=models.CharField(choices=[('systems', 'Systems'), ('links', 'Links of initiatives'), ('accounts', 'Service accounts'), ('definitions', 'Terms and definitions'), ('efforts', 'Effort by week')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalhold',
                    name='kind',
                    field=models.CharField(choices=[('owner_vacant', 'No accepted owner'), ('record_owner_vacant', "The contract's audit trail owner is gone"), ('residency', 'Data leaves the allowed region'), ('definition_conflict', 'Definitions conflict'), ('failed_drill', 'A drill failed'), ('reattestation', 'Re-attestation is overdue'), ('concern', 'Somebody raised a concern')], max_length=30),
                ),
                migrations.AlterField(
                    model_name='historicallink',
                    name='pattern',
                    field=models.CharField(choices=[('anchor', 'Source of truth: outputs are traced to it'), ('audit', 'Audit: what is done is logged there'), ('fallback', 'Fallback: used when another is missing'), ('feed', 'Feed: data flow in or out')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalproposedchange',
                    name='kind',
                    field=models.CharField(choices=[('system_changed', 'Change of a system'), ('system_retired', 'Retire a system'), ('account_opened', 'A service account more'), ('account_changed', 'Change of a service account'), ('account_closed', 'Close a service account'), ('definition_written', 'What a field means'), ('definition_changed', 'Change of what a field means'), ('definition_withdrawn', 'Withdraw what a field means'), ('term_named', 'A business term'), ('term_changed', 'Change of a business term'), ('vendor_term_filed', 'A term of a vendor')], max_length=24),
                ),
                migrations.AlterField(
                    model_name='historicalroleassignment',
                    name='role',
                    field=models.CharField(choices=[('owner', 'Business owner'), ('deputy', 'Deputy owner'), ('support_owner', 'Support owner'), ('technical_lead', 'Technical lead'), ('data_steward', 'Data steward'), ('sponsor', 'Sponsor'), ('record_owner', 'Audit trail owner')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='historicalshortcoming',
                    name='hold',
                    field=models.CharField(blank=True, choices=[('owner_vacant', 'No accepted owner'), ('record_owner_vacant', "The contract's audit trail owner is gone"), ('residency', 'Data leaves the allowed region'), ('definition_conflict', 'Definitions conflict'), ('failed_drill', 'A drill failed'), ('reattestation', 'Re-attestation is overdue'), ('concern', 'Somebody raised a concern')], default='', max_length=30),
                ),
                migrations.AlterField(
                    model_name='historicalsystem',
                    name='kind',
                    field=models.CharField(choices=[('bought', 'Bought system'), ('home_grown', 'Home-grown system'), ('database', 'Database or warehouse'), ('file_share', 'File share'), ('wiki', 'Wiki'), ('knowledge_collection', 'Knowledge base'), ('document', 'Set of documents'), ('policy', 'Policy or rule book'), ('people', 'Subject-matter experts')], max_length=30),
                ),
                migrations.AlterField(
                    model_name='hold',
                    name='kind',
                    field=models.CharField(choices=[('owner_vacant', 'No accepted owner'), ('record_owner_vacant', "The contract's audit trail owner is gone"), ('residency', 'Data leaves the allowed region'), ('definition_conflict', 'Definitions conflict'), ('failed_drill', 'A drill failed'), ('reattestation', 'Re-attestation is overdue'), ('concern', 'Somebody raised a concern')], max_length=30),
                ),
                migrations.AlterField(
                    model_name='importrow',
                    name='decision',
                    field=models.CharField(choices=[('import', 'Import'), ('merge', 'Merge: the same line twice'), ('triage', 'Needs review'), ('reject', 'Rejected'), ('unchanged', 'Unchanged')], max_length=12),
                ),
                migrations.AlterField(
                    model_name='link',
                    name='pattern',
                    field=models.CharField(choices=[('anchor', 'Source of truth: outputs are traced to it'), ('audit', 'Audit: what is done is logged there'), ('fallback', 'Fallback: used when another is missing'), ('feed', 'Feed: data flow in or out')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='proposedchange',
                    name='kind',
                    field=models.CharField(choices=[('system_changed', 'Change of a system'), ('system_retired', 'Retire a system'), ('account_opened', 'A service account more'), ('account_changed', 'Change of a service account'), ('account_closed', 'Close a service account'), ('definition_written', 'What a field means'), ('definition_changed', 'Change of what a field means'), ('definition_withdrawn', 'Withdraw what a field means'), ('term_named', 'A business term'), ('term_changed', 'Change of a business term'), ('vendor_term_filed', 'A term of a vendor')], max_length=24),
                ),
                migrations.AlterField(
                    model_name='roleassignment',
                    name='role',
                    field=models.CharField(choices=[('owner', 'Business owner'), ('deputy', 'Deputy owner'), ('support_owner', 'Support owner'), ('technical_lead', 'Technical lead'), ('data_steward', 'Data steward'), ('sponsor', 'Sponsor'), ('record_owner', 'Audit trail owner')], max_length=20),
                ),
                migrations.AlterField(
                    model_name='shortcoming',
                    name='hold',
                    field=models.CharField(blank=True, choices=[('owner_vacant', 'No accepted owner'), ('record_owner_vacant', "The contract's audit trail owner is gone"), ('residency', 'Data leaves the allowed region'), ('definition_conflict', 'Definitions conflict'), ('failed_drill', 'A drill failed'), ('reattestation', 'Re-attestation is overdue'), ('concern', 'Somebody raised a concern')], default='', max_length=30),
                ),
                migrations.AlterField(
                    model_name='system',
                    name='kind',
                    field=models.CharField(choices=[('bought', 'Bought system'), ('home_grown', 'Home-grown system'), ('database', 'Database or warehouse'), ('file_share', 'File share'), ('wiki', 'Wiki'), ('knowledge_collection', 'Knowledge base'), ('document', 'Set of documents'), ('policy', 'Policy or rule book'), ('people', 'Subject-matter experts')], max_length=30),
                ),
            ]
        ),
    ]
