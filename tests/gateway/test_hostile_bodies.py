"""Bodies of any shape: each is answered as the API says, and none is a mistake of the gateway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.conftest import MODEL, refusal

if TYPE_CHECKING:
    from starlette.testclient import TestClient

TEXTS = st.text(max_size=12)
NUMBERS = st.one_of(st.integers(-(1 << 63), (1 << 64) - 1), st.floats(allow_nan=False, allow_infinity=False))
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
FEW = st.integers(-1, 4)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "model": st.sampled_from([MODEL, "tiny", "nobody", "tinker://a/weights/b", ""]),
    "prompt": st.one_of(TEXTS, st.lists(TEXTS, max_size=2), st.lists(st.integers(-1, 300), max_size=4)),
    "messages": st.lists(
        st.fixed_dictionaries(
            {"role": st.sampled_from(["user", "system", "assistant", "tool", "developer", "x"])},
            optional={
                "content": TEXTS | ANYTHING,
                "tool_calls": ANYTHING,
                "name": ANYTHING,
                "reasoning_content": ANYTHING,
            },
        ),
        max_size=3,
    ),
    "tools": st.lists(
        st.fixed_dictionaries(
            {
                "type": st.just("function"),
                "function": st.fixed_dictionaries({"name": TEXTS, "parameters": ANYTHING}),
            }
        ),
        max_size=2,
    ),
    "tool_choice": st.sampled_from(["auto", "none", "required"]),
    "tokens": st.lists(st.integers(-1, 1 << 33), max_size=4),
    "max_tokens": FEW,
    "max_completion_tokens": FEW,
    "n": FEW,
    "seed": st.integers(-(1 << 63), (1 << 63) - 1),
    "stop": TEXTS | st.lists(TEXTS, max_size=3),
    "temperature": st.floats(-1, 3),
    "top_p": st.floats(-1, 2),
    "top_k": FEW,
    "logprobs": FEW | st.booleans(),
    "top_logprobs": FEW,
    "echo": st.booleans(),
    "stream": st.booleans(),
    "stream_options": st.dictionaries(st.sampled_from(["include_usage", "x"]), st.booleans()),
    "add_special_tokens": st.booleans(),
    "response_format": st.fixed_dictionaries({"type": TEXTS}),
    "chat_template_kwargs": st.dictionaries(TEXTS, ANYTHING, max_size=2),
    "logit_bias": ANYTHING,
    "user": ANYTHING,
    "best_of": FEW,
    "parallel_tool_calls": st.booleans(),
    "return_token_strs": st.booleans(),
}
NEEDED = {
    "/v1/completions": ("model", "prompt"),
    "/v1/chat/completions": ("model", "messages"),
    "/tokenize": ("prompt",),
    "/detokenize": ("tokens",),
}


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a path and a body: what is needed, some likely fields, and now and then a field of any kind."""
    path = draw(st.sampled_from(sorted(NEEDED)))
    names = {*NEEDED[path], *draw(st.sets(st.sampled_from(sorted(LIKELY)), max_size=5))}
    body = {name: draw(LIKELY[name]) for name in sorted(names)}
    odd = draw(st.dictionaries(st.sampled_from(sorted(LIKELY)) | TEXTS, ANYTHING, max_size=1))
    return path, body | odd


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies())
def test_no_body_is_a_defect(gateway: TestClient, asked: tuple[str, dict[str, Any]]) -> None:
    """A body is answered, or refused as the API says; a refusal names what is wrong."""
    path, body = asked
    answer = gateway.post(path, content=orjson.dumps(body))
    assert answer.status_code in {200, 400, 404}, answer.text
    if answer.status_code != 200:
        assert refusal(answer)["type"] == "invalid_request_error"


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(NEEDED)), st.binary(max_size=30) | ANYTHING.map(orjson.dumps))
def test_no_bytes_are_a_defect(gateway: TestClient, path: str, content: bytes) -> None:
    """What is no object is refused."""
    answer = gateway.post(path, content=content)
    assert answer.status_code in {400, 404}
    refusal(answer)
