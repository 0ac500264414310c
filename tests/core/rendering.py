"""Renders one conversation by a chat template, without a tokenizer."""

from __future__ import annotations

from typing import Any

from tinsmith.core.chat_template import render_all


def render(template: str, messages: Any, *, continue_final_message: bool | str = False, **names: Any) -> str:
    """Return the text; `names` is what the template may read besides."""
    rendered, _ = render_all(template, messages, continue_final_message=continue_final_message, names=names)
    return rendered[0].text
