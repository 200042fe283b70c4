"""A ledger is only appended to, always adds up, and no job ends with its reservation open."""

from django.db import migrations

from archive.triggers import freeze, refuse

ADDS_UP = """NEW.balance <> NEW.seconds + COALESCE((
    SELECT before.balance FROM restoration_entry before
    WHERE before.purse_id = NEW.purse_id AND before.number = NEW.number - 1), 0)
  OR (NEW.number > 1 AND NOT EXISTS (
    SELECT 1 FROM restoration_entry before
    WHERE before.purse_id = NEW.purse_id AND before.number = NEW.number - 1))"""

STILL_RESERVED = """NEW.state IN ('succeeded', 'failed', 'cancelled') AND EXISTS (
    SELECT 1 FROM restoration_entry opened
    WHERE opened.job_id = NEW.id AND opened.kind = 'reserve' AND NOT EXISTS (
      SELECT 1 FROM restoration_entry closing WHERE closing.closes_id = opened.id))"""


class Migration(migrations.Migration):
    dependencies = [("restoration", "0009_keep_a_ledger_of_machine_time")]

    operations = [
        freeze("restoration_entry"),
        refuse(
            "restoration_entry_adds_up",
            "restoration_entry",
            "INSERT",
            ADDS_UP,
            "a ledger must add up",
        ),
        refuse(
            "restoration_job_pays",
            "restoration_job",
            "UPDATE OF state",
            STILL_RESERVED,
            "a job that ends closes its reservation",
        ),
    ]
