"""Count once what was there before the database kept count."""

from django.db import migrations

STANDINGS = """
INSERT INTO restoration_standing (photo_id, collection_id, added_at, ready, slots, held, in_review,
  accepted, returned)
SELECT p.id, p.collection_id, p.added_at, p.state = 'ready', p.slots,
  (SELECT count(*) FROM restoration_claim c WHERE c.photo_id = p.id AND c.state = 'open'),
  (SELECT count(*) FROM restoration_version v WHERE v.photo_id = p.id AND v.state = 'submitted'),
  (SELECT count(*) FROM restoration_version v WHERE v.photo_id = p.id AND v.state = 'accepted'),
  (SELECT count(*) FROM restoration_version v WHERE v.photo_id = p.id AND v.state = 'returned')
FROM archive_photo p
"""
MEASURES = {
    "ready": "ready",
    "waits": "waits",
    "held": "held > 0",
    "review": "in_review > 0",
    "returned": "returned > 0",
    "done": "accepted > 0",
}
OF_COLLECTIONS = " UNION ALL ".join(
    [
        f"SELECT 'collection' AS about, collection_id AS subject, '{name}' AS measure, "
        f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS change "
        f"FROM restoration_standing GROUP BY collection_id"
        for name, condition in MEASURES.items()
    ]
    + [
        "SELECT 'collection', collection_id, 'queue', sum(in_review) "
        "FROM restoration_standing GROUP BY collection_id"
    ]
)
OF_PEOPLE = """
SELECT 'person', made_by_id, state, count(*) FROM restoration_version
WHERE made_by_id IS NOT NULL AND kind <> 'scan' GROUP BY made_by_id, state
"""
SUMS = f"""
INSERT INTO restoration_change (about, subject, measure, change)
SELECT about, subject, measure, change FROM ({OF_COLLECTIONS} UNION ALL {OF_PEOPLE}) AS each
WHERE change > 0
"""


class Migration(migrations.Migration):
    dependencies = [("restoration", "0007_keep_count_of_standings")]

    operations = [
        migrations.RunSQL(STANDINGS, migrations.RunSQL.noop),
        migrations.RunSQL(SUMS, migrations.RunSQL.noop),
    ]
