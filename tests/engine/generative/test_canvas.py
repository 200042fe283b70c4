"""A canvas shrinks and pads, never crops, and gives the size back."""

import numpy as np
import pytest

from restoration.engine.generative.canvas import fitted

SIZES = [(61, 67), (203, 301), (1024, 768), (16, 16), (17, 900), (3001, 41)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("most", [4096, 65_536, 1_048_576])
@pytest.mark.parametrize("multiple", [8, 32])
def test_what_the_model_sees_divides_and_fits(size, most, multiple):
    canvas = fitted(size, multiple, most, 1.0)
    assert [side % multiple for side in canvas.padded] == [0, 0]
    assert np.prod(canvas.padded) <= most
    assert all(
        0 <= padded - scaled < multiple
        for padded, scaled in zip(canvas.padded, canvas.scaled, strict=True)
    )


@pytest.mark.parametrize("size", SIZES)
def test_the_way_back_gives_the_size_back(size):
    image = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    canvas = fitted(size, 8, 16_384, 1.0)
    padded = canvas.pad(canvas.shrink(image))
    assert padded.shape[:2] == canvas.padded
    assert canvas.enlarge(canvas.unpad(padded)).shape == image.shape


def test_a_picture_that_fits_is_only_padded():
    image = np.random.default_rng(0).random((61, 67, 3), dtype=np.float32)
    canvas = fitted(image.shape, 8, 65_536, 1.0)
    assert np.array_equal(canvas.unpad(canvas.pad(canvas.shrink(image))), image)


@pytest.mark.parametrize("size", SIZES)
def test_no_side_is_shorter_than_the_model_bears(size):
    image = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    canvas = fitted(size, 16, 65_536, 1.0, least_side=64, most_ratio=8)
    assert min(canvas.padded) >= 64
    assert max(canvas.padded) <= 8 * min(canvas.padded)
    assert np.prod(canvas.padded) <= 65_536
    padded = canvas.pad(canvas.shrink(image))
    assert padded.shape[:2] == canvas.padded
    assert canvas.enlarge(canvas.unpad(padded)).shape == image.shape


def test_a_small_crop_is_enlarged_no_further_than_asked():
    assert fitted((60, 80), 8, 65_536, 2.0).scaled == (120, 160)
