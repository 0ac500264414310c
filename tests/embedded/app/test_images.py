"""Images through the app: exact positions, mixed batches, training, sampling, and what is refused."""

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from tinsmith_local.app.answers import Refusal
from tinsmith_local.app.model_inputs import decode_input
from tinsmith_local.models.tiny import open_tiny

from tests.embedded.app.caller import Caller

Change = Callable[[dict[str, Any]], object]


def picture(width: int = 16, height: int = 8, kind: str = "PNG", seed: int = 0) -> bytes:
    """Draw an image of noise."""
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind)
    return out.getvalue()


def chunk(data: bytes, kind: str = "png", expected: int | None = None) -> dict[str, Any]:
    """Return an image chunk as an old client writes it."""
    found: dict[str, Any] = {"data": base64.b64encode(data).decode(), "format": kind}
    return found if expected is None else {**found, "expected_tokens": expected}


def seen(*chunks: dict[str, Any], length: int) -> dict[str, Any]:
    """Return a datum over chunks, with a loss on its last position."""
    return {
        "model_input": {"chunks": list(chunks)},
        "loss_fn_inputs": {
            "target_tokens": {"data": [65] * length, "dtype": "int64"},
            "weights": {"data": [0.0] * (length - 1) + [1.0], "dtype": "float32"},
        },
    }


def text(tokens: bytes) -> dict[str, Any]:
    """Return a text chunk."""
    return {"tokens": list(tokens)}


def test_an_image_takes_exactly_its_positions(caller: Caller) -> None:
    """16 x 8 pixels are two positions, and the results have one entry for each position."""
    model = caller.model()
    datum = seen(text(b"look: "), chunk(picture(), expected=2), text(b"?"), length=9)
    out = caller.forward_backward(model, 1, datum)
    assert len(out["loss_fn_outputs"][0]["logprobs"]["data"]) == 9


def test_what_is_seen_matters_and_can_be_learnt(caller: Caller) -> None:
    """Another image gives another loss, and steps lower it; text and images mix in one batch."""
    model = caller.model()
    one = seen(chunk(picture(seed=1)), text(b"is"), length=4)
    other = seen(chunk(picture(seed=2)), text(b"is"), length=4)
    plain = seen(text(b"text"), length=4)
    losses = []
    for step in range(4):
        out = caller.forward_backward(model, 2 * step + 1, one, plain, other)
        records = out["loss_fn_outputs"]
        losses.append([record["elementwise_loss"]["data"][-1] for record in records])
        caller.optim_step(model, 2 * step + 2, learning_rate=0.01)
    assert len(set(losses[0])) == 3
    assert sum(losses[-1]) < sum(losses[0])


def test_jpeg_and_png_are_read(caller: Caller) -> None:
    """Both formats, sizes that are no multiple of a patch, and grey ones."""
    from PIL import Image

    grey = io.BytesIO()
    Image.new("L", (9, 9)).save(grey, "PNG")
    model = caller.model()
    batch = [
        seen(chunk(picture(20, 9, "JPEG"), "jpeg", 6), length=6),
        seen(chunk(grey.getvalue(), expected=4), length=4),
    ]
    out = caller.forward_backward(model, 1, *batch)
    assert [len(record["logprobs"]["data"]) for record in out["loss_fn_outputs"]] == [6, 4]


def test_sampling_looks_at_the_prompt_image(caller: Caller) -> None:
    """Prompts that differ in an image alone give other logprobs; the image counts as prompt positions."""
    outs = []
    for seed in (1, 2, 1):
        prompt = {"chunks": [chunk(picture(seed=seed), expected=2), text(b"so")]}
        body = {"base_model": "tinsmith/tiny", "prompt": prompt, "prompt_logprobs": True}
        outs.append(caller.done("asample", **body, sampling_params={"max_tokens": 3, "seed": 1}))
    assert [out.pop("prompt_cache_hit_tokens", 0) for out in outs] == [0, 0, 4]
    assert outs[0] == outs[2]
    assert outs[0]["sequences"][0]["logprobs"] != outs[1]["sequences"][0]["logprobs"]
    assert len(outs[0]["prompt_logprobs"]) == 4


def test_a_pointer_leads_into_the_assets_directory(caller: Caller) -> None:
    """The same image by pointer and by value is the same prompt."""
    (caller.service.files.assets / "shelf").mkdir()
    (caller.service.files.assets / "shelf" / "a.png").write_bytes(picture())
    pointer = {"location": "shelf/a.png", "format": "png", "expected_tokens": 2}
    results = []
    for one in (pointer, chunk(picture())):
        body = {"base_model": "tinsmith/tiny", "prompt": {"chunks": [one]}}
        results.append(caller.done("asample", **body, sampling_params={"max_tokens": 3, "seed": 1}))
    assert results[1].pop("prompt_cache_hit_tokens") == 2
    assert results[0] == results[1]


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a wrong count", chunk(picture(), expected=3), "expected_tokens"),
    ("no image", chunk(b"nothing"), "data"),
    ("another format than said", chunk(picture(kind="JPEG"), "png"), "data"),
    ("cut short", chunk(picture(64, 64)[:200]), "data"),
    ("no base64", {"data": "@@@", "format": "png"}, "data"),
    ("too large", chunk(picture(4096, 8 * 10)), ""),
    ("out of the assets", {"location": "../tinsmith.sqlite3", "format": "png"}, "location"),
    ("an absolute path", {"location": "/etc/hostname", "format": "png"}, "location"),
    ("nothing there", {"location": "none.png", "format": "png"}, "location"),
    ("a name that is none", {"location": "a\x00b", "format": "png"}, "location"),
]


@pytest.mark.parametrize(("bad", "field"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_bad_images_are_refused_by_datum_and_chunk(caller: Caller, bad: dict[str, Any], field: str) -> None:
    """400, naming where it stands; the next request works."""
    model = caller.model()
    data = [seen(text(b"fine"), length=4), seen(text(b"a"), bad, length=3)]
    body = {"data": data, "loss_fn": "cross_entropy"}
    answer = caller.post("forward_backward", model_id=model, seq_id=1, forward_backward_input=body)
    assert answer.status_code == 400, answer.text
    place = "forward_backward_input.data[1].model_input.chunks[1]"
    assert answer.json()["field"] == (f"{place}.{field}" if field else place)
    caller.forward_backward(model, 1)


def test_a_link_out_of_the_assets_is_refused(caller: Caller) -> None:
    """Pointers follow no link out of the directory."""
    outside = caller.service.files.root / "outside.png"
    outside.write_bytes(picture())
    (caller.service.files.assets / "link.png").symlink_to(outside)
    body = {"base_model": "tinsmith/tiny", "sampling_params": {"max_tokens": 1}}
    prompt = {"chunks": [{"location": "link.png", "format": "png"}]}
    assert caller.post("asample", prompt=prompt, **body).status_code == 400


def test_a_model_that_reads_text_names_datum_and_chunk() -> None:
    """Images are refused where they stand."""
    config = attrs.evolve(open_tiny().config, patch_dim=0)
    given = {"chunks": [{"tokens": [1], "type": "encoded_text"}, {**chunk(picture()), "type": "image"}]}
    with pytest.raises(Refusal, match="reads text only") as refused:
        decode_input(given, config, Path(), ("data", 3, "model_input"))
    assert refused.value.field == ("data", 3, "model_input", "chunks", 1)
