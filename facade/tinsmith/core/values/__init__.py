"""What users build and what they get back: frozen values with the official names.

Most are the models that the contract generates; those with behaviour of their own live here. Each is loaded
on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinsmith_api.values import *  # noqa: F403

    from tinsmith.core.names import *  # noqa: F403
    from tinsmith.core.values.datum import *  # noqa: F403
    from tinsmith.core.values.model_input import *  # noqa: F403
    from tinsmith.core.values.requests import *  # noqa: F403
    from tinsmith.core.values.results import *  # noqa: F403
    from tinsmith.core.values.tensor import *  # noqa: F403

_BY_HAND: dict[str, str] = {
    name: module
    for module, names in {
        "values.datum": "Datum LossFnInputs PromptProvenanceSpan ProvenanceSpans SampledProvenanceSpan",
        "values.model_input": "DmelChunk EncodedTextChunk ImageAssetPointerChunk ImageChunk ModelInput"
        " ModelInputChunk UnknownChunk",
        "names": "AuditEventType CheckpointType EventType FutureRetrieveResponse LossFnType ModelID"
        " OptimizerConfig OptimParams RequestID SamplingClientKind Severity TelemetryBatch",
        "values.requests": "ForwardBackwardInput ForwardBackwardRequest ForwardRequest SampleRequest"
        " SamplingParams",
        "values.results": "CheckpointArchiveUrlResponse ForwardBackwardOutput LossFnOutput PromptAltTokens"
        " RequestFailedResponse SampledSequence SamplePiece SampleResponse StopReason TopkLogprobs"
        " WhoamiResponse",
        "values.tensor": "TensorData",
    }.items()
    for name in names.split()
}
"""Values with behaviour of their own, and other names of types: which module has each."""

if not TYPE_CHECKING:  # pragma: no branch - a checker takes the re-exports above
    from tinsmith_api import values as _generated

    __all__ = sorted({*_BY_HAND, *_generated.__all__})

    def __getattr__(name: str) -> object:
        """Load the module that holds a value when it is first asked for."""
        if name in _BY_HAND:
            value = getattr(import_module(f"tinsmith.core.{_BY_HAND[name]}"), name)
        elif name in _generated.__all__:
            value = getattr(_generated, name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return __all__
