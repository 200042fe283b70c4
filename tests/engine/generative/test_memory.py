"""Memory: what fits is known before it starts, and running out costs a rung, never the worker."""

import threading
import weakref
from types import SimpleNamespace

import numpy as np
import pytest

from restoration.engine.errors import DeviceLost, OutOfMemory
from restoration.engine.generative import memory
from restoration.engine.generative.memory import GIB, LADDER, RESERVE, Rung, climb, rungs
from restoration.engine.generative.workshop import Workshop

pytestmark = pytest.mark.generative

PIXELS = 512 * 512
FACTS = {"step": "redraw", "width": 512, "height": 512}


@pytest.fixture(scope="module")
def shop(models):
    """One workshop for the whole file, because loading a model is what takes the time."""
    return Workshop(models, device="cpu")


@pytest.fixture
def own(shop):
    """That workshop as if it were new, with more memory than any test asks for."""
    shop.budget_gb = 100
    shop.worked.clear()
    if shop.loaded() not in ([], ["sd15"]):
        shop.release(keep="sd15")
    return shop


@pytest.fixture
def tool(own):
    with own.lend("redraw", "sd15") as tool:
        yield tool


def running_out(times, error=None):
    """An attempt that runs out of memory so often, and the rungs it was made on."""
    import torch

    tried = []

    def attempt(rung):
        tried.append(rung)
        if len(tried) <= times:
            raise error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return "drawn"

    return attempt, tried


def test_a_card_gives_up_pixels_last_and_without_one_nothing_is_offloaded():
    assert rungs("cuda:0") == LADDER
    assert [rung.share for rung in LADDER] == [1, 1, 1, 1, 0.75, 0.5]
    assert not any(rung.offloaded for rung in rungs("cpu"))
    assert len(rungs("cpu")) == 5


@pytest.mark.slow
@pytest.mark.parametrize("times", [0, 1, 4])
def test_each_time_memory_runs_out_one_more_thing_is_given_up(own, tool, times):
    attempt, tried = running_out(times)
    assert climb(own, tool, PIXELS, FACTS, attempt) == ("drawn", rungs("cpu")[times])
    assert tried == list(rungs("cpu")[: times + 1])


def test_what_worked_is_remembered_for_this_size_alone(own, tool):
    climb(own, tool, PIXELS, FACTS, running_out(1)[0])
    attempt, tried = running_out(0)
    climb(own, tool, PIXELS, FACTS, attempt)
    climb(own, tool, 16 * PIXELS, FACTS, attempt)
    assert tried == [Rung(tiled=True), Rung()]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes"),
    ],
)
def test_a_processor_says_it_in_other_words(own, tool, error):
    assert climb(own, tool, PIXELS, FACTS, running_out(1, error)[0])[1] == Rung(tiled=True)


def test_at_the_end_the_job_fails_with_what_it_needs(own, tool):
    with pytest.raises(OutOfMemory) as failure:
        climb(own, tool, PIXELS, FACTS, running_out(99)[0])
    facts = failure.value.facts
    assert (facts["width"], facts["tried_share"]) == (512, 0.5)
    assert facts["advised_pixels"] == PIXELS // 4
    assert facts["needs_gb"] > 1
    assert not failure.value.permanent


def test_another_error_is_nobodys_excuse(own, tool):
    attempt, tried = running_out(1, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        climb(own, tool, PIXELS, FACTS, attempt)
    assert len(tried) == 1


def test_a_card_that_failed_is_told_apart(own, tool):
    error = RuntimeError("CUDA error: an illegal memory access was encountered")
    with pytest.raises(DeviceLost) as lost:
        climb(own, tool, PIXELS, FACTS, running_out(1, error)[0])
    assert not lost.value.permanent
    assert "illegal memory access" in lost.value.facts["detail"]


def test_nothing_of_a_failed_attempt_is_held_when_the_next_begins(own, tool):
    import torch

    held = []

    def attempt(rung):
        if held:
            assert held[0]() is None
            return "drawn"
        large = torch.zeros(1000)
        held.append(weakref.ref(large))
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert climb(own, tool, PIXELS, FACTS, attempt)[0] == "drawn"


def test_what_does_not_fit_is_not_even_begun(own, tool):
    own.budget_gb = own.needed(tool, PIXELS, Rung(tiled=True)) / GIB
    assert not own.fits(tool, PIXELS, Rung())
    attempt, tried = running_out(0)
    climb(own, tool, PIXELS, FACTS, attempt)
    assert tried == [Rung(tiled=True)]


def test_the_last_rung_is_tried_though_it_should_not_fit(own, tool):
    own.budget_gb = 1e-6
    attempt, tried = running_out(0)
    climb(own, tool, PIXELS, FACTS, attempt)
    assert tried == [rungs("cpu")[-1]]


def test_other_models_leave_when_only_that_makes_room(own, tool):
    with own.lend("redraw", "sdxl"):
        pass
    assert own.loaded() == ["sd15", "sdxl"]
    own.budget_gb = own.needed(tool, PIXELS, Rung(tiled=True, alone=True)) / GIB
    attempt, tried = running_out(0)
    climb(own, tool, PIXELS, FACTS, attempt)
    assert tried == [Rung(tiled=True, alone=True)]
    assert own.loaded() == ["sd15"]


def test_a_model_larger_than_the_budget_is_refused_before_it_is_loaded(models):
    small = Workshop(models, device="cpu", budget_gb=RESERVE / GIB)
    with pytest.raises(OutOfMemory) as refusal, small.lend("redraw", "sd15"):
        pass
    assert refusal.value.facts["needs_gb"] >= refusal.value.facts["has_gb"]
    assert small.loaded() == []


def test_models_of_one_base_share_its_networks(own, tool):
    alone = own.resident()
    with own.lend("redraw", "sd15-tile") as tiled:
        assert tiled.pipeline.unet is tool.pipeline.unet
        assert tiled.pipeline.vae is tool.pipeline.vae
        control = memory.footprint([tiled.pipeline.controlnet])
    assert own.resident() == alone + control


def test_the_autoencoder_is_as_it_was_whatever_happened(tool):
    import torch

    vae = tool.pipeline.vae
    before = vae.use_tiling, vae.use_slicing, vae.dtype

    def work():
        with memory.as_it_was(vae, tiled=True, sliced=True):
            assert vae.use_tiling
            assert vae.use_slicing
            vae.to(torch.float16)  # as SDXL's pipeline leaves it when it fails in between
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert (vae.use_tiling, vae.use_slicing, vae.dtype) == before


def test_who_draws_whole_waits_for_who_draws_in_tiles(own, tool):
    vae, seen = tool.pipeline.vae, []

    def whole():
        with own.giving_up(tool, Rung()):
            seen.append(vae.use_tiling)

    with own.giving_up(tool, Rung(tiled=True)):
        later = threading.Thread(target=whole)
        later.start()
        later.join(0.2)
        assert seen == []
        assert vae.use_tiling
    later.join(10)
    assert seen == [False]
    assert not vae.use_tiling
    assert not vae.use_slicing


def test_what_an_autoencoder_was_left_with_is_no_matter_to_who_draws_whole(tool):
    vae = tool.pipeline.vae
    vae.enable_tiling()
    with memory.as_it_was(vae, tiled=False, sliced=True):
        assert not vae.use_tiling
    vae.disable_tiling()


def test_a_tiled_decode_needs_less_but_never_nothing(tool):
    vae = SimpleNamespace(tile_sample_min_height=256, tile_sample_min_width=256)
    whole, tiled = (memory.work(tool.family, vae, 2048**2, 2, tiled=each) for each in (False, True))
    assert whole == 2048**2 * 2 * 2200
    assert tiled == int(0.26 * whole)
    assert memory.work(tool.family, vae, 200**2, 2, tiled=True) == 200**2 * 2 * 2200


def test_a_container_has_no_more_memory_than_it_is_given(tmp_path, monkeypatch):
    whole = memory.ram()
    monkeypatch.setattr(memory, "CONTAINER", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.ram() >= whole
    (tmp_path / "memory.max").write_text("1000000000\n")
    assert memory.ram() == pytest.approx(0.8e9)


def test_a_decode_that_runs_out_is_done_in_tiles_and_said_so(context, models, monkeypatch):
    import torch
    from diffusers.models.autoencoders.vae import Decoder

    from restoration.engine.generative.redraw import run

    honest, refused = Decoder.forward, []

    def forward(self, sample, *rest, **named):
        if sample.shape[2] * sample.shape[3] > 32 * 32:  # the size of its own tiles
            refused.append(sample.shape)
            raise torch.OutOfMemoryError("CUDA out of memory")
        return honest(self, sample, *rest, **named)

    own = Workshop(models, device="cpu", most_pixels=16_000)
    image = np.ascontiguousarray(context().image[:88, :88])
    settings = {"strength": 0.4, "faces": 1.0, "passes": 4, "model": "sd15"}
    whole = run(context(image=image, workshop=own), settings)
    monkeypatch.setattr(Decoder, "forward", forward)
    own.worked.clear()
    tiled, again = (run(context(image=image, workshop=own), settings) for _ in range(2))
    assert whole.record["gave_up"] == Rung().told()
    assert tiled.record["gave_up"] == again.record["gave_up"] == Rung(tiled=True).told()
    assert len(refused) == 1  # the second job began where the first one got through
    assert np.array_equal(tiled.image, again.image)
    assert np.abs(tiled.image - whole.image).mean() < 2 / 255
    with own.lend("redraw", "sd15") as tool:
        assert not tool.pipeline.vae.use_tiling
