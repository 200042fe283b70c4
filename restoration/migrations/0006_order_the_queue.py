from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("restoration", "0005_keep_tallies_and_count_outcomes")]

    operations = [
        migrations.AddField(
            "job",
            "lane",
            models.CharField(
                choices=[("interactive", "for a person who waits"), ("batch", "in the background")],
                default="interactive",
                max_length=12,
            ),
        ),
        migrations.AddField("job", "not_before", models.DateTimeField(null=True)),
        migrations.AddField("job", "strikes", models.PositiveSmallIntegerField(default=0)),
        migrations.AddField("worker", "slots", models.PositiveSmallIntegerField(default=1)),
        migrations.AddField("worker", "warm", models.JSONField(default=list)),
        migrations.AddIndex(
            "attempt", models.Index(fields=["ended_at"], name="attempt_last_hour")
        ),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=models.Q(lane__in=["interactive", "batch"]), name="job_lane_known"
            ),
        ),
    ]
