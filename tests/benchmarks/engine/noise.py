"""White noise taken away, in PSNR, beside the classical ways; and how well it is measured.

The field's protocol: noise of a fixed seed is added to [0, 255] pictures, neither clipped nor
rounded; the method is told the deviation; the answer is clipped and not rounded. PSNR over all
pixels and bands, mean over the pictures. Bounds: BM3D's and CBM3D's published figures (K. Dabov
2007, as in DPIR's tables). Of Set12 the eighth picture is not among ours: its bound is the mean of
BM3D's published figures (K. Zhang 2017, "Beyond a Gaussian denoiser", table III) over the pictures
that are; over all twelve they come to 32.37, 29.97 and 26.72.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyvips
from numpy.typing import NDArray
from scipy import ndimage
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from restoration.engine import measure, networks
from tests.benchmarks.engine.table import Row, absent

NAME = "noise"
SIGMAS = (15, 25, 50)
BM3D_OF_SET12 = {  # sigma 15, 25, 50
    "01": (31.91, 29.45, 26.13), "02": (34.93, 32.85, 29.69), "03": (32.69, 30.16, 26.68),
    "04": (31.14, 28.56, 25.04), "05": (31.85, 29.25, 25.82), "06": (31.07, 28.42, 25.10),
    "07": (31.37, 28.93, 25.90), "08": (34.26, 32.07, 29.05), "09": (33.10, 30.71, 27.22),
    "10": (32.13, 29.90, 26.78), "11": (31.92, 29.61, 26.81), "12": (32.10, 29.71, 26.46),
}  # fmt: skip
MUST = {
    "set12_gray": None,
    "bsd68_gray": (31.08, 28.57, 25.60),
    "kodak": (34.28, 32.15, 28.46),
}
SIZES = {"set12_gray": 12, "bsd68_gray": 68, "kodak": 24}  # what the published figures are over
QUICK = {"set12_gray": 1, "bsd68_gray": 8, "kodak": 6}  # of so many, one
TV_WEIGHT = 1.0  # times the deviation

Floats = NDArray[np.float32]
Method = Callable[[Floats, float], Floats]  # HxWxC and the deviation, both on [0, 1]


def rows(photos: Path, *, quick: bool) -> Iterator[Row]:
    for folder, must in MUST.items():
        files = sorted((photos / "reference" / folder).glob("*.png"))
        if not files:
            yield absent(NAME, folder, "the pictures are not there")
            continue
        network = "clean-colour" if folder == "kodak" else "clean-grey"
        chosen = files[:: QUICK[folder]] if quick else files
        bound = must or bm3d_of_set12(chosen)
        known = must is None or len(chosen) == len(files)
        yield from _set(folder, network, chosen, bound if known else None)
    yield from _measured(photos, quick=quick)


def bm3d_of_set12(files: list[Path]) -> tuple[float, ...]:
    """BM3D's published figures, mean over these pictures of Set12."""
    published = [BM3D_OF_SET12[file.stem] for file in files]
    return tuple(round(float(mean), 2) for mean in np.mean(published, axis=0))


def _set(
    folder: str, network: str, files: list[Path], must: tuple[float, ...] | None
) -> Iterator[Row]:
    pictures = [picture(file, colour=folder == "kodak") for file in files]
    count = f"{len(files)} of {SIZES[folder]} pictures"
    for number, sigma in enumerate(SIGMAS):
        what = f"{folder} sigma {sigma}"
        if networks.has(network):
            found = _psnr(pictures, sigma, ours(network))
            bound = None if must is None else must[number]
            yield Row(NAME, f"{what}, {network}", found, "dB", bound, "high", count)
        else:
            yield absent(NAME, f"{what}, {network}", "the network is not shipped")
        for name, method in others().items():
            yield Row(NAME, f"{what}, {name}", _psnr(pictures, sigma, method), "dB", note=count)


def picture(file: Path, *, colour: bool) -> Floats:
    """HxWx3 or HxWx1 on [0, 1]."""
    found = pyvips.Image.new_from_file(str(file)).colourspace("srgb" if colour else "b-w")
    pixels = found.numpy()
    return np.atleast_3d(pixels).astype(np.float32) / 255


def ours(network: str) -> Method:
    def clean(noisy: Floats, sigma: float) -> Floats:
        return networks.answer(network, noisy, (sigma, 0, 0, 0))

    return clean


def others() -> dict[str, Method]:
    """The classical ways that are installed; bm3d's licence forbids to depend on it."""
    found: dict[str, Method] = {"NL-means": _nl_means, "TV": _tv}
    try:
        import bm3d
    except ImportError:
        return found
    found["BM3D"] = lambda noisy, sigma: np.atleast_3d(
        bm3d.bm3d_rgb(noisy, sigma) if noisy.shape[2] == 3 else bm3d.bm3d(noisy[..., 0], sigma)
    )
    return found


def _nl_means(noisy: Floats, sigma: float) -> Floats:
    found = denoise_nl_means(
        noisy, patch_size=5, patch_distance=6, h=0.8 * sigma, sigma=sigma, fast_mode=True,
        channel_axis=-1,
    )  # fmt: skip
    # It drops a single band, and a plane less a plane of one band would be a cube.
    return np.asarray(found).reshape(noisy.shape)


def _tv(noisy: Floats, sigma: float) -> Floats:
    return denoise_tv_chambolle(noisy, weight=TV_WEIGHT * sigma, channel_axis=-1)


def _psnr(pictures: list[Floats], sigma: float, method: Method) -> float:
    found = []
    for number, clean in enumerate(pictures):
        rng = np.random.default_rng([sigma, number])
        noisy = clean + rng.standard_normal(clean.shape, np.float32) * np.float32(sigma / 255)
        answer = np.clip(method(noisy, sigma / 255), 0, 1)
        found.append(-10 * np.log10(np.mean(np.square(answer - clean, dtype=np.float64))))
    return float(np.mean(found))


def _measured(photos: Path, *, quick: bool) -> Iterator[Row]:
    """How far the measured deviation is from the true one, in percent, on Set12."""
    files = sorted((photos / "reference" / "set12_gray").glob("*.png"))
    if not files:
        return
    pictures = [picture(file, colour=False) for file in files]
    for sigma, body in ((0, 0.0), *((sigma, 0.0) for sigma in SIGMAS), (10, 0.5), (10, 0.8)):
        found = np.array([_estimate(each, sigma, body) for each in pictures])
        what = f"noise measured, Set12, true {sigma}" + (f", grain of {body} px" if body else "")
        if sigma:
            error = 100 * float(np.abs(found / sigma - 1).mean())
            yield Row(NAME, what, error, "%", 10, "low", f"reads {found.mean():.2f} in the mean")
        else:
            yield Row(NAME, what, float(found.mean()), "of 255", note=f"at most {found.max():.2f}")


def _estimate(clean: Floats, sigma: float, body: float) -> float:
    grain = np.random.default_rng(7).standard_normal(clean.shape[:2], np.float32)
    if body:
        grain = ndimage.gaussian_filter(grain, body, mode="wrap")
        grain /= grain.std()
    noisy = clean + (grain * np.float32(sigma / 255))[..., None]
    return measure.noise([(noisy, np.ones(noisy.shape[:2], bool))]).sigma
