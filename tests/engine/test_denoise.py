"""Denoise takes noise and leaves the picture and some grain."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from restoration.engine import measure, networks
from restoration.engine.catalog import spec
from restoration.engine.luma import chroma, on_luma
from restoration.engine.step import StepContext, StepResult
from restoration.engine.steps import denoise
from tests.engine import pictures, tiny


def calmed(image: np.ndarray, **settings: float) -> StepResult:
    context = StepContext(image=image, reference=image)
    given = {"strength": 1.0, "grain": 0.0, **settings}
    return denoise.run(context, spec("denoise").settled(given, "embedded"))


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean(np.square(one - other))))


def grainy(clean: np.ndarray, sigma: float, body: float) -> np.ndarray:
    noise = np.random.default_rng(2).standard_normal(clean.shape[:2])
    grain = ndimage.gaussian_filter(noise, body, mode="wrap")
    seen = clean + (grain * sigma / 255 / grain.std())[..., None]
    return np.clip(seen, 0, 1).astype(np.float32)


@pytest.mark.parametrize(("sigma", "gain"), [(15, 6.0), (25, 8.5)])
def test_the_picture_comes_nearer_to_what_it_was(sigma: float, gain: float):
    clean = pictures.grey(pictures.camera(192))
    noisy = pictures.noisy(clean, sigma)
    assert psnr(calmed(noisy).image, clean) > psnr(noisy, clean) + gain


def test_grain_with_a_body_goes_too():
    clean = pictures.grey(pictures.camera(192))
    grain = grainy(clean, 15, 0.8)
    assert psnr(calmed(grain).image, clean) > psnr(grain, clean) + 2.5


def test_a_sound_picture_hardly_changes():
    clean = pictures.grey(pictures.camera(192))
    assert psnr(calmed(clean).image, clean) > 40
    light = grainy(clean, 3, 0.5)
    assert psnr(calmed(light).image, clean) > psnr(light, clean)


def test_some_grain_stays_when_asked():
    noisy = pictures.noisy(pictures.grey(pictures.camera(192)), 15)
    taken = [np.abs(calmed(noisy, grain=grain).image - noisy).mean() for grain in (0.0, 0.5)]
    assert 0.4 < taken[1] / taken[0] < 0.6


def test_coloured_speckle_goes_and_grey_stays_grey():
    rng = np.random.default_rng(0)
    speckled = pictures.coffee() + rng.normal(0, 0.05, pictures.coffee().shape)
    speckled = np.clip(speckled, 0, 1).astype(np.float32)
    before = np.abs(chroma(speckled) - chroma(pictures.coffee())).mean()
    after = np.abs(chroma(calmed(speckled).image) - chroma(pictures.coffee())).mean()
    assert after < 0.6 * before
    grey = calmed(pictures.noisy(pictures.grey(pictures.camera(192)), 10)).image
    assert np.ptp(grey, axis=2).max() < 1e-5


@pytest.mark.parametrize("tone", [0.0, 0.06])
def test_small_colours_of_a_hand_coloured_print_stay(tone: float) -> None:
    """A thread, beads and a badge on a grey or brown print: too little for a colour picture."""
    light = pictures.grey(pictures.camera(384))[..., 0]
    colour = np.zeros((*light.shape, 3), np.float32)
    rows, columns = np.indices(light.shape)
    thread = (np.abs(rows - 300) < 2) & (columns > 60) & (columns < 320)
    beads = (np.hypot((rows - 330), (columns % 24) - 12) < 2.6) & (columns < 320)
    badge = np.hypot(rows - 280, columns - 180) < 5
    colour[thread | beads] = [0.3, -0.13, -0.09]
    colour[badge] = [-0.1, -0.02, 0.37]
    printed = on_luma(0.2 + 0.6 * light, chroma(colour + np.float32([tone, 0, -tone])))
    noisy = np.clip(pictures.noisy(printed, 5.6), 0, 1)
    result = calmed(noisy, strength=0.75, grain=0.2)
    assert result.record["network"] == "clean-grey"
    for area in (thread, beads, badge):
        left = [np.abs(chroma(each)[area]).max(axis=1).mean() for each in (result.image, printed)]
        assert left[0] > 0.85 * left[1]


def test_a_picture_without_noise_is_left_alone_and_says_so():
    smooth = np.repeat(np.linspace(0.1, 0.9, 96 * 96, dtype=np.float32).reshape(96, 96, 1), 3, 2)
    result = calmed(np.ascontiguousarray(smooth))
    assert [told["code"] for told in result.notes] == ["no-noise-found"]
    assert np.array_equal(result.image, smooth)


def test_what_the_lens_lost_comes_back_only_when_asked():
    sharp = pictures.grey(pictures.camera(192))
    soft = ndimage.gaussian_filter(sharp, (1.0, 1.0, 0)).astype(np.float32)
    assert psnr(calmed(soft, deblur=0.5).image, sharp) > psnr(soft, sharp) + 1
    assert np.abs(calmed(soft).image - soft).max() < 4 / 255


def test_blocks_of_jpeg_are_seen_and_go_when_asked():
    from restoration.training import degrade

    clean = pictures.grey(pictures.camera(192))
    blocky = np.repeat(degrade.compressed(clean[..., :1], 20), 3, axis=2)
    found = calmed(blocky)
    assert 12 <= found.record["quality"] <= 30
    assert psnr(found.image, clean) > psnr(blocky, clean) + 0.3
    assert calmed(blocky, deblock=0.0).record.get("quality", 100) == 100


def test_the_record_names_the_network_by_its_digest():
    record = calmed(pictures.noisy(pictures.grey(pictures.camera(192)), 15)).record
    assert record["network"] == "clean-grey"
    assert record["sha256"] == networks.sha256("clean-grey")
    assert record["noise"] == pytest.approx(15, rel=0.1)


def test_strips_leave_no_seam(monkeypatch: pytest.MonkeyPatch):
    noisy = np.clip(0.8 * pictures.noisy(pictures.coffee(), 15), 0, 1)
    whole = calmed(noisy).image
    monkeypatch.setattr(denoise, "STRIP", 64)
    assert np.abs(calmed(noisy).image - whole).max() < 1e-4


@pytest.mark.parametrize(
    ("noise", "body", "blur", "quality"), [(15, 0, 0, 100), (30, 0.8, 1.5, 40), (0, 0, 0, 95)]
)
def test_the_network_is_told_on_the_scales_it_was_taught(
    noise: float, body: float, blur: float, quality: int
):
    from restoration.training import degrade

    taught = degrade.Faults(noise=noise, grain=body, blur=blur, quality=quality).planes()
    measured = measure.Noise(noise, body)
    told = denoise.Faults(measured, blur, quality).planes(np.full((16, 24, 1), 0.5, np.float32))
    assert told.shape == (8, 12, 4)
    assert np.allclose(told, taught, atol=1e-7)
    assert (degrade.NOISE_MOST, degrade.GRAIN_MOST, degrade.BLUR_MOST) == (
        denoise.NOISE_MOST, denoise.BODY_MOST, denoise.BLUR_MOST,
    )  # fmt: skip


LARGE_SCAN = """
import sys
from pathlib import Path
import numpy as np
from restoration.engine import networks
from restoration.engine.step import StepContext
from restoration.engine.steps import denoise
from tests.engine.memory import own_memory
networks.SHIPPED = Path(sys.argv[1])
rng = np.random.default_rng(0)
scan = np.memmap(sys.argv[1] + "/scan", np.float32, "w+", shape=(6_000, 6_000, 3))
for top in range(0, 6_000, 500):
    scan[top : top + 500] = np.clip(rng.normal(0.5, 0.05, (500, 6_000, 1)), 0, 1)
    scan._mmap.madvise(4)
settings = {"strength": 1.0, "grain": 0.0, "deblur": 0.0, "deblock": 1.0}
with own_memory() as held:
    cleaned = denoise.run(StepContext(image=scan, reference=scan), settings)
print(cleaned.record["network"], held.most)
"""


@pytest.mark.slow
def test_a_scan_of_thirty_six_megapixels_is_cleaned_in_little_memory(tmp_path: Path):
    # What grows with a scan is counted, and a network with its tiles does not grow.
    tiny.ship(tmp_path, "clean-grey", channels=1, conditions=4)
    command = [sys.executable, "-c", LARGE_SCAN, str(tmp_path)]
    root = Path(networks.__file__).parents[2]
    said = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    network, peak = said.split()
    assert network == "clean-grey"
    # Without the pages of files; one more copy of the whole would be 0.4 GiB. A hundred megapixels
    # are measured by `engine --only speed`.
    assert int(peak) < 0.75 * 2**20
