"""The network is shown what is known, obeys it, says how sure it is, and alone stays modest."""

import numpy as np

from restoration.engine import proposal
from restoration.engine.hints import gathered
from restoration.engine.luma import luma
from restoration.engine.plan import Dab, Region
from tests.engine import pictures


def small() -> tuple[np.ndarray, np.ndarray]:
    """Luma and true chroma (R - Y, B - Y) of a picture of 96 px."""
    picture = pictures.astronaut(192)[::2, ::2]
    light = luma(picture)
    return light, np.stack([picture[..., 0] - light, picture[..., 2] - light])


def known_at(count: int) -> np.ndarray:
    rng = np.random.default_rng(count)
    known = np.zeros((96, 96), bool)
    known[rng.integers(0, 96, count), rng.integers(0, 96, count)] = True
    return known


def test_what_is_shown_lies_between_zero_and_one():
    light, chroma = small()
    known = known_at(20)
    shown = proposal.asked(light, known, chroma, proposal.carried(light, known, chroma))
    assert shown.shape == (96, 96, 8)
    assert shown.dtype == np.float32
    assert 0 <= shown.min() <= shown.max() <= 1


def test_a_known_colour_is_obeyed_even_where_the_network_would_not_choose_it():
    light, chroma = small()
    known = known_at(5)
    odd = np.where(known, np.array([-0.3, 0.5], np.float32)[:, None, None], chroma)
    found = proposal.proposed(light, known, odd)
    assert np.abs(found.chroma[:, known] - odd[:, known]).max() < 1e-5


def test_more_known_places_bring_the_colours_nearer_to_the_truth():
    light, chroma = small()
    away = []
    for count in (3, 30, 300):
        found = proposal.proposed(light, known_at(count), chroma)
        away.append(float(np.abs(found.chroma - chroma).mean()))
    assert away[0] > away[1] > away[2]


def test_it_expects_a_smaller_error_where_more_is_known():
    light, chroma = small()
    few, many = (proposal.proposed(light, known_at(n), chroma).error.mean() for n in (1, 300))
    assert many < few


def test_with_nothing_known_its_colours_are_faint():
    light, chroma = small()
    found = proposal.proposed(light, known_at(0), chroma).chroma
    assert np.abs(found).mean() < 0.5 * np.abs(chroma).mean()


def test_an_area_says_its_colour_on_a_lattice_and_a_dab_under_its_dot():
    light = np.full((96, 96), 0.5, np.float32)
    square = ((0.5, 0.5), (0.9, 0.5), (0.9, 0.9), (0.5, 0.9))
    hints = gathered(light, (Dab(0.2, 0.2, (200, 30, 40)),), (Region(square, rgb=(30, 60, 200)),))
    assert hints.known[19, 19]
    assert 0.03 < hints.known[50:85, 50:85].mean() < 0.1
    assert hints.outlined[50:85, 50:85].all()


def test_in_the_shade_a_hint_says_less_colour():
    light = np.full((96, 96), 0.1, np.float32)
    light[:, 48:] = 0.8
    hints = gathered(light, tuple(Dab(x, 0.5, (200, 30, 40)) for x in (0.2, 0.8)), ())
    assert 0 < hints.chroma[0, 48, 19] < 0.5 * hints.chroma[0, 48, 76]
