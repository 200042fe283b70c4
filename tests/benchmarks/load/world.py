"""A museum of any size in a PostgreSQL database, made by a handful of statements.

Rows as the verbs leave them, without their bytes: no page that is measured here reads a picture.
Of every hundred photos six are accepted, four of them published, two wait for review, one was
returned; the rest wait for hands. The exhibit has 120 pictures in six rooms, or all that there are:
40 in a museum of 1,000.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg2
from django.apps import apps
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.db.models import JSONField
from django.utils import timezone

from accounts.models import User
from tests.services import databases

COLLECTIONS, HUNG, ROOMS = 10, 120, 6

# `n` counts photos from 1. One hash is enough for a name: what matters is that it differs.
PHOTOS = """
INSERT INTO archive_collection (id, slug, institution_en, institution_zh, title_en, title_zh,
  description_en, description_zh, instructions_en, instructions_zh, notice_en, notice_zh,
  rights_uri, do_not_colourise, two_person, is_open, created_at)
SELECT c, 'box-' || c, 'Museum of the Games', '运动会博物馆', 'Tehran 1974, box ' || c,
  '德黑兰 1974，第 ' || c || ' 盒', '', '', 'Keep the grain.', '请保留颗粒。', '', '',
  'http://rightsstatements.org/vocab/NKC/1.0/', false, false, true, now()
FROM generate_series(1, {collections}) c;
INSERT INTO archive_original (sha256, size, media_type, width, height, bits, bands, interpretation,
  icc, orientation, stored_at)
SELECT encode(sha256(('o' || n)::bytea), 'hex'), 9000000, 'image/tiff', 4800, 3600, 16, 1, 'grey16',
  '', 1, now() FROM generate_series(1, {photos}) n;
INSERT INTO archive_photo (id, ref, state, sha256, filename, working_sha256, width, height, slots,
  title_en, title_zh, date_edtf, place_en, place_zh, people_en, people_zh, description_en,
  description_zh, identifier, quarantine_code, quarantine_facts, added_at, attempts, collection_id,
  original_id)
SELECT n, 'p' || lpad(n::text, 9, '0'), 'ready', encode(sha256(('o' || n)::bytea), 'hex'),
  n || '.tif', encode(sha256(('w' || n)::bytea), 'hex'), 4800, 3600, 1,
  'The opening ceremony ' || n, '开幕式 ' || n, '1974-09', 'Tehran', '德黑兰',
  'The team', '代表队', 'Seen from the stand.', '从看台上看。', 'IDTW-' || n, '', '{{}}',
  now() - interval '90 days' + n * interval '1 second', 1, 1 + n % {collections},
  encode(sha256(('o' || n)::bytea), 'hex')
FROM generate_series(1, {photos}) n;
INSERT INTO restoration_assessment (photo_id, report, suggestions, mask_sha256, damage, faces,
  is_grey, made_at)
SELECT n, '{{}}', '[]', '', (ARRAY['none','some','heavy'])[1 + n % 3], n % 4, n % 2 = 0, now()
FROM generate_series(1, {photos}) n;
"""
# The scans' versions have odd numbers, what was made of them even ones.
VERSIONS = """
INSERT INTO restoration_version (id, number, kind, state, made_at, sha256, width, height, frame,
  records, meters, maps, notes, note, is_alternative, photo_id)
SELECT 2 * n - 1, 0, 'scan', 'draft', now(), encode(sha256(('w' || n)::bytea), 'hex'), 4800, 3600,
  '[[1,0,0],[0,1,0]]', '[]', '{{}}', '{{}}', '[]', '', false, n
FROM generate_series(1, {photos}) n;
INSERT INTO restoration_version (id, number, kind, state, made_at, sha256, width, height, frame,
  records, meters, maps, notes, note, is_alternative, submitted_at, made_by_id, parent_id, photo_id)
SELECT 2 * n, 1, 'machine', CASE WHEN n % 100 < 6 THEN 'accepted' WHEN n % 100 < 8 THEN 'submitted'
  ELSE 'returned' END, now() - interval '1 day', encode(sha256(('v' || n)::bytea), 'hex'), 4800,
  3600, '[[1,0,0],[0,1,0]]', {records}, {meters}, '{{}}', '[]', '', false,
  now() - interval '1 day' + n * interval '1 ms', 10 + n % {people}, 2 * n - 1, n
FROM generate_series(1, {photos}) n WHERE n % 100 < 9;
SELECT setval(pg_get_serial_sequence('restoration_version', 'id'), 2 * {photos} + 1);
INSERT INTO restoration_review (id, state, opened_at, lease_until, decided_at, file_sha256, reason,
  advice, photo_id, reviewer_id, version_id)
SELECT n, CASE WHEN n % 100 < 6 THEN 'accepted' ELSE 'returned' END, now(), now(), now(),
  encode(sha256(('v' || n)::bytea), 'hex'), CASE WHEN n % 100 < 6 THEN '' ELSE 'damage' END,
  '', n, 1, 2 * n
FROM generate_series(1, {photos}) n WHERE n % 100 < 6 OR n % 100 = 8;
INSERT INTO exhibit_publication (id, version_sha256, original_sha256, working_sha256, state,
  published_at, reason, made, photo_id, published_by_id, review_id, version_id)
SELECT n, encode(sha256(('v' || n)::bytea), 'hex'), encode(sha256(('o' || n)::bytea), 'hex'),
  encode(sha256(('w' || n)::bytea), 'hex'), 'live', now() - interval '1 hour', '', {made}, n, 1, n,
  2 * n
FROM generate_series(1, {photos}) n WHERE n % 100 < 4;
INSERT INTO exhibit_exhibit (id, slug, title_en, title_zh, intro_en, intro_zh, is_open, created_at,
  collection_id)
VALUES (1, 'games', 'The first Games', '第一次亚运会', 'A team leaves.', '出征。', true, now(), 1);
INSERT INTO exhibit_room (id, position, title_en, title_zh, intro_en, intro_zh, exhibit_id)
SELECT r, r, 'Room ' || r, '展厅 ' || r, 'What happened that day.', '那一天。', 1
FROM generate_series(1, {rooms}) r;
INSERT INTO exhibit_placement (position, caption_en, caption_zh, story_en, story_zh, photo_id,
  publication_id, room_id)
SELECT at, 'Opening day ' || at, '开幕日 ' || at, 'They had flown for two days.', '他们飞了两天。',
  id, id, 1 + at % {rooms}
FROM (SELECT id, row_number() OVER (ORDER BY id) AS at FROM exhibit_publication) each
WHERE at <= {hung};
"""
PEOPLE = """
INSERT INTO accounts_user (id, password, is_superuser, username, first_name, last_name, email,
  is_staff, is_active, date_joined, display_name, is_steward, language)
SELECT i, '!', false, CASE WHEN i = 1 THEN 'cora' ELSE 'volunteer' || i END, '', '', '', false,
  true, now(), '', false, '' FROM generate_series(1, {people} + 9) i;
SELECT setval(pg_get_serial_sequence('accounts_user', 'id'), {people} + 10);
INSERT INTO archive_curatorship (user_id, collection_id)
SELECT 1, c FROM generate_series(1, {collections}) c;
INSERT INTO restoration_worker (name, queues, offers, models_listed, started_at, seen_at)
VALUES ('cpu@load', '["cpu"]', '[]', '[]', now(), now() + interval '1 day');
"""
# Two runs behind every third photo: what the polls of a bench look back on.
JOBS = """
INSERT INTO restoration_job (kind, plan, plan_sha256, needs, queue, state, requested_at, started_at,
  ended_at, attempt, token, step, progress, error_code, error_facts, photo_id, source_id,
  requested_by_id)
SELECT 'restore', '{{}}', repeat('0', 64), '["embedded"]', 'cpu', 'succeeded', at, at,
  at + interval '20 s', 1, '', '', 1, '', '{{}}', n, 2 * n - 1, 10 + n % {people}
FROM (SELECT n, now() - interval '80 days' + n * interval '1 second' AS at
  FROM generate_series(1, {photos}) n, generate_series(1, 2) WHERE n % 3 = 0) each;
"""
# Four of five have a photo in hand, among those that wait.
HELD = """
INSERT INTO restoration_claim (photo_id, slot, volunteer_id, state, opened_at, seen_at, ends_at,
  extended)
SELECT p.id, 1, 9 + p.at, 'open', now(), now(), now() + interval '48 hours', false
FROM (SELECT id, row_number() OVER (ORDER BY md5(id::text)) AS at FROM archive_photo
  WHERE id % 100 >= 9) p WHERE p.at <= {people} AND p.at % 5 > 0;
"""
TABLES = ("archive_collection", "archive_photo", "restoration_review", "exhibit_publication",
          "exhibit_exhibit", "exhibit_room")  # fmt: skip
STEP = {"step": "tone", "backend": "embedded", "settings": {"strength": 0.5}, "seconds": 0.4}
GUARD = {"guard": {"verdict": "pass", "changed": 0.12, "filled": 0.01, "worst_block": 0.83}}


@dataclass(frozen=True)
class Museum:
    """What the callers of the site need to know of it: who signs in how, what hangs where."""

    photos: int
    sessions: list[str]
    pictures: list[str]
    # What each of them has in hand: the photo's reference and the claim's number, or nothings.
    held: list[list[Any]]
    exhibit: str = "games"


def make(url: str, *, photos: int, people: int) -> Museum:
    """Fill the migrated database at `url`; statistics are fresh afterwards, as after a night."""
    numbers = {"photos": photos, "people": people, "collections": COLLECTIONS}
    shown = {"hung": HUNG, "rooms": ROOMS}
    link = psycopg2.connect(url)
    with link, link.cursor() as cursor:
        _defaults(cursor)
        cursor.execute(PEOPLE.format(**numbers))
        cursor.execute(PHOTOS.format(**numbers))
        told = {name: _quoted(value) for name, value in _told().items()}
        cursor.execute(VERSIONS.format(**numbers, **shown, **told))
        cursor.execute(JOBS.format(**numbers))
        cursor.execute(HELD.format(**numbers))
        for table in TABLES:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
        cursor.execute(
            "SELECT ref FROM exhibit_placement p JOIN archive_photo f ON f.id = p.photo_id"
        )
        pictures = [ref for (ref,) in cursor.fetchall()]
        cursor.execute(
            "SELECT p.ref, c.id FROM accounts_user u LEFT JOIN restoration_claim c "
            "ON c.volunteer_id = u.id LEFT JOIN archive_photo p ON p.id = c.photo_id "
            "WHERE u.id >= 10 ORDER BY u.id"
        )
        held = [[ref, claim] for ref, claim in cursor.fetchall()]
    link.close()
    link = psycopg2.connect(url)
    link.autocommit = True
    with link.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    link.close()
    return Museum(photos, _signed_in(url), pictures, held)


def _defaults(cursor: Any) -> None:
    """What a model says of its fields, said to the database: a new field need not be named here."""
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            value = None if field.primary_key or field.generated else field.get_default()
            if value is not None:
                stored = field.get_db_prep_save(value, connections["default"])
                table, column = model._meta.db_table, field.column
                ready = json.dumps(value) if isinstance(field, JSONField) else stored
                cursor.execute(f'ALTER TABLE {table} ALTER "{column}" SET DEFAULT %s', [ready])


def _quoted(value: object) -> str:
    return "'" + json.dumps(value).replace("'", "''") + "'"


def _told() -> dict[str, object]:
    """What a version and a publication say of how they came about; the same for all."""
    version = {
        "number": 1, "kind": "machine", "by": "Vera", "at": "2026-11-20T12:00:00+00:00",
        "sha256": "0" * 64, "records": [STEP], "meters": GUARD, "prompt": None, "seed": 1,
        "plan_sha256": "0" * 64,
    }  # fmt: skip
    made = {
        "scan": {"original_sha256": "0" * 64, "working_sha256": "0" * 64,
                 "at": "2026-11-20T11:00:00+00:00"},
        "versions": [version],
        "review": {"by": "Cora", "at": "2026-11-20T13:00:00+00:00", "file_sha256": "0" * 64},
        "publication": {"by": "Cora", "at": "2026-11-20T14:00:00+00:00"},
        "credits": [{"role": "restored", "name": "Vera"}, {"role": "reviewed", "name": "Cora"}],
        "models": [], "deeds": ["machine"], "uses_ai": True, "guard": GUARD["guard"],
        "source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced",
    }  # fmt: skip
    return {"records": [STEP], "meters": GUARD, "made": made}


def _signed_in(url: str) -> list[str]:
    """A session for each volunteer, as signing in leaves it; that is not measured here."""
    ends = timezone.now() + timedelta(days=14)
    with databases.rows_in(url):
        rows = []
        for user in User.objects.filter(pk__gte=10).order_by("pk"):
            store = SessionStore(session_key=f"load{user.pk:028d}")
            facts = {
                SESSION_KEY: str(user.pk),
                BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                HASH_SESSION_KEY: user.get_session_auth_hash(),
            }
            data = store.encode(facts)
            rows.append(Session(pk=store.session_key, session_data=data, expire_date=ends))
        Session.objects.bulk_create(rows, batch_size=500)
        return [row.session_key for row in rows]


def keep(museum: Museum, path: Path) -> None:
    """Write it down for Locust, which runs in a Python of its own."""
    path.write_text(json.dumps(asdict(museum)), encoding="utf-8")
