# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
"""Every operation of the contract under its own id, with what it answers as it is: promises are promises."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any, Literal, overload

from .. import models
from ..resource import Ask, RawFuture, RawPromise, RawResource


class RawOperations(RawResource):
    """Every operation of the contract. A body is a model, or its fields by name."""

    def healthz(self) -> RawFuture[models.HealthResponse]:
        """Say whether the server is up."""
        return self._ask(Ask("healthz", models.HealthResponse))

    def get_server_capabilities(self) -> RawFuture[models.GetServerCapabilitiesResponse]:
        """List the base models."""
        return self._ask(Ask("get_server_capabilities", models.GetServerCapabilitiesResponse))

    @overload
    def client_config(
        self, *, body: models.ClientConfigRequest
    ) -> RawFuture[models.ClientConfigResponse]: ...
    @overload
    def client_config(self, *, sdk_version: str) -> RawFuture[models.ClientConfigResponse]: ...
    def client_config(self, **given: Any) -> RawFuture[models.ClientConfigResponse]:
        """Ask how to behave."""
        return self._ask(
            Ask(
                "client_config",
                models.ClientConfigResponse,
                body=self._body("client_config", models.ClientConfigRequest, given),
                model=models.ClientConfigRequest,
            )
        )

    @overload
    def client_dynamic_config(
        self, *, body: models.ClientConfigRequest
    ) -> RawFuture[models.ClientDynamicConfigResponse]: ...
    @overload
    def client_dynamic_config(self, *, sdk_version: str) -> RawFuture[models.ClientDynamicConfigResponse]: ...
    def client_dynamic_config(self, **given: Any) -> RawFuture[models.ClientDynamicConfigResponse]:
        """Ask again how to behave."""
        return self._ask(
            Ask(
                "client_dynamic_config",
                models.ClientDynamicConfigResponse,
                body=self._body("client_dynamic_config", models.ClientConfigRequest, given),
                model=models.ClientConfigRequest,
            )
        )

    def auth_token(
        self, *, body: models.AuthTokenRequest | None = None
    ) -> RawFuture[models.AuthTokenResponse]:
        """Exchange the key for a token."""
        return self._ask(
            Ask(
                "auth_token",
                models.AuthTokenResponse,
                body=self._body(
                    "auth_token", models.AuthTokenRequest, {} if body is None else {"body": body}
                ),
                model=models.AuthTokenRequest,
            )
        )

    def get_api_key(self) -> RawFuture[models.ApiKeyInfo]:
        """Describe the key."""
        return self._ask(Ask("get_api_key", models.ApiKeyInfo))

    def delete_api_key(self) -> RawFuture[None]:
        """Revoke the key."""
        return self._ask(Ask("delete_api_key", NoneType))

    @overload
    def create_session(
        self, *, body: models.CreateSessionRequest
    ) -> RawFuture[models.CreateSessionResponse]: ...
    @overload
    def create_session(
        self,
        *,
        tags: Sequence[str],
        user_metadata: Mapping[str, Any] | None,
        sdk_version: str,
        project_id: str | None = None,
        display_name: str | None = None,
    ) -> RawFuture[models.CreateSessionResponse]: ...
    def create_session(self, **given: Any) -> RawFuture[models.CreateSessionResponse]:
        """Open a session."""
        return self._ask(
            Ask(
                "create_session",
                models.CreateSessionResponse,
                body=self._body("create_session", models.CreateSessionRequest, given),
                model=models.CreateSessionRequest,
            )
        )

    @overload
    def session_heartbeat(
        self, *, body: models.SessionHeartbeatRequest
    ) -> RawFuture[models.SessionHeartbeatResponse]: ...
    @overload
    def session_heartbeat(self, *, session_id: str) -> RawFuture[models.SessionHeartbeatResponse]: ...
    def session_heartbeat(self, **given: Any) -> RawFuture[models.SessionHeartbeatResponse]:
        """Keep a session alive."""
        return self._ask(
            Ask(
                "session_heartbeat",
                models.SessionHeartbeatResponse,
                body=self._body("session_heartbeat", models.SessionHeartbeatRequest, given),
                model=models.SessionHeartbeatRequest,
            )
        )

    def list_sessions(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        access_scope: Literal["owned", "accessible"] | None = None,
    ) -> RawFuture[models.ListSessionsResponse]:
        """List sessions."""
        return self._ask(
            Ask(
                "list_sessions",
                models.ListSessionsResponse,
                query={"limit": limit, "offset": offset, "access_scope": access_scope},
            )
        )

    def get_session(
        self, session_id: str, *, access_scope: Literal["owned", "accessible"] | None = None
    ) -> RawFuture[models.GetSessionResponse]:
        """Describe a session."""
        return self._ask(
            Ask(
                "get_session",
                models.GetSessionResponse,
                path={"session_id": session_id},
                query={"access_scope": access_scope},
            )
        )

    @overload
    def set_session_project(
        self, session_id: str, *, body: models.SetSessionProjectRequest
    ) -> RawFuture[None]: ...
    @overload
    def set_session_project(self, session_id: str, *, project_id: str) -> RawFuture[None]: ...
    def set_session_project(self, session_id: str, **given: Any) -> RawFuture[None]:
        """Move a session to a project."""
        return self._ask(
            Ask(
                "set_session_project",
                NoneType,
                path={"session_id": session_id},
                body=self._body("set_session_project", models.SetSessionProjectRequest, given),
                model=models.SetSessionProjectRequest,
            )
        )

    @overload
    def finish_session(self, session_id: str, *, body: models.FinishSessionRequest) -> RawFuture[None]: ...
    @overload
    def finish_session(
        self, session_id: str, *, reason: models.FinishReason, detail: str | None = None
    ) -> RawFuture[None]: ...
    def finish_session(self, session_id: str, **given: Any) -> RawFuture[None]:
        """End a session."""
        return self._ask(
            Ask(
                "finish_session",
                NoneType,
                path={"session_id": session_id},
                body=self._body("finish_session", models.FinishSessionRequest, given),
                model=models.FinishSessionRequest,
            )
        )

    def export_session_trace(self, session_id: str) -> RawFuture[models.SessionTraceExport]:
        """Export the trace of a session."""
        return self._ask(
            Ask("export_session_trace", models.SessionTraceExport, path={"session_id": session_id})
        )

    @overload
    def search_sessions(
        self, *, body: models.SessionSearchRequest
    ) -> RawFuture[models.SessionSearchResponse]: ...
    @overload
    def search_sessions(
        self,
        *,
        session_id: str | None = None,
        project_ids: Sequence[str] | None = None,
        user_metadata: Mapping[str, str] | None = None,
        display_name: str | None = None,
        owner: models.OwnSearchOwner | models.AccessibleSearchOwner | models.UserSearchOwner | None = None,
        statuses: Sequence[
            models.ActiveSessionStatusQuery
            | models.CancelledSessionStatusQuery
            | models.FailedSessionStatusQuery
            | models.ClientFinishedSessionStatusQuery
        ]
        | None = None,
        limit: int | None = None,
        cursor: models.SessionSearchCursor | None = None,
    ) -> RawFuture[models.SessionSearchResponse]: ...
    def search_sessions(self, **given: Any) -> RawFuture[models.SessionSearchResponse]:
        """Find sessions."""
        return self._ask(
            Ask(
                "search_sessions",
                models.SessionSearchResponse,
                body=self._body("search_sessions", models.SessionSearchRequest, given),
                model=models.SessionSearchRequest,
            )
        )

    @overload
    def create_model(
        self, *, body: models.CreateModelRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.CreateModelResponse]: ...
    @overload
    def create_model(
        self,
        *,
        session_id: str,
        model_seq_id: int,
        base_model: str,
        user_metadata: Mapping[str, Any] | None = None,
        lora_config: models.LoraConfig | None = None,
        optimizer_config: models.AdamOptimizerConfig
        | models.DimuonOptimizerConfig
        | models.OtherOptimizerConfig
        | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.CreateModelResponse]: ...
    def create_model(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.CreateModelResponse]:
        """Create a model to train."""
        return self._promise(
            Ask(
                "create_model",
                models.UntypedAPIFuture,
                body=self._body("create_model", models.CreateModelRequest, given),
                model=models.CreateModelRequest,
            ),
            models.CreateModelResponse,
        )

    @overload
    def get_info(self, *, body: models.GetInfoRequest) -> RawFuture[models.GetInfoResponse]: ...
    @overload
    def get_info(self, *, model_id: str) -> RawFuture[models.GetInfoResponse]: ...
    def get_info(self, **given: Any) -> RawFuture[models.GetInfoResponse]:
        """Describe a model."""
        return self._ask(
            Ask(
                "get_info",
                models.GetInfoResponse,
                body=self._body("get_info", models.GetInfoRequest, given),
                model=models.GetInfoRequest,
            )
        )

    @overload
    def unload_model(
        self, *, body: models.UnloadModelRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.UnloadModelResponse]: ...
    @overload
    def unload_model(
        self, *, model_id: str
    ) -> RawPromise[models.UntypedAPIFuture, models.UnloadModelResponse]: ...
    def unload_model(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.UnloadModelResponse]:
        """Free the memory of a model."""
        return self._promise(
            Ask(
                "unload_model",
                models.UntypedAPIFuture,
                body=self._body("unload_model", models.UnloadModelRequest, given),
                model=models.UnloadModelRequest,
            ),
            models.UnloadModelResponse,
        )

    def get_tokenizer(self, *, base_model: str) -> RawFuture[models.GetTokenizerResponse]:
        """Fetch a tokenizer."""
        return self._ask(Ask("get_tokenizer", models.GetTokenizerResponse, query={"base_model": base_model}))

    @overload
    def forward(
        self, *, body: models.ForwardRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]: ...
    @overload
    def forward(
        self, *, forward_input: models.ForwardBackwardInput, model_id: str, seq_id: int | None = None
    ) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]: ...
    def forward(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]:
        """Compute a loss."""
        return self._promise(
            Ask(
                "forward",
                models.UntypedAPIFuture,
                body=self._body("forward", models.ForwardRequest, given),
                model=models.ForwardRequest,
            ),
            models.ForwardBackwardOutput,
        )

    @overload
    def forward_backward(
        self, *, body: models.ForwardBackwardRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]: ...
    @overload
    def forward_backward(
        self, *, forward_backward_input: models.ForwardBackwardInput, model_id: str, seq_id: int | None = None
    ) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]: ...
    def forward_backward(
        self, **given: Any
    ) -> RawPromise[models.UntypedAPIFuture, models.ForwardBackwardOutput]:
        """Compute a loss and its gradients."""
        return self._promise(
            Ask(
                "forward_backward",
                models.UntypedAPIFuture,
                body=self._body("forward_backward", models.ForwardBackwardRequest, given),
                model=models.ForwardBackwardRequest,
            ),
            models.ForwardBackwardOutput,
        )

    @overload
    def optim_step(
        self, *, body: models.OptimStepRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.OptimStepResponse]: ...
    @overload
    def optim_step(
        self,
        *,
        model_id: str,
        adam_params: models.AdamParams | None = None,
        seq_id: int | None = None,
        optimizer_params: models.DimuonParams | models.OtherOptimizerParams | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.OptimStepResponse]: ...
    def optim_step(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.OptimStepResponse]:
        """Take an optimizer step."""
        return self._promise(
            Ask(
                "optim_step",
                models.UntypedAPIFuture,
                body=self._body("optim_step", models.OptimStepRequest, given),
                model=models.OptimStepRequest,
            ),
            models.OptimStepResponse,
        )

    @overload
    def create_custom_loss(
        self, *, body: models.CreateCustomLossRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.CreateCustomLossResponse]: ...
    @overload
    def create_custom_loss(
        self,
        *,
        session_id: str,
        custom_loss_seq_id: int,
        name: str,
        inputs: Sequence[models.CustomLossInput],
        graph: models.CustomLossGraph,
    ) -> RawPromise[models.UntypedAPIFuture, models.CreateCustomLossResponse]: ...
    def create_custom_loss(
        self, **given: Any
    ) -> RawPromise[models.UntypedAPIFuture, models.CreateCustomLossResponse]:
        """Give the server a loss function."""
        return self._promise(
            Ask(
                "create_custom_loss",
                models.UntypedAPIFuture,
                body=self._body("create_custom_loss", models.CreateCustomLossRequest, given),
                model=models.CreateCustomLossRequest,
            ),
            models.CreateCustomLossResponse,
        )

    @overload
    def save_weights(
        self, *, body: models.SaveWeightsRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsResponse]: ...
    @overload
    def save_weights(
        self,
        *,
        model_id: str,
        path: str | None = None,
        seq_id: int | None = None,
        ttl_seconds: int | None = None,
        overwrite: bool | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsResponse]: ...
    def save_weights(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsResponse]:
        """Save a checkpoint to go on training from."""
        return self._promise(
            Ask(
                "save_weights",
                models.UntypedAPIFuture,
                body=self._body("save_weights", models.SaveWeightsRequest, given),
                model=models.SaveWeightsRequest,
            ),
            models.SaveWeightsResponse,
        )

    @overload
    def load_weights(
        self, *, body: models.LoadWeightsRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.LoadWeightsResponse]: ...
    @overload
    def load_weights(
        self,
        *,
        path: str,
        optimizer: bool,
        model_id: str | None = None,
        seq_id: int | None = None,
        session_id: str | None = None,
        model_seq_id: int | None = None,
        base_model: str | None = None,
        user_metadata: Mapping[str, Any] | None = None,
        optimizer_config: models.AdamOptimizerConfig
        | models.DimuonOptimizerConfig
        | models.OtherOptimizerConfig
        | None = None,
        weights_access_token: str | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.LoadWeightsResponse]: ...
    def load_weights(self, **given: Any) -> RawPromise[models.UntypedAPIFuture, models.LoadWeightsResponse]:
        """Load a checkpoint."""
        return self._promise(
            Ask(
                "load_weights",
                models.UntypedAPIFuture,
                body=self._body("load_weights", models.LoadWeightsRequest, given),
                model=models.LoadWeightsRequest,
            ),
            models.LoadWeightsResponse,
        )

    @overload
    def save_weights_for_sampler(
        self, *, body: models.SaveWeightsForSamplerRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsForSamplerResponse]: ...
    @overload
    def save_weights_for_sampler(
        self,
        *,
        model_id: str,
        path: str | None = None,
        sampling_session_seq_id: int | None = None,
        kind: Literal["snapshot", "inflight"] | None = None,
        seq_id: int | None = None,
        ttl_seconds: int | None = None,
        user_metadata: Mapping[str, str] | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsForSamplerResponse]: ...
    def save_weights_for_sampler(
        self, **given: Any
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsForSamplerResponse]:
        """Save weights to sample from."""
        return self._promise(
            Ask(
                "save_weights_for_sampler",
                models.UntypedAPIFuture,
                body=self._body("save_weights_for_sampler", models.SaveWeightsForSamplerRequest, given),
                model=models.SaveWeightsForSamplerRequest,
            ),
            models.SaveWeightsForSamplerResponse,
        )

    @overload
    def save_weights_external(
        self, *, body: models.SaveWeightsExternalRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsExternalResponse]: ...
    @overload
    def save_weights_external(
        self,
        *,
        model_id: str,
        path: str,
        seq_id: int | None = None,
        ttl_seconds: int | None = None,
        age_encryption_recipients: Sequence[str] | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsExternalResponse]: ...
    def save_weights_external(
        self, **given: Any
    ) -> RawPromise[models.UntypedAPIFuture, models.SaveWeightsExternalResponse]:
        """Save weights to download."""
        return self._promise(
            Ask(
                "save_weights_external",
                models.UntypedAPIFuture,
                body=self._body("save_weights_external", models.SaveWeightsExternalRequest, given),
                model=models.SaveWeightsExternalRequest,
            ),
            models.SaveWeightsExternalResponse,
        )

    @overload
    def weights_info(self, *, body: models.WeightsInfoRequest) -> RawFuture[models.WeightsInfoResponse]: ...
    @overload
    def weights_info(self, *, tinker_path: str) -> RawFuture[models.WeightsInfoResponse]: ...
    def weights_info(self, **given: Any) -> RawFuture[models.WeightsInfoResponse]:
        """Describe a checkpoint."""
        return self._ask(
            Ask(
                "weights_info",
                models.WeightsInfoResponse,
                body=self._body("weights_info", models.WeightsInfoRequest, given),
                model=models.WeightsInfoRequest,
            )
        )

    @overload
    def copy_weights(
        self,
        *,
        x_idempotency_key: str | None = None,
        x_tinker_weights_access_token: str | None = None,
        body: models.CopyWeightsRequest,
    ) -> RawFuture[models.CopyWeightsResponse]: ...
    @overload
    def copy_weights(
        self,
        *,
        x_idempotency_key: str | None = None,
        x_tinker_weights_access_token: str | None = None,
        source_path: str,
        session_id: str | None = None,
        model_seq_id: int | None = None,
        destination_project_id: str | None = None,
        ttl_seconds: int | None = None,
        weights_access_token: str | None = None,
    ) -> RawFuture[models.CopyWeightsResponse]: ...
    def copy_weights(
        self,
        *,
        x_idempotency_key: str | None = None,
        x_tinker_weights_access_token: str | None = None,
        **given: Any,
    ) -> RawFuture[models.CopyWeightsResponse]:
        """Copy a checkpoint."""
        return self._ask(
            Ask(
                "copy_weights",
                models.CopyWeightsResponse,
                headers={
                    "X-Idempotency-Key": x_idempotency_key,
                    "X-Tinker-Weights-Access-Token": x_tinker_weights_access_token,
                },
                body=self._body("copy_weights", models.CopyWeightsRequest, given),
                model=models.CopyWeightsRequest,
            )
        )

    @overload
    def create_sampling_session(
        self, *, body: models.CreateSamplingSessionRequest
    ) -> RawFuture[models.CreateSamplingSessionResponse]: ...
    @overload
    def create_sampling_session(
        self,
        *,
        session_id: str,
        sampling_session_seq_id: int,
        base_model: str | None = None,
        model_path: str | None = None,
    ) -> RawFuture[models.CreateSamplingSessionResponse]: ...
    def create_sampling_session(self, **given: Any) -> RawFuture[models.CreateSamplingSessionResponse]:
        """Make a sampler."""
        return self._ask(
            Ask(
                "create_sampling_session",
                models.CreateSamplingSessionResponse,
                body=self._body("create_sampling_session", models.CreateSamplingSessionRequest, given),
                model=models.CreateSamplingSessionRequest,
            )
        )

    @overload
    def join_sampling_session(
        self, *, body: models.JoinSamplingSessionRequest
    ) -> RawFuture[models.JoinSamplingSessionResponse]: ...
    @overload
    def join_sampling_session(
        self, *, sampling_session_id: str
    ) -> RawFuture[models.JoinSamplingSessionResponse]: ...
    def join_sampling_session(self, **given: Any) -> RawFuture[models.JoinSamplingSessionResponse]:
        """Join a sampler from another process."""
        return self._ask(
            Ask(
                "join_sampling_session",
                models.JoinSamplingSessionResponse,
                body=self._body("join_sampling_session", models.JoinSamplingSessionRequest, given),
                model=models.JoinSamplingSessionRequest,
            )
        )

    @overload
    def asample(
        self, *, x_tinker_sampling_backpressure: str | None = None, body: models.SampleRequest
    ) -> RawPromise[models.UntypedAPIFuture, models.SampleResponse]: ...
    @overload
    def asample(
        self,
        *,
        x_tinker_sampling_backpressure: str | None = None,
        prompt: models.ModelInput,
        sampling_params: models.SamplingParams,
        num_samples: int | None = None,
        base_model: str | None = None,
        model_path: str | None = None,
        sampling_session_id: str | None = None,
        seq_id: int | None = None,
        prompt_logprobs: bool | None = None,
        topk_prompt_logprobs: int | None = None,
        topk_sample_logprobs: int | None = None,
        target_prompt_logprobs: models.TensorData | None = None,
        prompt_alt_tokens_k: int | None = None,
        prompt_logprobs_last_n: int | None = None,
        record_stability_info: bool | None = None,
    ) -> RawPromise[models.UntypedAPIFuture, models.SampleResponse]: ...
    def asample(
        self, *, x_tinker_sampling_backpressure: str | None = None, **given: Any
    ) -> RawPromise[models.UntypedAPIFuture, models.SampleResponse]:
        """Sample completions."""
        return self._promise(
            Ask(
                "asample",
                models.UntypedAPIFuture,
                headers={"X-Tinker-Sampling-Backpressure": x_tinker_sampling_backpressure},
                body=self._body("asample", models.SampleRequest, given),
                model=models.SampleRequest,
            ),
            models.SampleResponse,
        )

    def get_sampler(self, sampler_id: str) -> RawFuture[models.GetSamplerResponse]:
        """Describe a sampler."""
        return self._ask(Ask("get_sampler", models.GetSamplerResponse, path={"sampler_id": sampler_id}))

    @overload
    def retrieve_future(
        self,
        *,
        x_tinker_request_iteration: str | None = None,
        x_tinker_request_type: str | None = None,
        x_tinker_create_promise_roundtrip_time: str | None = None,
        body: models.FutureRetrieveRequest,
    ) -> RawFuture[models.FutureAnswer]: ...
    @overload
    def retrieve_future(
        self,
        *,
        x_tinker_request_iteration: str | None = None,
        x_tinker_request_type: str | None = None,
        x_tinker_create_promise_roundtrip_time: str | None = None,
        request_id: str,
        allow_metadata_only: bool | None = None,
    ) -> RawFuture[models.FutureAnswer]: ...
    def retrieve_future(
        self,
        *,
        x_tinker_request_iteration: str | None = None,
        x_tinker_request_type: str | None = None,
        x_tinker_create_promise_roundtrip_time: str | None = None,
        **given: Any,
    ) -> RawFuture[models.FutureAnswer]:
        """Ask for a result."""
        return self._ask(
            Ask(
                "retrieve_future",
                models.FutureAnswer,
                headers={
                    "X-Tinker-Request-Iteration": x_tinker_request_iteration,
                    "X-Tinker-Request-Type": x_tinker_request_type,
                    "X-Tinker-Create-Promise-Roundtrip-Time": x_tinker_create_promise_roundtrip_time,
                },
                body=self._body("retrieve_future", models.FutureRetrieveRequest, given),
                model=models.FutureRetrieveRequest,
            )
        )

    @overload
    def retrieve_futures(
        self, *, body: models.FuturesRetrieveRequest
    ) -> RawFuture[models.FuturesRetrieveResponse]: ...
    @overload
    def retrieve_futures(
        self,
        *,
        target: models.SamplingSessionFuturesTarget,
        prev_cursor: int | None = None,
        timeout: float | None = None,
        retrieved_request_ids: Sequence[str] | None = None,
    ) -> RawFuture[models.FuturesRetrieveResponse]: ...
    def retrieve_futures(self, **given: Any) -> RawFuture[models.FuturesRetrieveResponse]:
        """Watch the promises of a sampler."""
        return self._ask(
            Ask(
                "retrieve_futures",
                models.FuturesRetrieveResponse,
                body=self._body("retrieve_futures", models.FuturesRetrieveRequest, given),
                model=models.FuturesRetrieveRequest,
            )
        )

    @overload
    def cancel_future(self, *, body: models.CancelFutureRequest) -> RawFuture[None]: ...
    @overload
    def cancel_future(self, *, request_id: str) -> RawFuture[None]: ...
    def cancel_future(self, **given: Any) -> RawFuture[None]:
        """Give up a promise."""
        return self._ask(
            Ask(
                "cancel_future",
                NoneType,
                body=self._body("cancel_future", models.CancelFutureRequest, given),
                model=models.CancelFutureRequest,
            )
        )

    def list_training_runs(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        access_scope: Literal["owned", "accessible"] | None = None,
        project_id: str | None = None,
    ) -> RawFuture[models.TrainingRunsResponse]:
        """List training runs."""
        return self._ask(
            Ask(
                "list_training_runs",
                models.TrainingRunsResponse,
                query={
                    "limit": limit,
                    "offset": offset,
                    "access_scope": access_scope,
                    "project_id": project_id,
                },
            )
        )

    def get_training_run(
        self, training_run_id: str, *, access_scope: Literal["owned", "accessible"] | None = None
    ) -> RawFuture[models.TrainingRun]:
        """Describe a training run."""
        return self._ask(
            Ask(
                "get_training_run",
                models.TrainingRun,
                path={"training_run_id": training_run_id},
                query={"access_scope": access_scope},
            )
        )

    def list_checkpoints(
        self, training_run_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> RawFuture[models.CheckpointsListResponse]:
        """List the checkpoints of a run."""
        return self._ask(
            Ask(
                "list_checkpoints",
                models.CheckpointsListResponse,
                path={"training_run_id": training_run_id},
                query={"limit": limit, "offset": offset},
            )
        )

    def list_user_checkpoints(
        self, *, limit: int | None = None, offset: int | None = None
    ) -> RawFuture[models.CheckpointsListResponse]:
        """List one's own checkpoints."""
        return self._ask(
            Ask(
                "list_user_checkpoints",
                models.CheckpointsListResponse,
                query={"limit": limit, "offset": offset},
            )
        )

    def delete_checkpoint(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
    ) -> RawFuture[None]:
        """Delete a checkpoint."""
        return self._ask(
            Ask(
                "delete_checkpoint",
                NoneType,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
            )
        )

    def get_checkpoint_archive_url(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
    ) -> RawFuture[None]:
        """Get the URL of a checkpoint's archive."""
        return self._ask(
            Ask(
                "get_checkpoint_archive_url",
                NoneType,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
            )
        )

    def publish_checkpoint(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
    ) -> RawFuture[None]:
        """Make a checkpoint public."""
        return self._ask(
            Ask(
                "publish_checkpoint",
                NoneType,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
            )
        )

    def unpublish_checkpoint(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
    ) -> RawFuture[None]:
        """Make a checkpoint private."""
        return self._ask(
            Ask(
                "unpublish_checkpoint",
                NoneType,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
            )
        )

    @overload
    def set_checkpoint_ttl(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
        *,
        body: models.SetCheckpointTtlRequest,
    ) -> RawFuture[None]: ...
    @overload
    def set_checkpoint_ttl(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
        *,
        ttl_seconds: int | None,
    ) -> RawFuture[None]: ...
    def set_checkpoint_ttl(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
        **given: Any,
    ) -> RawFuture[None]:
        """Set the expiry of a checkpoint."""
        return self._ask(
            Ask(
                "set_checkpoint_ttl",
                NoneType,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
                body=self._body("set_checkpoint_ttl", models.SetCheckpointTtlRequest, given),
                model=models.SetCheckpointTtlRequest,
            )
        )

    def get_external_weights_urls(
        self,
        training_run_id: str,
        checkpoint_kind: Literal["weights", "sampler_weights", "external_weights"],
        checkpoint_name: str,
    ) -> RawFuture[models.ExternalWeightsUrlsResponse]:
        """Get the URLs of a checkpoint's files."""
        return self._ask(
            Ask(
                "get_external_weights_urls",
                models.ExternalWeightsUrlsResponse,
                path={
                    "training_run_id": training_run_id,
                    "checkpoint_kind": checkpoint_kind,
                    "checkpoint_name": checkpoint_name,
                },
            )
        )

    @overload
    def telemetry(self, *, body: models.TelemetrySendRequest) -> RawFuture[models.TelemetryResponse]: ...
    @overload
    def telemetry(
        self,
        *,
        events: Sequence[
            models.SessionStartEvent
            | models.SessionEndEvent
            | models.UnhandledExceptionEvent
            | models.GenericEvent
        ],
        platform: str,
        sdk_version: str,
        session_id: str,
        process_uuid: str | None = None,
    ) -> RawFuture[models.TelemetryResponse]: ...
    def telemetry(self, **given: Any) -> RawFuture[models.TelemetryResponse]:
        """Report events."""
        return self._ask(
            Ask(
                "telemetry",
                models.TelemetryResponse,
                body=self._body("telemetry", models.TelemetrySendRequest, given),
                model=models.TelemetrySendRequest,
            )
        )

    def list_billing_usage_events(
        self, *, starting_on: datetime.datetime | str, ending_before: datetime.datetime | str
    ) -> RawFuture[models.BillingUsageResponse]:
        """List usage."""
        return self._ask(
            Ask(
                "list_billing_usage_events",
                models.BillingUsageResponse,
                query={"starting_on": starting_on, "ending_before": ending_before},
            )
        )

    def list_checkpoint_storage_usage(
        self, *, project_id: str | None = None
    ) -> RawFuture[models.CurrentCheckpointStorageUsageResponse]:
        """List what stored checkpoints take."""
        return self._ask(
            Ask(
                "list_checkpoint_storage_usage",
                models.CurrentCheckpointStorageUsageResponse,
                query={"project_id": project_id},
            )
        )

    def list_audit_log(
        self,
        *,
        event_type: Literal["all", "checkpoints", "projects", "teams", "organizations"] | None = None,
        day: datetime.date | str | None = None,
    ) -> RawFuture[models.AuditLogResponse]:
        """Read the audit log."""
        return self._ask(
            Ask("list_audit_log", models.AuditLogResponse, query={"event_type": event_type, "day": day})
        )
