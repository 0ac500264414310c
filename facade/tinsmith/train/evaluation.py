"""What a model makes of records: the loss of their answers, and a score of what it answers itself.

All of it comes from a sampler, so that no model is made for training. Must not read files.
"""

from __future__ import annotations

import inspect
import math
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from tinsmith.core.answer_ends import chat_stop
from tinsmith.core.errors import (
    APIResponseValidationError,
    BadRequestError,
    InputError,
    RequestFailedError,
    UnprocessableEntityError,
)
from tinsmith.core.tokenization import Tokenizer
from tinsmith.core.values import Datum, ModelInput, SampleResponse, SamplingParams
from tinsmith.data import Chat, Completion, DatumBuilder, Preference, Record
from tinsmith.data.files import located
from tinsmith.io.future import APIFuture

if TYPE_CHECKING:
    from tinsmith.clients.sampling import SamplingClient

Score = Callable[[str, Record], float]
"""Gets what the model answered, and the record; returns a number."""

GREEDY = SamplingParams(max_tokens=256, temperature=0.0)
"""How answers are sampled, if nothing is said."""


@attrs.frozen
class ScoredSample:
    """One answer of the model."""

    text: str
    """What it says, without special tokens."""
    stop_reason: str
    """`length` for an answer that was cut off at the largest number of tokens, else `stop`."""
    score: float | None = None
    """What the scoring function gave; None without one."""


@attrs.frozen
class EvaluatedRecord:
    """The result of an evaluation for one record."""

    where: str
    """Place of the record, such as `chats.jsonl:7`."""
    loss: float | None = None
    """Mean loss of its tokens that have weight, in nats; None where it was not asked for."""
    weight: float = 0.0
    """Sum of the weights of these tokens: their number, unless the file says otherwise."""
    samples: list[ScoredSample] = attrs.field(factory=list)
    """The answers of the model."""
    error: str | None = None
    """Why there is no loss, or no score; None where all went well."""

    @property
    def score(self) -> float | None:
        """Mean score of the answers; None where there is none."""
        scores = [sample.score for sample in self.samples if sample.score is not None]
        return sum(scores) / len(scores) if scores and self.error is None else None


@attrs.frozen
class Evaluation:
    """The result of an evaluation."""

    records: list[EvaluatedRecord]
    """The records, in their order."""
    dropped: int = 0
    """Records that were left out because they are too long."""

    @property
    def weight(self) -> float:
        """Sum of the weights of all tokens."""
        return sum(record.weight for record in self.records)

    @property
    def loss(self) -> float | None:
        """Mean loss of all tokens that have weight, in nats; None where it was not asked for."""
        total = sum(record.loss * record.weight for record in self.records if record.loss is not None)
        return total / self.weight if self.weight else None

    @property
    def scores(self) -> list[float]:
        """The score of each record that has one."""
        return [record.score for record in self.records if record.score is not None]

    @property
    def score(self) -> float | None:
        """Mean of the scores of the records; None where there is none."""
        return sum(self.scores) / len(self.scores) if self.scores else None

    @property
    def standard_error(self) -> float | None:
        """Standard error of `score`, from how the records differ; None for fewer than two."""
        scores, mean = self.scores, self.score
        if mean is None or len(scores) < 2:
            return None
        variance = sum((score - mean) ** 2 for score in scores) / (len(scores) - 1)
        return math.sqrt(variance / len(scores))

    @property
    def failed(self) -> list[EvaluatedRecord]:
        """The records with an error."""
        return [record for record in self.records if record.error is not None]


def exact_match(text: str, record: Record) -> float:
    r"""Return 1 if an answer equals the record's, apart from blanks at both ends, else 0; a `Score`.

    InputError for a record without an answer.

    >>> from tinsmith.data import Completion
    >>> from tinsmith.train import exact_match
    >>> exact_match(" Sn\\n", Completion("Tin is ", "Sn")), exact_match("Pb", Completion("Tin is ", "Sn"))
    (1.0, 0.0)
    """
    return float(text.strip() == _answer(record).strip())


def evaluate(
    sampler: SamplingClient,
    records: Iterable[Record],
    *,
    builder: DatumBuilder | None = None,
    loss: bool = True,
    score: Score | None = None,
    num_samples: int = 1,
    sampling_params: SamplingParams | None = None,
    on_record: Callable[[EvaluatedRecord], object] = lambda _: None,
) -> Evaluation:
    """Compute the loss of the answers of `records`, and score what the model answers itself.

    `builder` says which tokens have weight, and what becomes of long records, as in training; None is one
    with the settings of `DatumBuilder` and the tokenizer of the sampler. The loss is that of `cross_entropy`
    in training, from the log-probabilities that the sampler gives for the whole text.

    With `score` or `sampling_params` the model answers each record `num_samples` times; by default with at
    most 256 tokens at temperature 0, and an answer to a chat ends where its template ends a turn, unless
    `sampling_params` has a `stop`. `score` gets each answer and its record. All requests are made at once,
    and what comes of each record goes to `on_record`, in their order.

    If a scoring function raises or returns NaN, or the server refuses a record, that is the `error` of this
    record, and the others go on. Raises InputError, before anything is sent, for a record that makes no
    datum, has no prompt, or has no answer to compare, and for a function that does not take an answer and a
    record; later for one that returns no number. What the server refuses of the first two records in the same
    words would be refused of all, and is raised, as is what else the calls of the sampler raise; what was
    asked for and is not there yet is then withdrawn.

    >>> import tinsmith
    >>> from tinsmith import SamplingParams, train
    >>> from tinsmith.data import Completion
    >>> records = [Completion("Tin is ", "Sn"), Completion("Lead is ", "Pb")]
    >>> params = SamplingParams(max_tokens=4, temperature=0.0)
    >>> with tinsmith.ServiceClient(base_url="local:") as service:
    ...     sampler = service.create_sampling_client(base_model="tinsmith/tiny")
    ...     result = train.evaluate(sampler, records, score=train.exact_match, sampling_params=params)
    >>> result.score, result.loss > 5, [len(record.samples) for record in result.records]
    (0.0, True, [1, 1])
    """
    if num_samples < 1:
        raise InputError(f"must be at least 1, not {num_samples}", field="num_samples")
    tokenizer = sampler.get_tokenizer()
    builder = builder or DatumBuilder(tokenizer=tokenizer)
    answers = score is not None or sampling_params is not None
    if score is not None:
        _check_score(score)
    if not loss and not answers:
        raise InputError("is off, and nothing is scored: there is nothing to do", field="loss")
    exam = _Exam(tokenizer, score)
    questions, dropped = [], 0
    for record in records:
        if score is exact_match:
            _answer(record)
        question = _Question.of(record, builder, loss=loss, answers=answers)
        if loss and not question.datums:
            dropped += 1
        else:
            questions.append(question)
    if not questions:
        too_long = f"; {dropped} are too long" if dropped else ""
        raise InputError(f"there is nothing to evaluate{too_long}", field="records")
    params = sampling_params or GREEDY
    stop = params.stop if params.stop is not None else chat_stop(tokenizer, builder.chat_template)
    of_chats = attrs.evolve(params, stop=stop)
    sent = [
        asked.send(sampler, num_samples, of_chats if isinstance(asked.record, Chat) else params)
        for asked in questions
    ]
    evaluated = []
    try:
        for each in sent:
            evaluated.append(exam.mark(each))
            on_record(evaluated[-1])
    except BaseException:
        for each in sent[len(evaluated) :]:
            each.withdraw()
        raise
    return Evaluation(evaluated, dropped)


def _check_score(score: Score) -> None:
    """Refuse a function that cannot be called with an answer and a record; some do not tell."""
    try:
        signature = inspect.signature(score)
    except (TypeError, ValueError):
        return
    try:
        signature.bind("", None)
    except TypeError as cause:
        raise InputError(
            f"takes {signature}, and is called with an answer and its record ({cause})", field="score"
        ) from cause


def _answer(record: Record) -> str:
    """Return the answer that a record has; InputError where there is none."""
    answer = None if isinstance(record, Preference) else record.answer
    if answer is None:
        raise _of(record, "has no answer to compare: its last turn has no words of the assistant")
    return answer


def _is_answered(chat: Chat) -> bool:
    return any(turn["role"] == "assistant" for turn in chat.messages)


def _of(record: Record, problem: str) -> InputError:
    error = InputError(problem)
    return located(error, record.where) if record.where else error


@attrs.frozen
class _Question:
    """What is sent for a record."""

    record: Record
    datums: list[Datum]
    """For the loss; none where it is not asked for."""
    prompt: ModelInput | None
    """For an answer; None where none is wanted."""

    @classmethod
    def of(cls, record: Record, builder: DatumBuilder, *, loss: bool, answers: bool) -> _Question:
        """Make it; InputError where the record does not allow that."""
        if loss and answers and isinstance(record, Chat) and not _is_answered(record):
            raise _of(record, "has no answer to compute the loss of; evaluate without the loss")
        datums = builder.datums(record) if loss else []
        prompt = None
        if answers:
            if not isinstance(record, Chat | Completion):
                raise _of(record, "is a pair of answers; evaluation takes chats and texts")
            prompt = builder.prompt(record)
        return cls(record, datums, prompt)

    def send(self, sampler: SamplingClient, num_samples: int, params: SamplingParams) -> _AwaitedRecord:
        """Make the requests."""
        return _AwaitedRecord(
            self.record,
            [(datum, sampler.compute_logprobs(_whole(datum))) for datum in self.datums],
            None if self.prompt is None else sampler.sample(self.prompt, num_samples, params),
        )


@attrs.frozen
class _AwaitedRecord:
    """A record whose results are awaited."""

    record: Record
    read: Sequence[tuple[Datum, APIFuture[list[float | None]]]]
    """Its texts, and the log-probabilities of their tokens."""
    answered: APIFuture[SampleResponse] | None

    def withdraw(self) -> None:
        """Give up what is not there yet."""
        for _, future in self.read:
            future.cancel()
        if self.answered is not None:
            self.answered.cancel()


@attrs.define
class _Exam:
    """Turns results into losses and scores."""

    tokenizer: Tokenizer
    score: Score | None
    _marked: int = 0
    _refused: str | None = None
    """What the server said where it refused the first record."""

    def mark(self, sent: _AwaitedRecord) -> EvaluatedRecord:
        """Wait for the results of a record; what goes wrong with it alone is its error."""
        found = EvaluatedRecord(sent.record.where)
        try:
            if sent.read:
                loss, weight = _mean_loss(sent.read)
                found = attrs.evolve(found, loss=loss, weight=weight)
            drawn = sent.answered.result().sequences if sent.answered is not None else []
        except (BadRequestError, UnprocessableEntityError, RequestFailedError) as error:
            if self._marked == 1 and self._refused == error.message:
                raise
            self._refused = error.message
            return attrs.evolve(found, error=str(error))
        finally:
            self._marked += 1
        samples = [
            ScoredSample(self.tokenizer.decode(list(each.tokens), skip_special_tokens=True), each.stop_reason)
            for each in drawn
        ]
        if self.score is None:
            return attrs.evolve(found, samples=samples)
        try:
            scores = [self.score(each.text, sent.record) for each in samples]
        except Exception as error:  # noqa: BLE001 - it is the user's function: the other records go on
            return attrs.evolve(found, samples=samples, error=_blamed(error))
        numbers = [_number(value, sent.record) for value in scores]
        if not all(map(math.isfinite, numbers)):
            return attrs.evolve(
                found, samples=samples, error=f"the scores are {numbers}; return finite numbers"
            )
        scored = [attrs.evolve(each, score=number) for each, number in zip(samples, numbers, strict=True)]
        return attrs.evolve(found, samples=scored)


def _number(value: object, record: Record) -> float:
    """Return a score as a number; InputError for what is none, which the next record would have too."""
    try:
        if not isinstance(value, str | bytes):
            return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        pass
    raise InputError(
        f"returned {value!r:.80} for {record.where or 'a record'}, which is no number; return one",
        field="score",
    )


def _whole(datum: Datum) -> ModelInput:
    """Return the text of a datum: what the model reads, and the last token that it predicts."""
    targets = datum.loss_fn_inputs["target_tokens"].to_numpy()
    return ModelInput.from_ints([*datum.model_input.to_ints(), int(targets[-1])])


def _mean_loss(read: Sequence[tuple[Datum, APIFuture[list[float | None]]]]) -> tuple[float, float]:
    """Return the mean loss of the tokens of a record by their weights, and the sum of these."""
    total, weight = 0.0, 0.0
    for datum, future in read:
        weights = datum.loss_fn_inputs["weights"].tolist()
        for each, logprob in zip(weights, future.result()[1:], strict=True):
            if each and logprob is None:
                raise APIResponseValidationError(
                    message="the server left out a log-probability of the prompt"
                )
            total -= each * (logprob or 0.0)
            weight += each
    return total / weight, weight


def _blamed(error: Exception) -> str:
    """Return what a scoring function did wrong, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = "" if frame.filename == __file__ else f" ({Path(frame.filename).name}:{frame.lineno})"
    return f"the scoring function failed: {type(error).__name__}: {error}{where}"
