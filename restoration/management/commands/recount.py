"""`manage.py recount`: compare every count with the rows it follows from, and put it right."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from restoration import counting


class Command(BaseCommand):
    help = "Compare all counts with the rows they follow from; say what differed and put it right."

    def handle(self, *args: Any, **options: Any) -> None:
        found = counting.recount()
        for each in found:
            self.stdout.write(str(each))
        while counting.add_up(now=timezone.now()):
            pass  # the repairs too, so that the sums are whole when this ends
        self.stdout.write(f"{len(found)} counts differed" if found else "every count is right")
