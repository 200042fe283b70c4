"""Loading a model: told and cancelled, short of memory, on a card that fails; previews besides."""

import json
from types import SimpleNamespace

import pytest

from restoration.engine.errors import Cancelled, DeviceLost, OutOfMemory, StepFailed, Unfit
from restoration.engine.generative import memory
from restoration.engine.generative.memory import FORGIVEN, GIB
from restoration.engine.generative.weights import lock
from restoration.engine.generative.workshop import Loaded, Workshop

pytestmark = pytest.mark.generative

MODEL = "sd15-inpaint"
BYTES = 3 << 20
LOST = "CUDA error: an illegal memory access was encountered"


def laid_down(folder):
    """A folder that is one model as far as names, sizes and bytes say."""
    unet = folder / MODEL / "unet"
    unet.mkdir(parents=True)
    index = {"_class_name": "StableDiffusionInpaintPipeline", "unet": ["diffusers", "UNet"]}
    (folder / MODEL / "model_index.json").write_text(json.dumps(index))
    (unet / "config.json").write_text("{}")
    (unet / "diffusion_pytorch_model.safetensors").write_bytes(bytes(BYTES))
    lock(folder / MODEL)


class Pipe:
    """As much of a pipeline as loading touches; `to` goes through what `moves` gives."""

    def __init__(self, moves):
        import torch

        self.moves, self.config = moves, {}
        self.components = {"unet": torch.nn.Linear(2, 2), "scheduler": object()}
        self.components["unet"].to = lambda _device: next(self.moves)()


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A workshop that believes in a card, whose pipelines are made of nothing."""
    import torch

    laid_down(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(Pipe, "to", lambda self, _device: self, raising=False)
    monkeypatch.setattr(Workshop, "_tool", lambda self, model, loaded, step: loaded)
    return Workshop(tmp_path, device="cuda", budget_gb=50)


def failing(words, times):
    """Moves to the card, the first of which fail with these words."""
    left = [times]

    def move():
        left[0] -= 1
        if left[0] >= 0:
            raise RuntimeError(words)

    while True:
        yield move


def loads(monkeypatch, moves):
    """How each pipeline was asked for: whether its parts stay off the card."""
    asked = []

    def pipeline(self, info, step, variant, offloaded):
        asked.append(offloaded)
        return Pipe(moves)

    monkeypatch.setattr(Workshop, "_pipeline", pipeline)
    return asked


def held(own, name="sd15"):
    """A model that is in memory already and that no job holds."""
    own._loaded[name] = Loaded(SimpleNamespace(path="elsewhere"), {}, {}, None)


def test_whoever_waits_hears_of_the_weighing_and_may_end_it(own, monkeypatch):
    asked, heard = loads(monkeypatch, failing("", 0)), []

    def told():
        heard.append(1)
        if len(heard) == 2:
            raise Cancelled

    with pytest.raises(Cancelled), own.lend("repair", MODEL, told):
        pass
    assert (asked, own.loaded()) == ([], [])
    with own.lend("repair", MODEL, lambda: heard.append(1)):
        assert len(heard) > 2 + BYTES // (1 << 20)


def test_that_it_took_too_long_is_not_the_folders_fault(own):
    def told():
        raise StepFailed("took-too-long")

    with pytest.raises(StepFailed) as refusal, own.lend("repair", MODEL, told):
        pass
    assert not isinstance(refusal.value, Unfit)


def test_short_of_memory_the_others_leave_first_and_then_it_goes_in_by_parts(own, monkeypatch):
    asked = loads(monkeypatch, failing("CUDA out of memory", 2))
    held(own)
    with own.lend("repair", MODEL) as loaded:
        assert loaded.offloaded
    assert asked == [False, False, True]
    assert own.loaded() == [MODEL]


def test_what_goes_in_once_the_others_left_stays_whole(own, monkeypatch):
    asked = loads(monkeypatch, failing("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling", 1))
    held(own)
    with own.lend("repair", MODEL) as loaded:
        assert not loaded.offloaded
    assert asked == [False, False]


def test_what_fits_in_no_way_is_told_with_what_it_needs(own, monkeypatch):
    monkeypatch.setattr(Workshop, "_built", lambda *_: (_ for _ in ()).throw(MemoryError("no")))
    with pytest.raises(OutOfMemory) as failure, own.lend("repair", MODEL):
        pass
    assert failure.value.facts["needs_gb"] >= 1
    assert failure.value.facts["model"] == MODEL


def test_a_model_that_left_the_card_may_come_back_after_a_while(own, monkeypatch):
    asked = loads(monkeypatch, failing("CUDA out of memory", 1))
    with own.lend("repair", MODEL), own.lend("repair", MODEL):
        pass
    assert asked == [False, True]
    own._loaded[MODEL].since -= FORGIVEN + 1
    with own.lend("repair", MODEL) as loaded:
        assert not loaded.offloaded
    assert asked == [False, True, False]


def test_a_size_that_was_made_smaller_is_tried_whole_again_after_a_while(own):
    bucket = (MODEL, "Pipeline", 1)
    own.got_through(bucket, 4)
    assert own.begin_at(bucket) == 4
    index, found_at = own.worked[bucket]
    own.worked[bucket] = index, found_at - FORGIVEN / 2
    own.got_through(bucket, 4)  # from where it began: that it still works says nothing new
    own.worked[bucket] = index, own.worked[bucket][1] - FORGIVEN / 2
    assert own.begin_at(bucket) == 0


def test_what_a_model_gave_up_is_forgotten_when_it_leaves(own):
    held(own, MODEL)
    own.got_through((MODEL, "Pipeline", 1), 4)
    own.release()
    assert own.worked == {}


def failing_to_move(patch):
    loads(patch, failing(LOST, 9))


def failing_to_be_a_tool(patch):
    loads(patch, failing("", 0))
    patch.setattr(Workshop, "_tool", broken)


def failing_to_tidy(patch):
    import torch

    loads(patch, failing("CUDA out of memory", 1))
    patch.setattr(torch.cuda, "empty_cache", broken)


def failing_to_say_what_is_free(patch):
    import torch

    patch.setattr(torch.cuda, "mem_get_info", broken)


def without_a_card(patch):
    import torch

    patch.setattr(torch.cuda, "is_available", lambda: False)


def broken(*_):
    raise RuntimeError(LOST)


@pytest.mark.parametrize(
    "wrong",
    [
        failing_to_move,
        failing_to_be_a_tool,
        failing_to_tidy,
        failing_to_say_what_is_free,
        without_a_card,
    ],
)
def test_a_lost_card_is_seen_wherever_it_fails(own, monkeypatch, wrong):
    own.budget_gb = None if wrong is failing_to_say_what_is_free else 50
    wrong(monkeypatch)
    with pytest.raises(DeviceLost), own.lend("repair", MODEL):
        pass


def test_a_lost_card_is_seen_in_the_borrowers_own_work(own, monkeypatch):
    loads(monkeypatch, failing("", 0))
    with pytest.raises(DeviceLost), own.lend("repair", MODEL):
        raise RuntimeError(LOST)
    with pytest.raises(RuntimeError, match="shapes"), own.lend("repair", MODEL):
        raise RuntimeError("shapes do not match")


@pytest.mark.parametrize(
    "words",
    [
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
        "GET was unable to find an engine to execute this computation",
        "Unable to find a valid cuDNN algorithm to run convolution",
    ],
)
def test_a_library_without_room_is_a_shortage_and_no_lost_card(words):
    assert memory.is_out_of_memory(RuntimeError(words))
    memory.refuse_other(RuntimeError(words))


def test_once_on_a_card_always_on_a_card(tmp_path, monkeypatch):
    import torch

    own = Workshop(tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert own._device() == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert own._device() == "cuda"


def test_a_preview_that_cannot_be_made_costs_nobody_their_run(monkeypatch):
    from restoration.engine.generative import generation

    def no_colours(*_):
        raise RuntimeError("linalg.solve: the input matrix is singular")

    monkeypatch.setattr(generation, "latent_colours", no_colours)
    heard = []
    step_done = generation.reporter(None, None, lambda *told: heard.append(told))
    tensors = {"latents": object()}
    assert step_done(SimpleNamespace(num_timesteps=4), 0, None, tensors) is tensors
    assert heard == [(0.25, None)]


def test_a_card_lost_in_a_preview_is_lost(monkeypatch):
    from restoration.engine.generative import generation

    monkeypatch.setattr(generation, "latent_colours", broken)
    with pytest.raises(DeviceLost):
        generation.reporter(None, None, lambda *_: None)


def test_a_budget_is_still_what_the_operator_said(own):
    assert own.budget() == 50 * GIB
