"""Evaluation: the loss is that of training, the scores are those of the function, each record for itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import tinsmith
from tinsmith import InputError, SamplingParams, train
from tinsmith.data import Chat, Completion, DatumBuilder, Preference, mean_loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tinsmith.data import Record

ASKED = [{"role": "user", "content": "Tin?"}]
CHAT = Chat([*ASKED, {"role": "assistant", "content": "Sn"}], where="x.jsonl:1")
TEXT = Completion("Lead is ", "Pb", "x.jsonl:2")
FOUR = SamplingParams(max_tokens=4, temperature=1.0, seed=1)


@pytest.fixture(scope="module")
def service() -> Iterator[tinsmith.ServiceClient]:
    """Give an embedded service."""
    with tinsmith.ServiceClient(base_url="local:") as client:
        yield client


@pytest.fixture(scope="module")
def sampler(service: tinsmith.ServiceClient) -> tinsmith.SamplingClient:
    """Give the sampler of the tiny model."""
    return service.create_sampling_client(base_model="tinsmith/tiny")


@pytest.mark.parametrize("train_on", ["assistant", "last", "all"])
def test_the_loss_is_that_of_training(
    service: tinsmith.ServiceClient, sampler: tinsmith.SamplingClient, train_on: Any
) -> None:
    """With the same tokens and weights, that of each turn among them."""
    trainer = service.create_lora_training_client("tinsmith/tiny", rank=2)
    builder = DatumBuilder(tokenizer=trainer.get_tokenizer(), train_on=train_on)
    weighted = Chat([*CHAT.messages, *ASKED, {"role": "assistant", "content": "Sn!", "weight": 0.5}])
    records: list[Record] = [CHAT, TEXT, weighted]
    datums = [datum for record in records for datum in builder.datums(record)]
    expected = mean_loss(trainer.forward(datums, "cross_entropy").result(), datums)
    result = train.evaluate(sampler, records, builder=builder)
    assert result.loss == pytest.approx(expected, rel=1e-6)
    assert result.weight == sum(datum.loss_fn_inputs["weights"].to_numpy().sum() for datum in datums)
    assert (result.score, result.standard_error, result.failed) == (None, None, [])


def test_scores(sampler: tinsmith.SamplingClient) -> None:
    """Each answer gets one; a record has their mean, and all records have the mean of these."""
    seen: list[tuple[str, Record]] = []

    def score(text: str, record: Record) -> int:
        seen.append((text, record))
        return len(seen)

    marked: list[train.EvaluatedRecord] = []
    result = train.evaluate(
        sampler,
        [CHAT, TEXT],
        score=score,
        num_samples=2,
        sampling_params=FOUR,
        loss=False,
        on_record=marked.append,
    )
    assert [record for _, record in seen] == [CHAT, CHAT, TEXT, TEXT]
    assert marked == result.records
    assert [record.where for record in marked] == ["x.jsonl:1", "x.jsonl:2"]
    assert [[sample.score for sample in record.samples] for record in marked] == [[1, 2], [3, 4]]
    assert [sample.text for record in marked for sample in record.samples] == [text for text, _ in seen]
    assert len({text for text, _ in seen}) > 1
    assert (result.scores, result.score, result.standard_error) == ([1.5, 3.5], 2.5, 1.0)
    assert (result.loss, result.weight) == (None, 0)


def test_exact_match(sampler: tinsmith.SamplingClient) -> None:
    """The record whose answer the model gives scores 1, by greedy sampling, which is the default."""
    greedy = SamplingParams(max_tokens=3, temperature=0.0)
    prompt = DatumBuilder(tokenizer=sampler.get_tokenizer()).prompt(TEXT)
    [sequence] = sampler.sample(prompt, 1, greedy).result().sequences
    said = sampler.get_tokenizer().decode(sequence.tokens)
    records = [Completion("Lead is ", f"\n{said} "), TEXT]
    result = train.evaluate(sampler, records, score=train.exact_match, sampling_params=greedy, loss=False)
    assert result.scores == [1.0, 0.0]


def test_answers_without_a_score(sampler: tinsmith.SamplingClient) -> None:
    """They are in the results, for somebody who reads them."""
    result = train.evaluate(sampler, [TEXT], sampling_params=FOUR)
    [sample] = result.records[0].samples
    assert (sample.stop_reason, sample.score, result.score) == ("length", None, None)
    assert result.loss is not None


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        (KeyError("city"), r"KeyError: 'city' \(test_evaluation.py:\d+\)$"),
        (float("nan"), r"^the scores are \[nan\]; return finite numbers$"),
    ],
)
def test_a_function_that_fails(sampler: tinsmith.SamplingClient, returned: Any, problem: str) -> None:
    """Its record has the error, with its loss and its answers, and the other record has its score."""

    def score(_: str, record: Record) -> Any:
        if record is TEXT:
            return 1
        if isinstance(returned, Exception):
            raise returned
        return returned

    result = train.evaluate(sampler, [CHAT, TEXT], score=score, sampling_params=FOUR)
    [failed] = result.failed
    assert failed.where == "x.jsonl:1"
    assert re.search(problem, failed.error or "")
    assert failed.loss is not None
    assert len(failed.samples) == 1
    assert result.scores == [1.0]


@pytest.mark.parametrize("returned", ["7", None, [1], {}])
def test_a_function_that_returns_no_number(sampler: tinsmith.SamplingClient, returned: Any) -> None:
    """It would not for the next record either: the evaluation ends, and says so once."""
    with pytest.raises(InputError, match=r"field 'score': returned .* for x\.jsonl:1, which is no number"):
        train.evaluate(sampler, [CHAT, TEXT], score=lambda *_: returned, sampling_params=FOUR)


def test_a_function_of_other_arguments(sampler: tinsmith.SamplingClient) -> None:
    """It is refused before anything is sent; where its arguments are not known, it is called."""

    def score(text: str) -> float:
        return float(len(text))

    wrong: Any = score
    silent: Any = max
    with pytest.raises(InputError, match=r"takes \(text: 'str'\).*, and is called with an answer"):
        train.evaluate(sampler, [CHAT], score=wrong, sampling_params=FOUR)
    assert len(train.evaluate(sampler, [CHAT], score=silent, sampling_params=FOUR).failed) == 1


def test_what_every_record_is_refused_for(sampler: tinsmith.SamplingClient) -> None:
    """The second refusal in the same words ends the evaluation; a single record keeps its error."""
    marked: list[train.EvaluatedRecord] = []
    with pytest.raises(tinsmith.BadRequestError, match="num_samples: 100000 is more than"):
        train.evaluate(
            sampler, [CHAT, TEXT, TEXT], sampling_params=FOUR, num_samples=100_000, on_record=marked.append
        )
    assert [each.where for each in marked] == ["x.jsonl:1"]
    [alone] = train.evaluate(sampler, [CHAT], sampling_params=FOUR, num_samples=100_000).failed
    assert "num_samples" in (alone.error or "")


def test_what_is_not_there_yet_is_withdrawn(sampler: tinsmith.SamplingClient) -> None:
    """Whoever ends the evaluation, by Ctrl-C for one, leaves no answers to be drawn for nobody."""
    asked: list[Any] = []
    sample = sampler.sample

    def noting(*arguments: Any) -> Any:
        asked.append(sample(*arguments))
        return asked[-1]

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sampler, "sample", noting)
        with pytest.raises(KeyboardInterrupt):
            train.evaluate(
                sampler,
                [TEXT] * 4,
                loss=False,
                num_samples=64,
                sampling_params=SamplingParams(max_tokens=2000, temperature=1.0),
                on_record=interrupted,
            )
    assert [future.cancelled() for future in asked[-2:]] == [True, True]


def test_a_record_that_the_server_refuses(sampler: tinsmith.SamplingClient) -> None:
    """It is longer than the context of the model; the other one is evaluated."""
    result = train.evaluate(sampler, [Completion("a" * 5000, "b", "x.jsonl:3"), TEXT])
    [failed] = result.failed
    assert failed.where == "x.jsonl:3"
    assert failed.error
    assert "context" in failed.error
    assert result.loss == result.records[1].loss


def test_dropped_records(sampler: tinsmith.SamplingClient) -> None:
    """They are counted, and nothing is sampled for them."""
    tokenizer = sampler.get_tokenizer()
    builder = DatumBuilder(tokenizer=tokenizer, max_tokens=20, truncation="drop")
    long = Completion("a" * 50, "b")
    result = train.evaluate(sampler, [long, TEXT], builder=builder, score=lambda *_: 1, sampling_params=FOUR)
    assert (len(result.records), result.dropped) == (1, 1)
    with pytest.raises(InputError, match="there is nothing to evaluate; 1 are too long"):
        train.evaluate(sampler, [long], builder=builder)


EXACT = {"score": train.exact_match, "loss": False}


@pytest.mark.parametrize(
    ("record", "settings", "problem"),
    [
        (Chat(ASKED, where="x.jsonl:4"), {}, "x.jsonl:4.*nothing to train on"),
        (Chat(ASKED, where="x.jsonl:4"), {"score": max}, "x.jsonl:4: has no answer.*without the loss"),
        (Chat(ASKED, where="x.jsonl:5"), EXACT, "x.jsonl:5: has no answer to compare"),
        (Preference(CHAT, CHAT, "x.jsonl:6"), {}, "x.jsonl:6: is a pair of answers"),
        (Preference(CHAT, CHAT, "x.jsonl:6"), {"score": max, "loss": False}, "x.jsonl:6: is a pair"),
        (Completion("", "Tin.", "x.jsonl:7"), {"sampling_params": FOUR}, "x.jsonl:7: has no prompt"),
        (TEXT, {"num_samples": 0}, "num_samples.*at least 1"),
        (TEXT, {"loss": False}, "there is nothing to do"),
    ],
)
def test_what_is_refused(
    sampler: tinsmith.SamplingClient, record: Record, settings: dict[str, Any], problem: str
) -> None:
    """Before anything is sent, with the place of the record."""
    with pytest.raises(InputError, match=problem):
        train.evaluate(sampler, [TEXT, record], **settings)


def test_an_answer_that_is_no_words(sampler: tinsmith.SamplingClient) -> None:
    """A call of a tool has a loss, and a function may score what the model says instead."""
    call = {"type": "function", "function": {"name": "melts", "arguments": {"metal": "tin"}}}
    chat = Chat([*ASKED, {"role": "assistant", "content": "", "tool_calls": [call]}], where="x.jsonl:8")
    assert chat.answer is None
    result = train.evaluate(sampler, [chat], score=lambda *_: 1, sampling_params=FOUR)
    assert (result.score, result.failed) == (1, [])
    assert result.loss is not None


def test_no_records(sampler: tinsmith.SamplingClient) -> None:
    """There is nothing to evaluate."""
    with pytest.raises(InputError, match=r"there is nothing to evaluate$"):
        train.evaluate(sampler, [])


@pytest.mark.parametrize(
    ("scores", "error"), [([], None), ([1.0], None), ([1.0, 1.0], 0.0), ([0.0, 1.0, 1.0, 0.0], 1 / 12**0.5)]
)
def test_the_standard_error(scores: list[float], error: float | None) -> None:
    """That of a mean, from how the records differ."""
    records = [train.EvaluatedRecord("", samples=[train.ScoredSample("", "stop", each)]) for each in scores]
    assert train.Evaluation(records).standard_error == (error if error is None else pytest.approx(error))


def test_an_answer_ends_where_the_template_ends_a_turn(
    sampler: tinsmith.SamplingClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by another token than the end of sequence; texts, and a `stop` of the caller, stay as they are."""
    asked: list[object] = []
    sample = sampler.sample

    def noting(prompt: tinsmith.ModelInput, num_samples: int, params: SamplingParams) -> object:
        asked.append(params.stop)
        return sample(prompt, num_samples, params)

    monkeypatch.setattr(sampler, "sample", noting)
    tokenizer = sampler.get_tokenizer()
    template = "{% for m in messages %}{{ m.content }}<|im_start|>{% endfor %}"
    builder = DatumBuilder(tokenizer=tokenizer, chat_template=template)
    for params in (FOUR, SamplingParams(max_tokens=4, stop=["a"])):
        train.evaluate(sampler, [CHAT, TEXT], builder=builder, loss=False, sampling_params=params)
    ends = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|im_start|>"])
    assert asked == [ends, None, ["a"], ["a"]]
