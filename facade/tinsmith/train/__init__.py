r"""Training from files: the loop, the learning rate, runs that can be stopped and continued; evaluation.

>>> import pathlib, tempfile, tinsmith
>>> from tinsmith import train
>>> with tempfile.TemporaryDirectory() as name, tinsmith.ServiceClient(base_url="local:") as service:
...     path = pathlib.Path(name, "texts.jsonl")
...     _ = path.write_text('{"text": "Tin melts at 232 °C."}\n{"text": "Lead melts at 327 °C."}')
...     config = train.RunConfig(data=str(path), model="tinsmith/tiny", held_out=0, epochs=4)
...     folder = train.RunFolder.new(pathlib.Path(name, "run"), config)
...     result = train.prepare(service, folder).train()
...     losses = [line["loss"] for line in folder.metrics()]
>>> result.finished, losses[-1] < losses[0]
(True, True)
"""

from tinsmith.train.evaluation import (
    EvaluatedRecord,
    Evaluation,
    Score,
    ScoredSample,
    evaluate,
    exact_match,
)
from tinsmith.train.loop import Logger, SavedStep, supervised
from tinsmith.train.prices import TokenPrices, TokenUse, billed_prices, read_prices
from tinsmith.train.run import PreparedRun, RunPlan, RunResult, plan, prepare
from tinsmith.train.run_config import RunConfig
from tinsmith.train.run_folder import RunFolder
from tinsmith.train.schedule import Schedule, ScheduleShape

__all__ = [
    "EvaluatedRecord",
    "Evaluation",
    "Logger",
    "PreparedRun",
    "RunConfig",
    "RunFolder",
    "RunPlan",
    "RunResult",
    "SavedStep",
    "Schedule",
    "ScheduleShape",
    "Score",
    "ScoredSample",
    "TokenPrices",
    "TokenUse",
    "billed_prices",
    "evaluate",
    "exact_match",
    "plan",
    "prepare",
    "read_prices",
    "supervised",
]
