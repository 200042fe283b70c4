"""Claims, drafts, runs, versions and reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils.duration import duration_iso_string
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.asking import decisions
from api.serializers.strict import LARGEST_KEY, DraftForm, Flag, PlanForm, Text, Whole, changed_at
from archive.models import Photo
from restoration import wording
from restoration.lifecycle import JobState, ReviewReason, VersionState
from restoration.models import Claim, Draft, Job, Review, Version
from restoration.queries import wall

LARGEST_COUNT = 2**31 - 1
TO_THE_MAKER = _("Words that the maker reads.")
CLAIM = _("The id of your open claim on the photo.")
DECIDED_VERSIONS = (VersionState.ACCEPTED, VersionState.RETURNED, VersionState.DECLINED)


def helped(**words: Any) -> dict[str, dict[str, Any]]:
    """What fields mean whose names do not say it."""
    return {name: {"help_text": text} for name, text in words.items()}


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
        extra_kwargs = helped(
            id=_("The fence: what is saved or run under it names it."),
            slot=_("Which of the photo's hands this is."),
            seen_at=_("When its holder was last heard of; thirty minutes later it ends."),
            ends_at=_("When it ends at the latest."),
            extended=_("Whether it was extended; that is possible once."),
        )


class WishesSerializer(serializers.Serializer[Any]):
    """What the photo should be like; each may be left out."""

    collection = Text(required=False, help_text=_("A collection's address."))
    damage = serializers.ChoiceField(choices=wall.DAMAGE, required=False)
    faces = Flag(required=False, help_text=_("True: with faces on it."))
    colour = Flag(
        required=False, help_text=_("True: black and white, and colour may be added to it.")
    )
    words = Text(max_length=100, required=False, help_text=_("Words in its description."))


class DraftSerializer(serializers.ModelSerializer[Draft]):
    """Unfinished settings; `rev` counts the saves."""

    photo = PhotoRef()
    body = serializers.DictField(read_only=True)

    class Meta:
        model = Draft
        fields = ("photo", "rev", "body", "saved_at")
        read_only_fields = fields
        extra_kwargs = helped(rev=_("Counts the saves; send it with the next one."))


class SaveSerializer(serializers.Serializer[Any]):
    """A draft to keep: the `rev` it was made from (0 for the first) and the claim it is under."""

    claim = Whole(min_value=1, max_value=LARGEST_KEY, help_text=CLAIM)
    rev = Whole(
        min_value=0,
        max_value=LARGEST_COUNT,
        help_text=_("The number of the draft it was made from; 0 for the first."),
    )
    body = DraftForm()


class RunSerializer(serializers.Serializer[Any]):
    """A run to ask for: which version it starts from (the scan when left out), and the plan."""

    claim = Whole(min_value=1, max_value=LARGEST_KEY, help_text=CLAIM)
    source = Whole(  # type: ignore[assignment]
        min_value=1,
        max_value=LARGEST_KEY,
        required=False,
        help_text=_("The id of the version it starts from; the scan when left out."),
    )
    plan = PlanForm()


class JobSerializer(serializers.ModelSerializer[Job]):
    """One run of one frozen plan. `problem` says why it failed and what to do."""

    photo = PhotoRef()
    plan = serializers.DictField(read_only=True)
    problem = serializers.SerializerMethodField(
        help_text=_("Why it failed and what to do; empty if it did not.")
    )

    class Meta:
        model = Job
        fields = (
            "id", "photo", "kind", "source", "state", "step", "progress", "attempt", "queue",
            "requested_at", "started_at", "ended_at", "plan", "plan_sha256", "version",
            "error_code", "problem",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = helped(
            source=_("The id of the version it starts from."),
            step=_("The step that runs now."),
            progress=_("From 0 to 1."),
            attempt=_("Which try it is; a machine may have gone away."),
            queue=_("Which machines can run it."),
            plan_sha256=_("The same plan has the same one."),
            version=_("The id of what it made; null until it has succeeded."),
            error_code=_("Why it failed, or its last try was lost, for programs; else empty."),
        )

    def get_problem(self, job: Job) -> str:
        if job.state != JobState.FAILED:
            return ""  # an earlier try was lost; another one is on its way
        return wording.problem(job.error_code, job.error_facts)


class DecisionSerializer(serializers.ModelSerializer[Review]):
    """How a review ended, as the maker of the version reads it."""

    reviewer = serializers.StringRelatedField[Any](help_text=_("Who decided."))
    why = serializers.CharField(
        read_only=True, help_text=_("The reason in your language; empty where none was needed.")
    )

    class Meta:
        model = Review
        fields = ("id", "state", "reviewer", "reason", "why", "advice", "decided_at")
        read_only_fields = fields


class VersionSerializer(serializers.ModelSerializer[Version]):
    """One kept image with its parent, what made it (`records`) and what was measured (`meters`)."""

    photo = PhotoRef()
    review = serializers.SerializerMethodField(
        help_text=_("What was decided about it and why; null while nothing was.")
    )
    made_by = serializers.StringRelatedField[Any](allow_null=True)
    changed_at = changed_at()
    records = serializers.ListField(
        child=serializers.DictField(),
        read_only=True,
        help_text=_("What each step did, in order."),
    )
    meters = serializers.DictField(
        read_only=True,
        help_text=_("What the check measured."),
    )
    maps = serializers.DictField(
        child=serializers.CharField(),
        read_only=True,
        help_text=_("The sha256 of each map by its name; the name is for the address of a map."),
    )
    notes = serializers.ListField(
        child=serializers.DictField(),
        read_only=True,
        help_text=_("What the steps had to say."),
    )
    frame = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        read_only=True,
        help_text=_("How it lies on the scan: two rows of an affine map of its pixels."),
    )

    class Meta:
        model = Version
        fields = (
            "id", "photo", "number", "parent", "kind", "state", "made_by", "made_at", "sha256",
            "width", "height", "frame", "records", "meters", "maps", "notes", "note",
            "is_alternative", "submitted_at", "review", "changed_at",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = helped(
            number=_("Which version of the photo it is; the scan is 0."),
            parent=_("The id of the version it was made from."),
            sha256=_("Of the working file."),
            note=_("What its maker told the reviewer."),
            is_alternative=_("Whether it came after its claim had ended."),
        )

    @extend_schema_field(DecisionSerializer(allow_null=True))
    def get_review(self, version: Version) -> Any:
        """Lists come with the decisions; a version whose state says so is asked for one alone."""
        if version.state not in DECIDED_VERSIONS:
            return None
        found = getattr(version, "decided", None)
        decided = list(decisions().filter(version=version)) if found is None else found
        return DecisionSerializer(decided[0]).data if decided else None


class SubmitSerializer(serializers.Serializer[Any]):
    """A last word to the reviewer."""

    note = Text(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("What the reviewer should know."),
    )


class RetouchSerializer(serializers.Serializer[Any]):
    """A retouched file, the claim it was made under, and what was done."""

    claim = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY, help_text=CLAIM)
    file = serializers.FileField(max_length=255, help_text=_("A TIFF, PNG or JPEG."))
    note = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text=_("What was done by hand."),
    )


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
        extra_kwargs = helped(
            lease_until=_("Until when it is this curator's."),
            file_sha256=_("The file that was decided about."),
            reason=_("The code of the reason; empty where none was needed."),
            advice=TO_THE_MAKER,
        )


@extend_schema_field({"type": "string", "format": "duration"})
class Duration(serializers.DurationField):
    """A time span as ISO 8601 writes it, in whole seconds."""

    def to_representation(self, value: timedelta) -> str:
        return duration_iso_string(timedelta(seconds=int(value.total_seconds())))


class WaitingSerializer(serializers.Serializer[Any]):
    """One version on the desk; `open_to_me` when this person can take it now."""

    version = VersionSerializer(help_text=_("What is reviewed."))
    waited = Duration(help_text=_("How long, as ISO 8601 writes it: P0DT00H15M00S."))
    held_by = serializers.CharField(
        source="held.reviewer",
        allow_null=True,
        default=None,
        help_text=_("Who is looking at it; null when nobody is."),
    )
    own = serializers.BooleanField(help_text=_("Whether your own work is in it."))
    open_to_me = serializers.BooleanField(help_text=_("Whether you can take it now."))


class AcceptSerializer(serializers.Serializer[Any]):
    """An optional word to the maker."""

    advice = Text(
        max_length=4000, required=False, allow_blank=True, default="", help_text=TO_THE_MAKER
    )


class ReturnSerializer(serializers.Serializer[Any]):
    """A reason from the list, and what would make it accepted."""

    reason = serializers.ChoiceField(
        choices=ReviewReason.choices, help_text=_("Why; the maker reads it in their language.")
    )
    advice = Text(max_length=4000, help_text=_("What would make it accepted."))


class DeclineSerializer(serializers.Serializer[Any]):
    """A reason from the list, and words for the maker where there are any."""

    reason = serializers.ChoiceField(
        choices=ReviewReason.choices, help_text=_("Why; the maker reads it in their language.")
    )
    advice = Text(
        max_length=4000, required=False, allow_blank=True, default="", help_text=TO_THE_MAKER
    )


class MaskSerializer(serializers.Serializer[Any]):
    """A PNG of 8 bits, white where damage is."""

    file = serializers.FileField(
        max_length=255, help_text=_("A PNG of 8 bits in the photo's proportions.")
    )


class SheetSerializer(serializers.Serializer[Any]):
    """What a kept mask is called."""

    sha256 = serializers.CharField(help_text=_("What a plan calls it, as `mask_sha256`."))
