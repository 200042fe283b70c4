"""`manage.py train NETWORK`: teaches one of the networks that the engine ships."""

from __future__ import annotations

import math
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from restoration.training.lessons import LESSONS

if TYPE_CHECKING:
    from restoration.training.school import Progress
    from restoration.training.teaching import Order

BAR = 30


class Command(BaseCommand):
    help = "Teach a network on clean pictures, aged on the fly; write it as ONNX with its card."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("network", choices=sorted(LESSONS))
        parser.add_argument(
            "--photos", action="append", default=[], type=Path, metavar="FOLDER",
            help="clean pictures to learn from; may be given more than once",
        )  # fmt: skip
        parser.add_argument(
            "--sound", action="append", default=[], type=Path, metavar="FOLDER",
            help="old scans without damage: what a finder must leave alone; looked_at.csv beside "
            "them (file, left, top, right, bottom in shares) names where you made sure",
        )  # fmt: skip
        parser.add_argument("--minutes", type=float, default=0, help="how long to teach")
        parser.add_argument("--steps", type=int, default=0, help="or how many steps")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--rate", type=float, help="of learning, lower to go on from a good network"
        )
        parser.add_argument("--threads", type=int, default=0, help="of the processor; 0: all")
        parser.add_argument("--device", default="", help="cpu or cuda; the best there is if empty")
        parser.add_argument("--exact", action="store_true", help="single precision: slower")
        parser.add_argument("--from", dest="first", type=Path, help="an .onnx to begin from")
        parser.add_argument("--leaves", type=int, default=40, help="procedural pictures to add")
        parser.add_argument("--out", type=Path, help="folder for file, card and checkpoint")
        parser.add_argument("--ship", action="store_true", help="put the result into the package")

    def handle(self, *args: Any, **options: Any) -> None:
        order = self._order(options)
        from restoration.training import teaching
        from restoration.training.export import UnlikeError
        from restoration.training.pictures import UnfitError
        from restoration.training.school import DivergedError, OtherRunError

        if order.checkpoint.exists():
            self.stdout.write(f"Going on from {order.checkpoint}.")
        try:
            done = teaching.run(order, self._tell)
        except OtherRunError as error:
            raise CommandError(f"{error}; move it away, or name another --out.") from error
        except (teaching.FirstError, UnfitError, DivergedError) as error:
            raise CommandError(f"Not taught: {error}.") from error
        except UnlikeError as error:
            raise CommandError(f"The file answers otherwise than the network: {error}.") from error
        except KeyboardInterrupt:
            raise CommandError("Stopped; the same command goes on from here.") from None
        self.stdout.write(f"\n{order.file}: {done.size:,} bytes, sha256 {done.sha256}")
        for name, number in done.figures.items():
            self.stdout.write(f"  {name}: {number}")
        if options["ship"]:
            teaching.ship(order.name, order.file)
            self.stdout.write("It is in the package now, with its card and its pin.")

    def _order(self, options: dict[str, Any]) -> Order:
        """The order as asked for, or a sentence that says what is wrong with it."""
        _check_numbers(options)
        for folder in [*options["photos"], *options["sound"]]:
            if not folder.is_dir():
                raise CommandError(f"There is no folder {folder}.")
        if not options["photos"] and not options["leaves"]:
            raise CommandError("Without --photos there must be procedural pictures: --leaves 240.")
        if options["first"] and not options["first"].is_file():
            raise CommandError(f"There is no file {options['first']}.")
        return self._made(options, _device(options["device"], options["threads"]))

    def _made(self, options: dict[str, Any], device: str) -> Order:
        from restoration.training import sound, teaching
        from restoration.training.school import Term

        name = options["network"]
        if options["sound"] and teaching.lesson(name).sound is None:
            raise CommandError(f"{name} does not learn from --sound.")
        try:
            sound.looked_at(options["sound"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        folder = _made_folder(options["out"] or settings.VAR_DIR / "training")
        term = Term(
            options["seed"], options["minutes"], options["steps"],
            quick=not options["exact"], rate=options["rate"] or 0.0,
        )  # fmt: skip
        return teaching.Order(
            name=name,
            folders=tuple(options["photos"]),
            term=term,
            checkpoint=folder / f"{name}.checkpoint",
            file=folder / f"{name}.onnx",
            first=options["first"],
            device=device,
            leaves=options["leaves"],
            sound=tuple(options["sound"]),
        )

    def _tell(self, progress: Progress) -> None:
        """A bar on a terminal, else a line."""
        left = progress.seconds / max(progress.used, 1e-6) * (1 - progress.used) / 60
        line = (
            f"{progress.used:4.0%}  step {progress.steps}  loss {progress.loss:.5f}"
            f"  about {left:.0f} min left"
        )
        if sys.stdout.isatty():
            full = round(BAR * progress.used)
            self.stdout.write(f"\r[{'#' * full}{'.' * (BAR - full)}] {line}  ", ending="")
        else:
            self.stdout.write(line)
        self.stdout.flush()


def _check_numbers(options: dict[str, Any]) -> None:
    """A sentence for each number that is none to teach by."""
    minutes, steps, rate = (options[name] for name in ("minutes", "steps", "rate"))
    if not (minutes > 0 or steps > 0) or minutes < 0 or steps < 0 or not math.isfinite(minutes):
        raise CommandError("Say how long: --minutes 60 or --steps 20000.")
    if rate is not None and not (rate > 0 and math.isfinite(rate)):
        raise CommandError("A rate of learning is above 0, 0.0005 for example.")
    for name, most in (("threads", 1024), ("seed", 2**63 - 1), ("leaves", 10**6)):
        if not 0 <= options[name] <= most:
            raise CommandError(f"--{name} is a number from 0 to {most}.")


def _made_folder(folder: Path) -> Path:
    """The folder for what is written, made if need be; a sentence where there can be none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"There can be no folder {folder}: {error.strerror}.") from error
    return folder


def _device(wanted: str, threads: int) -> str:
    """The device to teach on; a sentence when torch is not there or the device is not."""
    try:
        import torch
    except ImportError as error:
        raise CommandError("Teaching needs torch: pip install 'rekindle[train]'.") from error
    if threads:
        torch.set_num_threads(threads)
    device = wanted or ("cuda" if torch.cuda.is_available() else "cpu")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise CommandError("There is no CUDA device here; leave --device out.")
    cards = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if device not in ("cpu", "cuda", *cards):
        raise CommandError(f"{device} is no device here; write cpu or cuda.")
    return device
