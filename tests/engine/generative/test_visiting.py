"""Models whose parts rest in RAM and visit the card: what that takes, and how it always ends."""

from types import SimpleNamespace

import numpy as np
import pytest

from restoration.engine.errors import Cancelled, DeviceLost, OutOfMemory
from restoration.engine.generative import memory
from restoration.engine.generative.memory import FORGIVEN, GIB, LADDER, RESERVE, Rung, climb
from restoration.engine.generative.registry import ModelInfo, family_of, named
from restoration.engine.generative.workshop import Loaded, Tool, Workshop
from tests.engine.generative.stubs import no_memory

pytestmark = pytest.mark.generative

LOST = "CUDA error: an illegal memory access was encountered"
SHORT = "CUDA out of memory"
FACTS = {"step": "redraw", "width": 1024, "height": 1024}
PIXELS = 1 << 20

# In GiB, as their makers' configurations count them in half precision.
SIZES = {
    "klein": {"text_encoder": 7.49, "transformer": 7.22, "vae": 0.16},
    "z-image-turbo": {"text_encoder": 7.49, "transformer": 11.46, "vae": 0.16},
    "sdxl": {"text_encoder": 0.23, "text_encoder_2": 1.29, "unet": 4.78, "vae": 0.16},
    "qwen-edit": {"text_encoder": 15.45, "transformer": 38.05, "vae": 0.24},
}
SIZES["sdxl-tile"] = {**SIZES["sdxl"], "controlnet": 2.33}


class Pipeline:
    """As much of a pipeline as its memory is reckoned from; left: how often it was emptied."""

    model_cpu_offload_seq = "text_encoder->text_encoder_2->unet->transformer->vae"

    def __init__(self, sizes):
        import torch

        with torch.device("meta"):
            self.components = {
                name: torch.nn.Linear(int(size * GIB / 2) >> 10, 1 << 10, bias=False).half()
                for name, size in sizes.items()
            }
        self.vae, self.left, self.fails = self.components["vae"], 0, ""
        self.vae.dtype = torch.float16
        self.components["scheduler"] = object()

    def enable_model_cpu_offload(self, device):
        """Nothing visits anything here."""

    def maybe_free_model_hooks(self):
        self.left += 1
        if self.fails:
            raise RuntimeError(self.fails)


@pytest.fixture
def card(tmp_path, monkeypatch):
    """Make a workshop with a card of so many GiB, in which a model is, in parts or whole."""
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def make(size, name, *, offloaded):
        own = Workshop(tmp_path, device="cuda", budget_gb=size)
        return own, laid(own, name, offloaded=offloaded)

    return make


def laid(own, name, *, offloaded):
    """Put a model into a workshop as if it had been loaded; return its tool."""
    pipeline, model = Pipeline(SIZES[name]), named(name)
    info = ModelInfo(model, own.models_dir / name)
    own._loaded[name] = Loaded(info, pipeline.components, {}, None, offloaded)
    return Tool(pipeline, model, family_of(model), None, "cuda", "bfloat16")


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("klein", 11.3),
        ("z-image-turbo", 15.2),
        ("sdxl", 9.3),
        ("sdxl-tile", 11.3),
        ("qwen-edit", 46),
    ],
)
def test_on_the_smallest_card_it_is_for_a_model_draws_at_its_full_size(card, name, size):
    own, tool = card(size, name, offloaded=True)
    assert named(name).min_memory_gb * 0.9 < size < named(name).min_memory_gb
    assert own.fits(tool, PIXELS, Rung())


def test_what_visits_has_to_find_room_beside_what_stays(card):
    own, tool = card(15.2, "z-image-turbo", offloaded=True)
    laid(own, "sdxl-tile", offloaded=False)
    assert not own.fits(tool, PIXELS, Rung())
    assert own.needed(tool, PIXELS, Rung()) > own.resident() + 11.46 * GIB
    attempted = []
    climb(own, tool, PIXELS, FACTS, attempted.append)
    assert attempted == [
        Rung(tiled=True, alone=True)
    ]  # the other one left; nothing was made smaller
    assert own.loaded() == ["z-image-turbo"]


def test_a_control_network_stays_on_the_card_beside_its_unet():
    with_tile, without = (
        memory.visiting(Pipeline(SIZES[name]), 0) / GIB for name in ("sdxl-tile", "sdxl")
    )
    assert without == pytest.approx(4.78 + 0.16, rel=0.01)
    assert with_tile - without == pytest.approx(2.33, rel=0.01)


@pytest.mark.parametrize(("size", "name"), [(11.3, "sdxl"), (20.5, "z-image-turbo")])
def test_what_its_work_would_send_away_again_stays_in_ram(card, size, name):
    own, _ = card(size, name, offloaded=True)
    loaded = own._loaded[name]
    loaded.since -= FORGIVEN + 1
    assert sum(SIZES[name].values()) + RESERVE / GIB < size
    assert not own._may_return(loaded)
    own.budget_gb = size + 5
    assert own._may_return(loaded)


@pytest.mark.parametrize("end", [None, RuntimeError(SHORT), Cancelled()])
def test_however_a_job_ends_no_part_of_it_stays_on_the_card(card, end):
    own, tool = card(40, "klein", offloaded=True)

    def attempt(rung):
        if end:
            raise end

    if end is None:
        climb(own, tool, PIXELS, FACTS, attempt)
        assert tool.pipeline.left == 1
    else:
        with pytest.raises(Cancelled if isinstance(end, Cancelled) else OutOfMemory):
            climb(own, tool, PIXELS, FACTS, attempt)
        assert tool.pipeline.left == (1 if isinstance(end, Cancelled) else len(LADDER))


@pytest.mark.parametrize(
    ("end", "fails", "told"),
    [
        (RuntimeError(LOST), SHORT, DeviceLost),
        (DeviceLost("device-lost"), SHORT, DeviceLost),
        (DeviceLost("device-lost"), LOST, DeviceLost),
        (Cancelled(), LOST, DeviceLost),
        (Cancelled(), SHORT, Cancelled),
        (RuntimeError(SHORT), LOST, DeviceLost),
        (RuntimeError("shapes"), SHORT, RuntimeError),
    ],
)
def test_clearing_up_hides_no_lost_card_and_no_reason(card, end, fails, told):
    own, tool = card(40, "klein", offloaded=True)
    tool.pipeline.fails = fails

    def attempt(rung):
        raise end

    with pytest.raises(told):
        climb(own, tool, PIXELS, FACTS, attempt)


def test_an_autoencoder_goes_back_to_what_it_was_before_it_leaves(card, monkeypatch):
    own, tool = card(40, "klein", offloaded=True)
    order = []
    vae = tool.pipeline.vae
    vae.use_tiling, vae.enable_tiling = False, lambda: setattr(vae, "use_tiling", True)
    vae.enable_slicing = lambda: None
    monkeypatch.setattr(
        tool.pipeline, "maybe_free_model_hooks", lambda: order.append(vae.use_tiling)
    )
    with own.giving_up(tool, Rung(tiled=True)):
        order.append(vae.use_tiling)
    assert order == [True, False]


def test_what_the_ram_cannot_hold_is_not_sent_off_the_card(card, monkeypatch):
    monkeypatch.setattr(memory, "ram", lambda: 10.0 * GIB)
    own, tool = card(40, "klein", offloaded=False)
    tried = []

    def attempt(rung):
        tried.append(rung)
        raise RuntimeError(SHORT)

    with pytest.raises(OutOfMemory):
        climb(own, tool, PIXELS, FACTS, attempt)
    assert tried
    assert not any(rung.offloaded for rung in tried)
    monkeypatch.setattr(memory, "ram", lambda: 20.0 * GIB)
    with pytest.raises(OutOfMemory):
        climb(own, laid(own, "klein", offloaded=False), PIXELS, FACTS, attempt)
    assert any(rung.offloaded for rung in tried)


def test_nothing_is_loaded_in_parts_that_the_ram_cannot_hold(tmp_path, monkeypatch):
    own, model = Workshop(tmp_path, device="cuda", budget_gb=12), named("klein")
    weights = SimpleNamespace(at=lambda element: int(element * 7.4 * GIB))
    monkeypatch.setattr(memory, "ram", lambda: 16.0 * GIB)
    assert own._make_room(model, weights, "redraw")
    monkeypatch.setattr(memory, "ram", lambda: 8.0 * GIB)
    with pytest.raises(OutOfMemory):
        own._make_room(model, weights, "redraw")
    assert own._ways(offloaded=False, rests=False) == [(False, False)]


def test_after_a_shortage_the_librarys_own_visits_go_on(models, piece, monkeypatch):
    """With real parts and real hooks, though the card that they visit is the processor."""
    from restoration.engine.generative.generation import generated, request
    from restoration.engine.generative.prompts import Wording

    own, image = Workshop(models, device="cpu"), np.ascontiguousarray(piece[:64, :64])
    no_memory(monkeypatch, times=1)
    with own.lend("redraw", "sd15-tile") as tool:
        tool.pipeline.enable_model_cpu_offload(device="cpu")
        wanted = request(tool, Wording("a cat", ""), 0.5, 4, 1)

        def attempt(rung):
            return generated(tool, image, None, wanted, lambda *told: None)

        drawn, rung = climb(own, tool, image.shape[0] * image.shape[1], FACTS, attempt)
        assert drawn.shape == image.shape
        assert rung == Rung(tiled=True)
        assert len(tool.pipeline._all_hooks) == 4
