"""Sampling many sequences at once: more rows than fit the cache-sized pieces in which a layer is computed."""

import numpy as np
import pytest
from tinsmith_local.engine import rows
from tinsmith_local.engine.jobs import SampleJob
from tinsmith_local.engine.scheduler import Scheduler, sample
from tinsmith_local.models.registry import load
from tinsmith_local.models.tiny import open_tiny


def test_a_batch_of_several_pieces_samples_what_each_job_samples_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows beyond the first piece are computed too, and give the tokens of a job on its own."""
    monkeypatch.setattr(rows, "CACHE_BYTES", 10_000)
    model = load(open_tiny())
    jobs = [
        SampleJob(prompt=np.arange(1, 6 + number, dtype=np.int64), max_tokens=4, temperature=0.0)
        for number in range(20)
    ]
    scheduler = Scheduler(model)
    handles = [scheduler.submit(job) for job in jobs]
    while not scheduler.idle:
        scheduler.step()
    for job, handle in zip(jobs, handles, strict=True):
        assert handle.output is not None, handle.error
        assert np.array_equal(handle.output.samples[0].tokens, sample(model, job).samples[0].tokens)
