"""`manage.py make_steward NAME`: the first steward of a site, or one when none can be asked."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import actions
from accounts.models import User
from archive.policy import Refused


class Command(BaseCommand):
    help = "Let an account that has signed up run the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the user name with which the person signs in")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        person = User.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"Nobody is called {name} here; sign up on the site first.")
        if person.is_steward:
            raise CommandError(f"{name} is a steward already.")
        try:
            actions.install_steward(person=person, now=timezone.now())
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from None
        self.stdout.write(f"{name} is a steward now.")
