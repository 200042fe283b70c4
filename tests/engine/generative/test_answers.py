"""What a model answers is looked at before anything is taken of it."""

import numpy as np
import pytest

from restoration.engine.errors import StepFailed

pytestmark = pytest.mark.generative

BROWN, OLIVE = (0.5, 0.35, 0.2), (0.5, 0.498, 0.49)


def plain(shape, colour):
    return np.ones(shape, np.float32) * np.array(colour, np.float32)


def sky(grain, side=128):
    grey = 0.7 + grain * np.random.default_rng(0).standard_normal((side, side, 1))
    return np.repeat(grey, 3, axis=2).astype(np.float32)


@pytest.mark.parametrize("colour", [(0, 0, 0), BROWN, OLIVE])
def test_an_answer_of_one_colour_is_refused_whatever_the_colour(cat, colour):
    from restoration.engine.generative.generation import require_picture

    for base in (cat, sky(0.008)):
        with pytest.raises(StepFailed, match="blank-result") as refusal:
            require_picture(plain(base.shape, colour), base)
        assert refusal.value.facts == {"why": "flat"}


def test_what_is_of_one_colour_itself_may_be_answered_with_one():
    from restoration.engine.generative.generation import require_picture

    require_picture(plain((64, 64, 3), BROWN), plain((64, 64, 3), OLIVE))


def test_a_calm_answer_to_a_calm_picture_is_a_picture():
    from restoration.engine.generative.generation import require_picture

    require_picture(sky(0.002), sky(0.01))
