"""Every state of the work and every move between states, in one table; and the clocks. Pure."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from archive.lifecycle import Moves


class ClaimState(TextChoices):
    OPEN = "open", pgettext_lazy("state of a claim", "open")
    FULFILLED = "fulfilled", pgettext_lazy("state of a claim", "fulfilled")
    RELEASED = "released", pgettext_lazy("state of a claim", "released")
    EXPIRED = "expired", pgettext_lazy("state of a claim", "expired")
    REVOKED = "revoked", pgettext_lazy("state of a claim", "revoked")


class JobState(TextChoices):
    QUEUED = "queued", pgettext_lazy("state of a job", "waiting")
    RUNNING = "running", pgettext_lazy("state of a job", "running")
    SUCCEEDED = "succeeded", pgettext_lazy("state of a job", "finished")
    FAILED = "failed", pgettext_lazy("state of a job", "failed")
    CANCELLED = "cancelled", pgettext_lazy("state of a job", "cancelled")


# What waits or is worked on.
LIVE_JOBS = (JobState.QUEUED, JobState.RUNNING)


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


class JobKind(TextChoices):
    ASSESS = "assess", pgettext_lazy("kind of job", "look at the photo")
    RESTORE = "restore", pgettext_lazy("kind of job", "restore")
    RETOUCH = "retouch", pgettext_lazy("kind of job", "take in a hand retouch")


class JobLane(TextChoices):
    INTERACTIVE = "interactive", pgettext_lazy("lane of a job", "for a person who waits")
    BATCH = "batch", pgettext_lazy("lane of a job", "in the background")


class VersionKind(TextChoices):
    SCAN = "scan", pgettext_lazy("kind of version", "scan")
    MACHINE = "machine", pgettext_lazy("kind of version", "by machine")
    RETOUCH = "retouch", pgettext_lazy("kind of version", "retouched by hand")
    MERGE = "merge", pgettext_lazy("kind of version", "merged")


class VersionState(TextChoices):
    DRAFT = "draft", pgettext_lazy("state of a version", "draft")
    SUBMITTED = "submitted", pgettext_lazy("state of a version", "in review")
    ACCEPTED = "accepted", pgettext_lazy("state of a version", "accepted")
    RETURNED = "returned", pgettext_lazy("state of a version", "returned with advice")
    DECLINED = "declined", pgettext_lazy("state of a version", "declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("state of a version", "withdrawn")


class ReviewState(TextChoices):
    OPEN = "open", pgettext_lazy("state of a review", "open")
    ACCEPTED = "accepted", pgettext_lazy("state of a review", "accepted")
    RETURNED = "returned", pgettext_lazy("state of a review", "returned")
    DECLINED = "declined", pgettext_lazy("state of a review", "declined")
    LAPSED = "lapsed", pgettext_lazy("state of a review", "lapsed")


class ReviewReason(TextChoices):
    """Why a version comes back or is not used; the maker reads the words."""

    OTHER_PERSON = "other-person", _("A person does not look like themselves any more")
    INVENTED = "invented", _("It shows something that the scan does not show")
    LOST = "lost", _("Something true was taken away")
    TOO_SMOOTH = "too-smooth", _("Too smooth: grain and fine detail are gone")
    DAMAGE = "damage", _("Damage is still there")
    COLOUR = "colour", _("A colour contradicts what is known")
    TOO_STRONG = "too-strong", _("A step is too strong: too sharp, too bright, too contrasty")
    TRACES = "traces", _("The work leaves traces: seams, halos, patterns")
    RULES = "rules", _("It does not keep to the rules of the collection")
    NOT_CHOSEN = "not-chosen", _("Another version of this photo was chosen")
    OTHER = "other", _("Something else, told below")


class PublicationState(TextChoices):
    LIVE = "live", pgettext_lazy("state of a publication", "live")
    SUPERSEDED = "superseded", pgettext_lazy("state of a publication", "superseded")
    SUSPENDED = "suspended", pgettext_lazy("state of a publication", "suspended")
    RETRACTED = "retracted", pgettext_lazy("state of a publication", "retracted")


# Keyed by class first: two enums with the same value would be equal as dictionary keys.
MOVES: dict[type[TextChoices], Moves] = {
    ClaimState: {
        ClaimState.OPEN: frozenset(
            {ClaimState.FULFILLED, ClaimState.RELEASED, ClaimState.EXPIRED, ClaimState.REVOKED}
        ),
    },
    JobState: {
        JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.FAILED}),
        JobState.RUNNING: frozenset(
            {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.QUEUED}
        ),
    },
    VersionState: {
        VersionState.DRAFT: frozenset({VersionState.SUBMITTED, VersionState.WITHDRAWN}),
        VersionState.SUBMITTED: frozenset(
            {
                VersionState.ACCEPTED,
                VersionState.RETURNED,
                VersionState.DECLINED,
                VersionState.WITHDRAWN,
            }
        ),
        # Only by undoing what hid an account: what was taken from review then goes back there.
        VersionState.WITHDRAWN: frozenset({VersionState.SUBMITTED}),
    },
    ReviewState: {
        ReviewState.OPEN: frozenset(
            {
                ReviewState.ACCEPTED,
                ReviewState.RETURNED,
                ReviewState.DECLINED,
                ReviewState.LAPSED,
            }
        ),
        # For a decision alone: what was written while the lease ran out still counts.
        ReviewState.LAPSED: frozenset({ReviewState.OPEN}),
    },
    PublicationState: {
        PublicationState.LIVE: frozenset(
            {
                PublicationState.SUPERSEDED,
                PublicationState.SUSPENDED,
                PublicationState.RETRACTED,
            }
        ),
        # Never superseded: what hides a picture is lifted before another one takes its place.
        PublicationState.SUSPENDED: frozenset({PublicationState.LIVE, PublicationState.RETRACTED}),
    },
}

# A claim's three clocks: the page beats, an idle claim ends, and nobody holds a photo for ever.
CLAIM_BEAT = timedelta(seconds=60)
CLAIM_IDLE = timedelta(minutes=30)
CLAIM_CAP = timedelta(hours=48)
CLAIM_EXTENSION = timedelta(hours=24)
CLAIM_WARNINGS = (timedelta(hours=2), timedelta(minutes=15))

# A job's clocks. The lease itself is a setting: the operator of a slow disk may want a longer one.
JOB_ATTEMPTS = 3  # that count: lost and failed ones
# Given back because a part of the site was away: how often at most, and the waits between.
JOB_RETURNS = 50
# How a try ends whose machine could not do it, where another machine may.
UNFIT = "unfit"
JOB_BACKOFF = timedelta(seconds=5)
JOB_BACKOFF_MOST = timedelta(minutes=5)
JOB_RING_AGAIN = timedelta(seconds=15)

# Whose turn it is. The share counts worker seconds of the last hour; whoever has waited for the
# floor's time with nothing running is next whatever the share says; a worker may prefer what it
# has in memory while the first in turn has waited no longer than so, and so many times in a row.
SHARE_WINDOW = timedelta(hours=1)
FLOOR_WAIT = timedelta(minutes=5)
AFFINITY_WAIT = timedelta(seconds=60)
AFFINITY_ROW = 8

# A review's clocks: the open page beats, and a forgotten tab does not hold a version for ever.
REVIEW_LEASE = timedelta(minutes=15)
REVIEW_CAP = timedelta(hours=2)
UNREVIEWED_PER_PHOTO = 3

# A worker that has not beaten for this long is not offered in the interface.
WORKER_ALIVE = timedelta(seconds=60)
