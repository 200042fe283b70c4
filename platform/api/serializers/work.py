"""Claims, drafts, runs, versions and reviews."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from api.serializers.strict import LARGEST_KEY, Flag, FreeForm, Text, Whole
from archive.models import Photo
from restoration import wording
from restoration.lifecycle import ReviewReason
from restoration.models import Claim, Draft, Job, Review, Version
from restoration.queries import wall

LARGEST_COUNT = 2**31 - 1


class PhotoRef(serializers.SlugRelatedField[Photo]):
    """A photo by its public reference."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="ref", read_only=True, **kwargs)


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """An exclusive, expiring hold on a photo. Its `id` is the fence that guards every save."""

    photo = PhotoRef()
    volunteer = serializers.StringRelatedField[Any]()

    class Meta:
        model = Claim
        fields = (
            "id", "photo", "volunteer", "slot", "state",
            "opened_at", "seen_at", "ends_at", "extended", "closed_at",
        )  # fmt: skip
        read_only_fields = fields


class WishesSerializer(serializers.Serializer[Any]):
    """What the photo should be like; each may be left out."""

    collection = Text(required=False, help_text=_("A collection's address."))
    damage = serializers.ChoiceField(choices=wall.DAMAGE, required=False)
    faces = Flag(required=False)
    colour = Flag(required=False)
    words = Text(max_length=100, required=False)


class DraftSerializer(serializers.ModelSerializer[Draft]):
    """Unfinished settings; `rev` counts the saves."""

    photo = PhotoRef()
    body = serializers.DictField(read_only=True)

    class Meta:
        model = Draft
        fields = ("photo", "rev", "body", "saved_at")
        read_only_fields = fields


class SaveSerializer(serializers.Serializer[Any]):
    """A draft to keep: the `rev` it was made from (0 for the first) and the claim it is under."""

    claim = Whole(min_value=1, max_value=LARGEST_KEY)
    rev = Whole(min_value=0, max_value=LARGEST_COUNT)
    body = FreeForm()


class RunSerializer(serializers.Serializer[Any]):
    """A run to ask for: which version it starts from (the scan when left out), and the plan."""

    claim = Whole(min_value=1, max_value=LARGEST_KEY)
    source = Whole(  # type: ignore[assignment]
        min_value=1, max_value=LARGEST_KEY, required=False
    )
    plan = FreeForm()


class JobSerializer(serializers.ModelSerializer[Job]):
    """One run of one frozen plan. `problem` says why it failed and what to do."""

    photo = PhotoRef()
    plan = serializers.DictField(read_only=True)
    problem = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id", "photo", "kind", "source", "state", "step", "progress", "attempt", "queue",
            "requested_at", "started_at", "ended_at", "plan", "plan_sha256", "version",
            "error_code", "problem",
        )  # fmt: skip
        read_only_fields = fields

    def get_problem(self, job: Job) -> str:
        return wording.problem(job.error_code, job.error_facts) if job.error_code else ""


class VersionSerializer(serializers.ModelSerializer[Version]):
    """One kept image with its parent, what made it (`records`) and what was measured (`meters`)."""

    photo = PhotoRef()
    made_by = serializers.StringRelatedField[Any](allow_null=True)
    records = serializers.ListField(child=serializers.DictField(), read_only=True)
    meters = serializers.DictField(read_only=True)
    maps = serializers.DictField(child=serializers.CharField(), read_only=True)
    notes = serializers.ListField(child=serializers.DictField(), read_only=True)
    frame = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()), read_only=True
    )

    class Meta:
        model = Version
        fields = (
            "id", "photo", "number", "parent", "kind", "state", "made_by", "made_at", "sha256",
            "width", "height", "frame", "records", "meters", "maps", "notes", "note",
            "is_alternative", "submitted_at",
        )  # fmt: skip
        read_only_fields = fields


class SubmitSerializer(serializers.Serializer[Any]):
    """A last word to the reviewer."""

    note = Text(max_length=2000, required=False, allow_blank=True, default="")


class RetouchSerializer(serializers.Serializer[Any]):
    """A retouched file, the claim it was made under, and what was done."""

    claim = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY)
    file = serializers.FileField(max_length=255)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """One curator's look at one version, and the decision it ended in."""

    photo = PhotoRef()
    reviewer = serializers.StringRelatedField[Any]()

    class Meta:
        model = Review
        fields = (
            "id", "photo", "version", "reviewer", "state", "opened_at", "lease_until",
            "decided_at", "file_sha256", "reason", "advice",
        )  # fmt: skip
        read_only_fields = fields


class WaitingSerializer(serializers.Serializer[Any]):
    """One version on the desk; `open_to_me` when this person can take it now."""

    version = VersionSerializer()
    waited = serializers.DurationField()
    held_by = serializers.CharField(source="held.reviewer", allow_null=True, default=None)
    own = serializers.BooleanField()
    open_to_me = serializers.BooleanField()


class AcceptSerializer(serializers.Serializer[Any]):
    """An optional word to the maker."""

    advice = Text(max_length=4000, required=False, allow_blank=True, default="")


class ReturnSerializer(serializers.Serializer[Any]):
    """A reason from the list, and what would make it accepted."""

    reason = serializers.ChoiceField(choices=ReviewReason.choices)
    advice = Text(max_length=4000)


class DeclineSerializer(serializers.Serializer[Any]):
    """A reason from the list, and words for the maker where there are any."""

    reason = serializers.ChoiceField(choices=ReviewReason.choices)
    advice = Text(max_length=4000, required=False, allow_blank=True, default="")


class MaskSerializer(serializers.Serializer[Any]):
    """A PNG of 8 bits, white where damage is."""

    file = serializers.FileField(max_length=255)


class SheetSerializer(serializers.Serializer[Any]):
    """What a kept mask is called."""

    sha256 = serializers.CharField()
