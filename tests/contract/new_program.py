# pyright: strict
"""What a user does with what was added to the contract. Types exist in the regenerated copy alone."""

import asyncio
import inspect
from typing import Any, assert_type

import tinsmith
import tinsmith_api.models as models
from tinsmith import InputError, testing, types
from tinsmith.io.http.messages import Answer, Seen

PROJECTS = [f"p{number}" for number in range(5)]
busy = ["get_training_run_cost"]


def serve(operation: str, seen: Seen, _body: dict[str, Any]) -> Answer | None:
    """Answer as a server that has the new operations; the first question about costs is put off."""
    path, _, query = operation.partition("?")
    if path.endswith("/cost"):
        if busy:
            busy.clear()
            return testing.reply({"detail": "busy"}, 503)
        return testing.reply({"usd": 12.5, "currency": "USD"})
    if path == "projects":
        asked = dict(part.split("=") for part in (query or seen.target.partition("?")[2]).split("&"))
        start, limit = int(asked["offset"]), int(asked["limit"])
        rows = [{"project_id": name} for name in PROJECTS[start : start + limit]]
        return testing.reply(
            {"projects": rows, "cursor": {"offset": start, "limit": limit, "total_count": 5}}
        )
    if path == "training_runs/r":
        run = {"training_run_id": "r", "base_model": "m", "model_owner": "o", "is_lora": True}
        return testing.reply({**run, "last_request_time": "2026-11-01T00:00:00Z", "display_color": "#f80"})
    return None


def refused(call: Any, *words: str) -> None:
    """Try a call that is out of bounds: the error names the parameter, its value and its range."""
    try:
        call()
    except InputError as error:
        assert all(word in str(error) for word in words), error
    else:
        raise AssertionError(words)


def reads(rest: tinsmith.RestClient) -> None:
    """A field of an answer, a GET through the one retry loop, a list by pages."""
    run = rest.get_training_run("r").result()
    assert_type(run.display_color, str | None)
    assert run.display_color == "#f80"

    cost = rest.get_training_run_cost("r").result()
    assert_type(cost, types.TrainingRunCost)
    assert (cost.usd, cost.extra) == (12.5, {"currency": "USD"})

    page = rest.list_projects(limit=2).result()
    assert_type(page, types.ProjectsResponse)
    assert len(page.projects) == 2
    assert [row.project_id for row in rest.iter_projects()] == PROJECTS
    refused(lambda: rest.list_projects(limit=501), "'limit'", "from 1 to 500", "501")
    assert "2 at a time" in (rest.iter_projects.__doc__ or "")
    assert "`training_run_id`: " in (rest.get_training_run_cost.__doc__ or "")
    assert "The colour in which dashboards draw it." in inspect.getsource(types.TrainingRun)


async def awaited(rest: tinsmith.RestClient, trainer: tinsmith.TrainingClient) -> None:
    """The same under the `_async` names."""
    assert_type(await rest.get_training_run_cost_async("r"), types.TrainingRunCost)
    assert [row.project_id async for row in rest.iter_projects_async()] == PROJECTS
    future = await trainer.merge_weights_async(["tinker://a/weights/b"])
    assert_type(future, tinsmith.APIFuture[types.MergeWeightsResponse])
    assert (await future).merged == 2


def trains(trainer: tinsmith.TrainingClient) -> None:
    """A field of a request, and a promise that takes its number in line."""
    saved = trainer.save_state("a", pin_days=7)
    merged = trainer.merge_weights(["tinker://a/weights/b", "tinker://c/weights/d"])
    stepped = trainer.optim_step(tinsmith.AdamParams())
    assert_type(merged, tinsmith.APIFuture[types.MergeWeightsResponse])
    assert merged.result().merged == 2
    saved.result()
    stepped.result()
    assert (saved.seq_id, merged.seq_id, stepped.seq_id) == (1, 2, 3)
    refused(lambda: trainer.save_state("b", pin_days=31), "'pin_days'", "from 1 to 30", "31")
    refused(lambda: trainer.merge_weights(["tinker://a/weights/b"] * 17), "'paths'", "at most 16", "17")
    assert "`paths`: The checkpoints to merge. At most 16 entries." in (trainer.merge_weights.__doc__ or "")


def raw(service: tinsmith.ServiceClient, model_id: str) -> None:
    """The same by the ids of the contract, with status and headers, and a promise by its id."""
    answer = service.raw.get_training_run_cost("r").response()
    assert_type(answer.parsed, models.TrainingRunCost)
    assert (answer.status_code, answer.parsed.usd) == (200, 12.5)
    promise = service.raw.merge_weights(model_id=model_id, paths=["tinker://a/weights/b"], seq_id=5)
    assert_type(promise.resolved(), tinsmith.APIFuture[models.MergeWeightsResponse])
    assert promise.resolved().result().merged == 2
    again = service.attach(promise.result().request_id, types.MergeWeightsResponse)
    assert again.result().merged == 2


def main() -> None:
    """Use all of it against a service that speaks as the official one does."""
    server = testing.LedgerService()
    server.rules.append(serve)
    server.results["merge_weights"] = {"merged": 2}
    with testing.frozen_clock(), tinsmith.ServiceClient(**server.settings()) as service:
        rest = service.create_rest_client()
        trainer = service.create_lora_training_client("tinsmith/tiny")
        reads(rest)
        trains(trainer)
        asyncio.run(awaited(rest, trainer))
        raw(service, trainer.model_id)
    sent = [seen.json() for seen in server.seen if seen.path.endswith("/save_weights")]
    assert [body["pin_days"] for body in sent] == [7]
    applied = [(entry.seq_id, entry.operation) for entry in server.ledger.applied]
    assert applied[:3] == [(1, "save_weights"), (2, "merge_weights"), (3, "optim_step")], applied
    print("all of it")


if __name__ == "__main__":
    main()
