"""What importing the package costs: nothing heavy is loaded before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
import tinsmith
from tinsmith import types
from tinsmith.core.codec.decode import load_decoders
from tinsmith.core.optional_deps import Deferred

HEAVY = {
    "numpy",
    "httpx",
    "rich",
    "typer",
    "tokenizers",
    "starlette",
    "aiohttp",
    "jinja2",
    "tenacity",
    "orjson",
    "google.protobuf",
    "backports.zstd",
}

ALL = """
AdamParams APIConnectionError APIError APIFuture APIResponseValidationError APIStatusError APITimeoutError
AuthenticationError BadRequestError BillingError Checkpoint CheckpointType ChunkLimits ClientConfig
ClientPoisonedError ClosedError ConflictError Datum EncodedTextChunk FlowLimits ForwardBackwardOutput
ImageAssetPointerChunk ImageChunk InputError InternalServerError LoraConfig MissingExtraError
MissingModelError ModelID ModelInput ModelInputChunk ModelLostError NotFoundError OptimStepRequest
OptimStepResponse ParsedCheckpointTinkerPath PartialBatchError PermissionDeniedError PollPolicy
ProgressTimeoutError RateLimitError RequestErrorCategory RequestFailedError RequestOptions RestClient
ResultLostError
RetryConfig SampledSequence SampleRequest SampleResponse SamplingClient SamplingParams Secret ServiceClient
SessionLostError StopReason TensorData TensorDtype Timeout Timeouts TinkerError TrainingClient TrainingRun
UnprocessableEntityError UnsafeArchiveError ServerWarning BodyTooLargeError
AdamOptimizerConfig DimuonOptimizerConfig DimuonParams DmelChunk OptimParams PromptProvenanceSpan
SampledProvenanceSpan SamplePiece SampleStream Tokenizer
__title__ __version__ data estimate_image_tokens export load_tokenizer train types validate_model_input
"""


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter; return the modules that it left loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("code", ["import tinsmith", "import tinsmith.types", "import tinsmith.core.values"])
def test_an_import_loads_nothing_heavy(code: str) -> None:
    """Neither the package nor its namespaces reach a library."""
    modules = loaded_by(code)
    assert not HEAVY & modules
    assert "attrs" not in modules


def test_a_value_loads_only_what_it_needs() -> None:
    """Values need attrs; errors need nothing."""
    assert not HEAVY & loaded_by(
        "import tinsmith; tinsmith.types.Datum; tinsmith.AdamParams(); tinsmith.ClientConfig"
    )
    assert "attr" not in loaded_by("import tinsmith; tinsmith.RateLimitError")


def test_the_public_names_are_pinned() -> None:
    """Adding or dropping a public name is a decision, not an accident."""
    names: list[str] = vars(tinsmith)["__all__"]
    assert sorted(names) == sorted(ALL.split())
    assert sorted(names) == dir(tinsmith)


def test_every_public_name_can_be_reached() -> None:
    """The lazy names exist, and unknown ones are ordinary attribute errors."""
    for name in ALL.split():
        assert getattr(tinsmith, name) is not None
    with pytest.raises(AttributeError, match="Nonsense"):
        getattr(tinsmith, "Nonsense")  # noqa: B009


def test_types_holds_every_value() -> None:
    """The namespace of values is complete, and each name is the same class everywhere."""
    for name in dir(types):
        assert getattr(types, name) is not None
    assert types.Datum is tinsmith.Datum
    assert types.RequestErrorCategory is tinsmith.RequestErrorCategory
    for wrong in ("Nonsense", "__path__"):
        with pytest.raises(AttributeError, match=wrong):
            getattr(types, wrong)


def test_decoders_can_be_loaded_ahead() -> None:
    """In a fresh interpreter: what reads either encoding is there before the first answer."""
    program = (
        "import sys; from tinsmith.core.codec.decode import load_decoders;"
        " load_decoders(protobuf=False); early = 'google.protobuf' in sys.modules;"
        " load_decoders(protobuf=True); print(early, 'google.protobuf' in sys.modules, 'html' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == [
        "False",
        "True",
        "True",
    ]
    load_decoders(protobuf=False)
    load_decoders(protobuf=True)


def test_what_annotations_name_is_loaded_when_it_is_asked_for() -> None:
    """A library that is not installed is anything."""
    assert Deferred("decimal").Decimal is Decimal
    assert Deferred("a_library_that_nobody_has").Tensor is Any
