"""Runs: ask for one, watch it, cancel it; and the mask it may need."""

from __future__ import annotations

from typing import Any

import django_filters.rest_framework as django_filters
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import generics
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.views import APIView

from api import plans
from api.asking import Asked, given, job_of, new, photo_in_hand, photo_of
from api.filters import Exactly
from api.schema import tells
from api.serializers.work import JobSerializer, MaskSerializer, RunSerializer, SheetSerializer
from archive.models import Photo
from restoration import drafting, masks, policy, presence
from restoration.actions.drafts import keep_mask
from restoration.actions.jobs import cancel_job, request_job
from restoration.actions.versions import scan_version
from restoration.engine.errors import BadInput
from restoration.engine.plan import Plan
from restoration.models import Job, Sheet, Version
from restoration.queries.bench import jobs_seen_by


class PhotoJobsView(APIView):
    """Where runs are asked for."""

    @tells(
        _("Ask for a run"),
        takes=RunSerializer,
        gives=JobSerializer,
        state=201,
        also=200,
        description=_(
            "The plan is checked and frozen; the run waits for a worker. The same plan on the same "
            "version, while one of yours waits or runs, is that run again (200). A plan that is "
            "refused comes with a pointer to the place (`errors`)."
        ),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo, told = photo_of(request, ref), given(RunSerializer, request)
        now, source = timezone.now(), _source(request, photo, told)
        with plans.pointing(told["plan"]):
            plan = _plan(plans.read(told["plan"]))
            job = request_job(
                source=source, by=request.user, fence=told["claim"], plan=plan, now=now
            )
        return Response(JobSerializer(job).data, status=new(job.requested_at, now))


def _plan(told: dict[str, Any]) -> Plan:
    """The plan, with something to do in it and every model named."""
    models, steps = presence.first_models(now=timezone.now()), told.get("steps")
    if isinstance(steps, list):
        told = told | {"steps": [drafting.with_model(step, models) for step in steps]}
    plan = Plan.from_json(told)
    if not any(step.name != "guard" for step in plan.steps):
        raise BadInput("no-steps")
    return plan


def _source(request: Asked, photo: Photo, told: dict[str, Any]) -> Version:
    """The version the run starts from: one of this photo, the scan when none is named."""
    if told.get("source") is None:
        return scan_version(photo=photo, now=timezone.now())
    rows = Version.objects.visible_to(request.user).filter(photo=photo)
    return get_object_or_404(rows.select_related("photo__collection"), pk=told["source"])


class MaskView(APIView):
    """A painted mask comes in."""

    parser_classes = (MultiPartParser,)

    @tells(
        _("Keep a mask"),
        takes=MaskSerializer,
        gives=SheetSerializer,
        state=201,
        also=200,
        description=_(
            "A PNG of 8 bits, white where damage is; its sha256 goes into a plan. It has the "
            "photo's proportions and may be smaller; its sides are at most 4096 pixels, or the "
            "photo's. The same mask again is kept once (200)."
        ),
    )
    def post(self, request: Asked, ref: str) -> Response:
        photo = photo_in_hand(request, ref)
        policy.hold(request.user, photo)
        content = given(MaskSerializer, request)["file"].read(masks.MOST_BYTES + 1)
        now = timezone.now()
        sha256 = keep_mask(photo=photo, by=request.user, content=content, now=now)
        kept_at = Sheet.objects.values_list("kept_at", flat=True)
        first = kept_at.get(photo=photo, kept_by=request.user, sha256=sha256)
        return Response({"sha256": sha256}, status=new(first, now))


class JobFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Which runs."""

    photo = Exactly("photo__ref", label=_("A photo's reference."))

    class Meta:
        model = Job
        fields = ("state", "kind", "photo")


class JobsView(generics.ListAPIView[Job]):
    """Runs, newest first."""

    request: Asked
    serializer_class = JobSerializer
    queryset = Job.objects.none()
    filterset_class = JobFilter

    def get_queryset(self) -> QuerySet[Job]:
        return jobs_seen_by(self.request.user).order_by("-pk")

    @tells(
        _("My runs"), gives=JobSerializer(many=True), description=_("A steward sees everybody's.")
    )
    def get(self, request: Asked) -> Response:  # type: ignore[override]
        return self.list(request)


class JobView(APIView):
    """One run."""

    @tells(
        _("One run"),
        gives=JobSerializer,
        description=_("State, step and progress (0 to 1); ask again every second or two."),
    )
    def get(self, request: Asked, pk: int) -> Response:
        return Response(JobSerializer(job_of(request, pk)).data)


class CancelJobView(APIView):
    """The end of a run."""

    @tells(
        _("Cancel a run"),
        gives=JobSerializer,
        description=_("The worker notices at its next report and keeps nothing."),
    )
    def post(self, request: Asked, pk: int) -> Response:
        job = job_of(request, pk)
        cancel_job(job=job, by=request.user, now=timezone.now())
        return Response(JobSerializer(job).data)
