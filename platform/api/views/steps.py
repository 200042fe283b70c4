"""What a plan can be made of."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.schema import tells
from api.serializers.steps import StepSerializer
from restoration import presence, wording
from restoration.drafting import STEPS
from restoration.engine.catalog import EMBEDDED, Setting, StepSpec


class StepsView(APIView):
    """The catalogue."""

    @tells(
        _("The steps of a plan"),
        gives=StepSerializer(many=True),
        description=_(
            "Each with its settings, in the order they run, in your language; and whether a "
            "machine that is on can run it now."
        ),
    )
    def get(self, request: Request) -> Response:
        offers = presence.offers(now=timezone.now())
        return Response(StepSerializer([_step(spec, offers) for spec in STEPS], many=True).data)


def _step(spec: StepSpec, offers: Set[str]) -> dict[str, Any]:
    named = [f"{spec.name}:" + model for each in spec.settings if each.name == "model"
             for model in each.choices]  # fmt: skip
    models = [offer.partition(":")[2] for offer in named if offer in offers]
    return {
        "name": spec.name,
        "title": wording.step(spec.name),
        "meaning": str(wording.STEP_HELP.get(spec.name, "")),
        "backends": list(spec.backends),
        "can_run": EMBEDDED in spec.backends or bool(models),
        "models": models,
        "needs_words": spec.requires_prompt,
        "scale": spec.scale,
        "settings": [_setting(each) for each in spec.settings],
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        "name": setting.name,
        "title": str(wording.SETTINGS.get(setting.name, setting.name)),
        "kind": setting.kind,
        "default": setting.default,
        "low": setting.low,
        "high": setting.high,
        "step": setting.step,
        "choices": list(setting.choices),
        "backend": setting.backend,
        "models": list(setting.models),
    }
