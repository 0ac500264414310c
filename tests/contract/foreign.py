"""Servers that know nothing of our rules, and the documents that their framework writes of them."""

import json
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from fastapi import FastAPI, Header
from pydantic import BaseModel, Field


class Loss(StrEnum):
    """A closed set of values that answers repeat."""

    ce = "cross_entropy"
    ppo = "ppo"


class Text(BaseModel):
    type: Literal["text"] = "text"
    tokens: list[int]


class Image(BaseModel):
    type: Literal["image"] = "image"
    data: str
    size: tuple[int, int] = (1, 1)


class Step(BaseModel):
    model_id: UUID
    loss: Loss = Loss.ce
    chunks: list[Text | Image]
    first: Text | Image = Field(discriminator="type")
    rate: float = 0.1
    stop: str | list[str] | None = None
    more: dict[str, Any] | None = None


class Done(BaseModel):
    request_id: str
    loss: Loss
    at: datetime
    detail: Text | Image | None = None
    metrics: dict[str, float] = {}


def document() -> dict[str, Any]:
    """Return what the framework publishes: no tags, no descriptions, untagged unions, closed answers."""
    app = FastAPI(title="somebody's server")

    @app.post("/api/v1/step")
    def step(body: Step, x_api_key: str | None = Header(None)) -> Done:
        raise NotImplementedError

    @app.get("/api/v1/runs/{run_id}")
    def run(run_id: str, limit: int = 20) -> list[Done]:
        raise NotImplementedError

    @app.get("/healthz")
    def health() -> dict[str, str]:
        raise NotImplementedError

    found: dict[str, Any] = app.openapi()
    return found


def skyrl() -> dict[str, Any]:
    """Return what SkyRL 0.4.0 publishes of itself, as `app.openapi()` of its environment gave it."""
    path = Path(__file__).parent / "documents" / "skyrl-0.4.0.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


DOCUMENTS: dict[str, Callable[[], dict[str, Any]]] = {"a framework's": document, "SkyRL's": skyrl}
"""The documents by name."""
