"""Image positions: patches through a projection instead of tokens, with gradients to its adapter."""

import numpy as np
import pytest
from attrs import evolve
from tinsmith_local.engine.base_model import BaseModel
from tinsmith_local.engine.batch import Example, ExampleError, ImageSpan
from tinsmith_local.engine.jobs import SampleJob, StopRule
from tinsmith_local.engine.lora import Adapter, LoraSpec
from tinsmith_local.engine.scheduler import sample
from tinsmith_local.engine.train import forward_backward

from tests.embedded.engine.models import random_model
from tests.embedded.tolerances import logprob_atol

TEXT = random_model()
VOCAB = TEXT.config.vocab_size
#: Patches are one-hot rows here and the projection is the embedding, so an image can spell tokens.
SPELLING = BaseModel(
    config=evolve(TEXT.config, patch_dim=VOCAB),
    weights=evolve(TEXT.weights, patch=np.ascontiguousarray(TEXT.weights.embed.T)),
)
TOKENS = np.random.default_rng(0).integers(0, VOCAB, 30)


def spelled(start: int, stop: int) -> ImageSpan:
    """Tokens of a range as patches."""
    return ImageSpan(start=start, patches=np.eye(VOCAB, dtype=np.float32)[TOKENS[start:stop]])


def example(*images: ImageSpan) -> Example:
    """The tokens with some of them hidden behind images."""
    seen = TOKENS.copy()
    for span in images:
        seen[span.start : span.start + len(span.patches)] = 0
    weights = np.linspace(0.0, 1.0, 29, dtype=np.float32)
    return Example(tokens=seen[:-1], targets=TOKENS[1:], weights=weights, images=images)


def test_an_image_that_spells_tokens_is_read_like_them() -> None:
    """Mixed batches of text and images give the logprobs of the text, and samples their tokens."""
    text, image = example(), example(spelled(0, 5), spelled(9, 10), spelled(10, 17))
    wanted = forward_backward(TEXT, None, [text], "cross_entropy", backward=False).logprobs[0]
    mixed = forward_backward(SPELLING, None, [text, image, text], "cross_entropy", backward=False)
    for found in mixed.logprobs:
        np.testing.assert_allclose(found, wanted, atol=logprob_atol(TEXT.config, 30))
    job = SampleJob(prompt=TOKENS, max_tokens=20, seed=3, stop=StopRule(), prompt_logprobs=True)
    hidden = TOKENS.copy()
    hidden[4:20] = 0
    as_text = sample(TEXT, job)
    as_image = sample(SPELLING, evolve(job, prompt=hidden, images=(spelled(4, 20),)))
    assert as_image.samples[0].tokens.tolist() == as_text.samples[0].tokens.tolist()
    assert (
        sample(SPELLING, evolve(job, prompt=hidden)).samples[0].logprobs[0] != as_text.samples[0].logprobs[0]
    )


def test_gradients_reach_the_projection() -> None:
    """The projection's adapter gets the slope of the loss, found by finite differences in double."""
    model = random_model(patch_dim=10, dtype=np.float64)
    rng = np.random.default_rng(1)
    spans = tuple(
        ImageSpan(start=s, patches=rng.normal(size=(n, 10)).astype(np.float32)) for s, n in ((2, 4), (8, 1))
    )
    examples = [example(), evolve(example(), images=spans), evolve(example(), images=spans[1:])]
    adapter = Adapter.create(model.config, LoraSpec(rank=2), dtype=np.float64)
    adapter.flat[...] = rng.normal(0.0, 0.2, adapter.flat.size)
    forward_backward(model, adapter, examples, "cross_entropy")
    step = 1e-6
    for part in "AB":
        name = f"vision.patch_proj.lora_{part}.weight"
        grad, values = adapter.grads[name], adapter.params[name]
        direction = rng.normal(size=values.shape)
        start, found = values.copy(), []
        for sign in (1.0, -1.0):
            values[...] = start + sign * step * direction
            found.append(
                forward_backward(model, adapter, examples, "cross_entropy", backward=False).metrics[
                    "loss:sum"
                ]
            )
        values[...] = start
        assert float((grad * direction).sum()) == pytest.approx((found[0] - found[1]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize(
    "images",
    [
        (spelled(0, 5), spelled(4, 6)),
        (ImageSpan(start=0, patches=np.ones((2, 3), np.float32)),),
        (ImageSpan(start=28, patches=np.ones((2, VOCAB), np.float32)),),
        (ImageSpan(start=0, patches=np.full((2, VOCAB), np.nan, np.float32)),),
        (ImageSpan(start=-1, patches=np.ones((2, VOCAB), np.float32)),),
    ],
    ids=["overlap", "width", "end", "nan", "negative"],
)
def test_patches_that_do_not_fit(images: tuple[ImageSpan, ...]) -> None:
    """Each is an error that names the datum and its input."""
    wrong = evolve(example(), images=images)
    with pytest.raises(ExampleError, match="datum 0: model_input"):
        forward_backward(SPELLING, None, [wrong], "cross_entropy", backward=False)
