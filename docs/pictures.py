"""Draws the pictures of the concepts: docs/request.svg, docs/order.svg and docs/clocks.svg.

Usage: pictures.py [--check]. With --check it writes nothing and exits with 1 when a picture is stale. The
times in clocks.svg are the defaults in tinsmith.core.config.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from tinsmith.core.config import LONG_WAIT_S, ClientConfig, PollPolicy, RetryConfig, Timeouts

FOLDER = Path(__file__).parent

STYLE = """
    svg { font-family: ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif; }
    .page { fill: #ffffff; } .box { stroke-width: 1.5; }
    .you { fill: #f2f4f7; stroke: #98a2b3; } .tin { fill: #e4effd; stroke: #5b8def; }
    .server { fill: #e3f5e9; stroke: #4ba36b; } .lost { fill: #fdecea; stroke: #d0564c; }
    text { fill: #344054; font-size: 15px; } .middle { text-anchor: middle; } .end { text-anchor: end; }
    .name { font-weight: 600; font-size: 16px; fill: #1d2939; } .small { font-size: 13px; }
    .code { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 14px; }
    .line { fill: none; stroke: #667085; stroke-width: 2; } .tip { fill: #667085; }
    .faint { stroke: #d0d5dd; stroke-width: 1; } .dashed { stroke-dasharray: 5 4; }
    .wrong { stroke: #d0564c; } .wrongtext { fill: #b42318; }
    @media (prefers-color-scheme: dark) {
      .page { fill: #14181f; }
      .you { fill: #262c36; stroke: #667085; } .tin { fill: #1b2c47; stroke: #5b8def; }
      .server { fill: #173124; stroke: #4ba36b; } .lost { fill: #3a1d1b; stroke: #d0564c; }
      text { fill: #c3cad5; } .name { fill: #f2f4f7; }
      .line { stroke: #98a2b3; } .tip { fill: #98a2b3; } .faint { stroke: #3a4250; }
      .wrong { stroke: #e5776e; } .wrongtext { fill: #f2a29b; }
    }
"""


def box(kind: str, x: float, y: float, width: float, height: float) -> str:
    """Return a box with round corners."""
    return f'<rect class="box {kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7"/>'


def text(words: str, x: float, y: float, kind: str = "middle") -> str:
    """Return a line of text that begins at x; `middle` in its kind puts it around x, `end` before x."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "", *, tip: bool = True) -> str:
    """Return a straight line, with an arrow's tip at its end."""
    end = ' marker-end="url(#tip)"' if tip else ""
    return f'<path class="line {kind}" d="M{x1:g},{y1:g} L{x2:g},{y2:g}"{end}/>'


def picture(title: str, width: int, height: int, parts: list[str]) -> str:
    """Return a whole picture."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
            f' height="{height}" role="img" aria-labelledby="title">',
            "<!-- Written by docs/pictures.py. Do not edit; run `make docs`. -->",
            f'<title id="title">{escape(title)}</title>',
            f"<style>{STYLE}</style>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
            ' orient="auto"><path class="tip" d="M0,1 L10,5 L0,9 z"/></marker></defs>',
            f'<rect class="page" width="{width}" height="{height}" rx="12"/>',
            *parts,
            "</svg>\n",
        ]
    )


def request() -> str:
    """Draw how a call becomes a request, a promise and a result, as messages between three parties."""
    program, tinsmith, server = 120, 350, 580
    parts: list[str] = []
    bottom = 560
    for x, name, kind in (
        (program, "your program", "you"),
        (tinsmith, "Tinsmith", "tin"),
        (server, "the server", "server"),
    ):
        parts += [line(x, 62, x, bottom, "faint", tip=False), box(kind, x - 85, 22, 170, 40)]
        parts.append(text(name, x, 47, "middle name"))

    def message(start: int, end: int, y: int, words: str, kind: str = "", look: str = "middle") -> None:
        way = 1 if start < end else -1
        begin, stop = (x + turn * way * (9 if x == server else 6) for x, turn in ((start, 1), (end, -1)))
        parts.extend([text(words, (start + end) / 2, y - 8, look), line(begin, y, stop, y, kind)])

    message(program, tinsmith, 100, "forward_backward(data)", look="middle code")
    message(tinsmith, program, 132, "a future, at once", "dashed")
    message(tinsmith, server, 164, "request with number 1")
    message(program, tinsmith, 196, "optim_step(adam)", look="middle code")
    message(tinsmith, program, 228, "a future, at once", "dashed")
    message(server, tinsmith, 228, "promise", "dashed")
    message(tinsmith, server, 268, "request with number 2")
    message(server, tinsmith, 300, "promise", "dashed")
    parts += [box("server", server - 6, 172, 12, 300), text("works", server + 14, 330, "small")]
    message(tinsmith, server, 350, "is 1 ready?")
    message(server, tinsmith, 382, "not yet", "dashed")
    message(tinsmith, server, 422, "is 1 ready?")
    message(server, tinsmith, 454, "result of 1", "dashed")
    message(program, tinsmith, 454, "future.result()", look="middle code")
    message(tinsmith, program, 486, "losses, logprobs", "dashed")
    message(server, tinsmith, 526, "result of 2, in the same way", "dashed")
    title = (
        "A call returns a future at once. Tinsmith sends numbered requests, gets a promise for each, and"
        " polls until the results are there."
    )
    return picture(title, 700, 580, parts)


def order() -> str:
    """Draw calls, their numbered chunks, what follows a lost answer, and what the server carries out."""
    calls = [("forward_backward(300 datums)", 3), ("optim_step", 1), ("save_state", 1)]
    first, step, gap = 140, 108, 12
    rows = {"your calls": 60, "in chunks": 130, "sent": 210, "carried out": 340}
    parts = [text(name, 20, y + 5, "name") for name, y in rows.items()]
    number = 0
    for call, chunks in calls:
        x = first + number * step
        parts.append(box("you", x, rows["your calls"] - 22, chunks * step - gap, 44))
        parts.append(text(call, x + (chunks * step - gap) / 2, rows["your calls"] + 5, "middle code"))
        for chunk in range(chunks):
            number += 1
            middle = x + chunk * step + (step - gap) / 2
            parts.append(line(middle, rows["your calls"] + 24, middle, rows["in chunks"] - 24))
            for row, kind in (("in chunks", "tin"), ("sent", "tin"), ("carried out", "server")):
                parts.append(box(kind, middle - 24, rows[row] - 20, 48, 40))
                parts.append(text(str(number), middle, rows[row] + 6, "middle name"))
            parts.append(line(middle, rows["in chunks"] + 22, middle, rows["sent"] - 24))
            down = rows["carried out"] - 24
            parts.append(line(middle, rows["sent"] + 22, middle, down, "wrong dashed" if number == 2 else ""))
    again = first + step + (step - gap) / 2
    parts += [
        box("lost", again - 62, 256, 124, 40),
        text("answer lost: 2", again, 273, "middle small wrongtext"),
        text("is sent again", again, 289, "middle small wrongtext"),
        text("the same bytes, the same number: the server has it already", first, 396, "small"),
        text("and carries it out once", first, 414, "small"),
    ]
    title = (
        "A large batch is cut into chunks 1, 2 and 3; optim_step is 4 and save_state 5. The answer to 2 is"
        " lost, so 2 is sent again with the same bytes. The server carries out 1 to 5, each once."
    )
    return picture(title, 700, 436, parts)


class Wait(NamedTuple):
    """A row of the picture of clocks."""

    what: str
    """What is waited for."""
    least_s: float
    """Where its bar begins, in seconds."""
    most_s: float
    """Where it ends, in seconds."""
    says: str
    """The text beside the bar."""
    kind: str
    """The colour of the bar."""


def waits() -> dict[str, list[Wait]]:
    """Return the clocks by group, with the defaults of today."""
    attempt, retry, poll, config = Timeouts(), RetryConfig(), PollPolicy(), ClientConfig.__attrs_attrs__
    progress_s = next(field.default for field in config if field.name == "progress_timeout_s")
    heartbeat_s = next(field.default for field in config if field.name == "heartbeat_interval_s")
    return {
        "one attempt": [
            Wait("connecting", SMALLEST_S, attempt.connect_s, f"{attempt.connect_s:g} s", "tin"),
            Wait("no piece of an answer", SMALLEST_S, attempt.read_s, f"{attempt.read_s:g} s", "tin"),
            Wait("the whole attempt", SMALLEST_S, attempt.total_s, _told(attempt.total_s), "tin"),
        ],
        "retries": [
            Wait(
                "pause, growing",
                retry.retry_delay_base,
                retry.retry_delay_max,
                f"up to {retry.retry_delay_max:g} s",
                "you",
            ),
            Wait(
                "server never reached",
                SMALLEST_S,
                retry.start_deadline_s,
                f"fails after {retry.start_deadline_s:g} s",
                "lost",
            ),
            Wait(
                "server asks to wait",
                SMALLEST_S,
                retry.retry_after_cap_s,
                f"up to {_told(retry.retry_after_cap_s)}",
                "you",
            ),
            Wait(
                "all attempts",
                SMALLEST_S,
                retry.deadline_s,
                f"fails after {_told(retry.deadline_s)}, {retry.max_retries} retries",
                "lost",
            ),
        ],
        "a result": [
            Wait(
                "pause between polls", poll.floor_s, poll.ceiling_s, f"up to {poll.ceiling_s:g} s", "server"
            ),
            Wait(
                "after a failed poll",
                poll.storm_base_s,
                poll.storm_max_s,
                f"up to {poll.storm_max_s:g} s",
                "server",
            ),
            Wait("a held poll", SMALLEST_S, poll.read_timeout_s, f"{poll.read_timeout_s:g} s", "server"),
            Wait("first warning", SMALLEST_S, LONG_WAIT_S, _told(LONG_WAIT_S), "you"),
            Wait(
                "account cannot pay",
                SMALLEST_S,
                poll.billing_patience_s,
                f"fails after {_told(poll.billing_patience_s)}",
                "lost",
            ),
            Wait("no progress", SMALLEST_S, progress_s, f"fails after {_told(progress_s)}", "lost"),
        ],
        "the session": [Wait("heartbeat", SMALLEST_S, heartbeat_s, f"every {heartbeat_s:g} s", "tin")],
    }


SMALLEST_S, LARGEST_S = 0.01, 7200.0


def _told(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def clocks() -> str:
    """Draw how long each wait may take, on a logarithmic axis."""
    left, right, top, row = 190, 560, 64, 25

    def at(seconds: float) -> float:
        share = math.log(seconds / SMALLEST_S) / math.log(LARGEST_S / SMALLEST_S)
        return round(left + share * (right - left), 1)

    parts: list[str] = []
    y = top
    for group, rows in waits().items():
        parts.append(text(group, 20, y + 12, "name"))
        y += row
        for wait in rows:
            begin, end = at(wait.least_s), at(wait.most_s)
            parts += [
                text(wait.what, left - 8, y + 12, "end small"),
                box(wait.kind, begin, y, end - begin, 16),
            ]
            parts.append(text(wait.says, end + 7, y + 13, "small"))
            y += row
        y += 6
    ticks = [
        (0.01, "10 ms"),
        (0.1, "0.1 s"),
        (1, "1 s"),
        (10, "10 s"),
        (60, "1 min"),
        (600, "10 min"),
        (7200, "2 h"),
    ]
    grid = [line(at(seconds), 40, at(seconds), y, "faint", tip=False) for seconds, _ in ticks]
    heads = [text(name, at(seconds), 32, "middle small") for seconds, name in ticks]
    title = "How long Tinsmith waits: " + "; ".join(
        f"{wait.what} {wait.says}" for rows in waits().values() for wait in rows
    )
    return picture(title, 690, y + 10, [*grid, *heads, *parts])


PICTURES = {"request.svg": request, "order.svg": order, "clocks.svg": clocks}
"""Files, and what draws them."""


def main(arguments: list[str]) -> int:
    """Write the pictures, or compare them."""
    stale = []
    for name, draw in PICTURES.items():
        path = FOLDER / name
        if "--check" not in arguments:
            path.write_text(draw())
        elif not path.exists() or path.read_text() != draw():
            stale.append(name)
    for name in stale:
        sys.stderr.write(f"{name} is not what its generator draws; run make docs\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
