"""`tinsmith chat`: a conversation in the terminal, answers as they come; in a pipe, a turn for each line."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from tinsmith_api.paths import SCHEME
from typer import Argument, Option

from tinsmith.cli.connect import sampler_of, service, weights_of_run
from tinsmith.cli.failure import report
from tinsmith.cli.options import shared, wants_json
from tinsmith.cli.output import count, note, printable, stdin_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.cli.dialogue import ChatAnswer, Dialogue

PROMPT = "> "

HELP = """\
/undo              Drop the last turn and its answer.
/clear             Drop all turns.
/params            Show how answers are drawn; /params temperature 0.2 seed 7 changes it.
/system            Show the system message; /system TEXT changes it, /system - takes that of the template.
/save FILE         Add the conversation to FILE, as a line that `tinsmith data check` and `train` read.
/help              Show this list.
/quit              End; so does Ctrl-D.
Ctrl-C stops an answer: what came of it stays in the conversation, and /undo drops it."""


class _Left(Exception):  # noqa: N818 - an end, not an error
    """The user has had enough."""


class _Place(NamedTuple):
    """Where the model is."""

    url: str | None
    """The server of the run of a folder; None for that of the options."""
    target: str
    """Name of the base model, or path of the checkpoint."""


def chat(
    context: typer.Context,
    checkpoint: Annotated[
        str | None,
        Argument(metavar="CHECKPOINT", help="Checkpoint (tinker://...), or the folder of a run of `train`."),
    ] = None,
    model: Annotated[
        str | None, Option("--model", "-m", metavar="NAME", help="Base model, in place of a checkpoint.")
    ] = None,
    system: Annotated[
        str | None,
        Option("--system", metavar="TEXT", help="System message (default: that of the chat template)."),
    ] = None,
    temperature: Annotated[
        float | None,
        Option(
            "--temperature",
            metavar="NUMBER",
            help="How random answers are; 0 always takes the likeliest token (default: 0.7).",
        ),
    ] = None,
    top_p: Annotated[
        float | None,
        Option(
            "--top-p",
            metavar="NUMBER",
            help="Draw from the likeliest tokens that together have this probability (default: 1).",
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        Option(
            "--max-tokens", metavar="NUMBER", help="Largest number of tokens of an answer (default: 1024)."
        ),
    ] = None,
    seed: Annotated[
        int | None, Option("--seed", metavar="NUMBER", help="Seed; the same seed draws the same answers.")
    ] = None,
) -> None:
    """Chat with a base model, a checkpoint, or the model of a training run.

    In a pipe, each line of standard input is a turn, and only the answers are printed; with --format json a
    line of JSON for each.

    Example: tinsmith chat runs/tone
    """
    if (checkpoint is None) is (model is None):
        raise typer.BadParameter("give either a checkpoint or --model NAME", ctx=context)
    place = _place(context, checkpoint, model)
    from tinsmith.cli.dialogue import ChatParams, Dialogue

    given = {"temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed}
    params = ChatParams(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    in_terminal = sys.stdin.isatty() and not wants_json(context)
    with service(context, place.url, creates=True) as client:
        conversation = Dialogue.with_model(client, sampler_of(client, place.target), system)
        conversation.params = params
        if in_terminal:
            _talk(conversation)
        else:
            _answer_lines(conversation, as_json=wants_json(context))


def _place(context: typer.Context, checkpoint: str | None, model: str | None) -> _Place:
    """Find the model: by its name, by a path of the server, or in the folder of a run."""
    name = checkpoint or model or ""
    if model is not None or name.startswith(SCHEME):
        return _Place(None, name)
    folder, weights = weights_of_run(context, Path(name))
    return _Place(shared(context, "base_url") or folder.base_url, weights.path)


def _answer_lines(conversation: Dialogue, *, as_json: bool) -> None:
    """Answer each line of standard input."""
    for line in stdin_lines():
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        if text.split(None, 1)[0] in _COMMANDS:
            try:
                _obey(conversation, text)
            except _Left:
                return
            continue
        answer = conversation.ask(text)
        for _ in answer if as_json else _printed(answer):
            continue
        conversation.keep(answer)
        if as_json:
            _print_json(text, answer)
        else:
            sys.stdout.write("\n")
            sys.stdout.flush()


def _print_json(question: str, answer: ChatAnswer) -> None:
    """Write a turn as one line of JSON."""
    import orjson

    document = {
        "user": question,
        "assistant": answer.content,
        "stop_reason": answer.stop_reason,
        "prompt_tokens": answer.prompt_tokens,
        "tokens": answer.tokens,
    }
    sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
    sys.stdout.flush()


def _printed(answer: ChatAnswer) -> Iterator[str]:
    """Print an answer as it comes."""
    for text in answer:
        sys.stdout.write(printable(text, "\n\t") if sys.stdout.isatty() else text)
        sys.stdout.flush()
        yield text


def _talk(conversation: Dialogue) -> None:
    """Ask and answer in the terminal until the user leaves."""
    with contextlib.suppress(ImportError):  # there is none on Windows
        import readline  # noqa: F401 - `input` gets history and editing by it

    note(f"{conversation.model}. /help lists the commands; Ctrl-D ends.")
    interrupted = False
    while True:
        try:
            text = input(PROMPT)
        except EOFError:
            note("")
            return
        except KeyboardInterrupt:
            if interrupted:
                note("\nEnded by Ctrl-C. The conversation was not saved.")
                raise typer.Exit(130) from None
            interrupted = True
            note("\nCtrl-C again, or Ctrl-D, ends.")
            continue
        interrupted = False
        try:
            if text.startswith("/"):
                _obey(conversation, text)
            elif text.strip():
                _answer(conversation, text)
        except _Left:
            return
        except Exception as error:  # noqa: BLE001 - the conversation goes on whatever the server or the disk refused
            report(error)


def _answer(conversation: Dialogue, text: str) -> None:
    """Answer one turn; Ctrl-C stops the answer, and what came of it stays."""
    from tinsmith.cli.dialogue import WHAT_TO_DO

    answer = conversation.ask(text)
    stopped = False
    try:
        for _ in _printed(answer):
            continue
    except KeyboardInterrupt:
        stopped = True
    finally:
        kept = conversation.keep(answer)
        if answer.content and not answer.content.endswith("\n"):
            sys.stdout.write("\n")
            sys.stdout.flush()
    if stopped:
        note(
            "Stopped; what came of the answer stays, and /undo drops it."
            if kept
            else "\nStopped; the turn is dropped."
        )
    elif answer.fills_context:
        note(f"The context of {conversation.model} is full. {WHAT_TO_DO}")
    elif answer.stop_reason == "length":
        note(f"Cut after {count(answer.tokens, 'token')}; /params max_tokens NUMBER allows more.")


def _obey(conversation: Dialogue, line: str) -> None:
    """Carry out a command; InputError and OSError say what is wrong with it."""
    from tinsmith.core.errors import InputError

    word, _, rest = line.strip().partition(" ")
    command = _COMMANDS.get(word)
    if command is None:
        raise InputError(
            f"there is no {word}; /help lists the commands. A turn that begins with / needs a blank before it"
        )
    command(conversation, rest.strip())


def _undo(conversation: Dialogue, _: str) -> None:
    if not conversation.undo():
        note("There is no turn to drop.")
    else:
        note(f"Dropped the last turn; {count(conversation.questions, 'turn')} left.")


def _clear(conversation: Dialogue, _: str) -> None:
    conversation.clear()
    note("Dropped all turns.")


def _params(conversation: Dialogue, rest: str) -> None:
    if rest:
        conversation.params = conversation.params.changed(rest.split())
    note(str(conversation.params))


def _system(conversation: Dialogue, rest: str) -> None:
    if rest:
        conversation.system = None if rest == "-" else rest
    note(f"System message: {conversation.system or 'that of the chat template, if it has one'}")


def _save(conversation: Dialogue, rest: str) -> None:
    from tinsmith.core.errors import InputError

    if not rest:
        raise InputError("name the file, such as /save chats.jsonl")
    if not conversation.questions:
        raise InputError("there is nothing to save yet")
    conversation.save(Path(rest))
    note(f"Added {count(conversation.questions, 'turn')} to {rest}.")


def _help(_: Dialogue, __: str) -> None:
    note(HELP, wrap=False)


def _quit(_: Dialogue, __: str) -> None:
    raise _Left


_COMMANDS = {
    "/undo": _undo,
    "/clear": _clear,
    "/params": _params,
    "/system": _system,
    "/save": _save,
    "/help": _help,
    "/quit": _quit,
}
