"""Values as bodies of FastAPI routes: a parameter with the class as its type, and nothing said of it."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tinsmith import AdamParams, Datum, ModelInput, SamplingParams

# No `from __future__ import annotations` here: FastAPI reads the types of the parameters.

DATUM = {
    "model_input": {"chunks": [{"type": "encoded_text", "tokens": [1, 2]}]},
    "loss_fn_inputs": {"weights": {"data": [0.0, 1.0], "dtype": "float32", "shape": [2]}},
}


@pytest.fixture
def http() -> TestClient:
    """Serve some routes."""
    app = FastAPI()

    @app.post("/alone")
    def alone(p: SamplingParams) -> dict[str, Any]:
        return {"kind": type(p).__name__, "max_tokens": p.max_tokens, "top_p": p.top_p}

    @app.post("/two")
    def two(p: SamplingParams, step: AdamParams) -> list[Any]:
        return [p.max_tokens, step.learning_rate]

    @app.post("/beside/{number}")
    def beside(number: int, datum: Datum, word: str = "x") -> list[Any]:
        return [number, word, datum.model_input.to_ints(), datum.loss_fn_inputs["weights"].tolist()]

    @app.post("/absent")
    def absent(p: SamplingParams | None = None) -> bool:
        return p is None

    @app.post("/many")
    def many(p: list[SamplingParams]) -> list[SamplingParams]:
        return p

    @app.post("/answered")
    def answered(p: ModelInput) -> SamplingParams:
        return SamplingParams(max_tokens=p.length, stop=["\n"])

    return TestClient(app)


def test_a_value_is_the_body_of_a_route(http: TestClient) -> None:
    """Alone it is the whole body; beside another body, a path or a query it is what its name says."""
    assert http.post("/alone", json={"max_tokens": 3}).json() == {
        "kind": "SamplingParams",
        "max_tokens": 3,
        "top_p": 1.0,
    }
    body = {"p": {"max_tokens": 3}, "step": {"learning_rate": 0.5}}
    assert http.post("/two", json=body).json() == [3, 0.5]
    assert http.post("/beside/4?word=z", json=DATUM).json() == [4, "z", [1, 2], [0.0, 1.0]]
    assert http.post("/absent").json() is True
    assert http.post("/absent", json={}).json() is False


def test_values_are_answers_of_a_route(http: TestClient) -> None:
    """Written as JSON, alone and in lists."""
    answered = http.post("/answered", json=DATUM["model_input"]).json()
    assert (answered["max_tokens"], answered["stop"]) == (2, ["\n"])
    assert [row["seed"] for row in http.post("/many", json=[{"seed": 1}, {"seed": 2}]).json()] == [1, 2]


def test_a_wrong_body_names_the_field(http: TestClient) -> None:
    """It is the caller's fault, 422, and the field stands in the text."""
    refused = http.post("/alone", json={"max_tokens": "many"})
    assert refused.status_code == 422
    assert "max_tokens" in refused.json()["detail"][0]["msg"]


def test_the_schema_of_a_route_shows_the_fields(http: TestClient) -> None:
    """OpenAPI documents made by FastAPI describe the value."""
    route = http.get("/openapi.json").json()["paths"]["/alone"]["post"]
    shown = route["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert {"max_tokens", "temperature", "top_k", "top_p", "seed", "stop"} <= shown.keys()
