# Written by codegen.sh from openapi/tinker.yaml. Do not edit.
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.adam_params import AdamParams
    from ..models.dimuon_params import DimuonParams
    from ..models.other_optimizer_params import OtherOptimizerParams


T = TypeVar("T", bound="OptimStepRequest")


@_attrs_define
class OptimStepRequest:
    """Apply the gradients gathered so far, and clear them. Give `adam_params` or `optimizer_params`."""

    model_id: str
    """ Id of a model in training. The hosted service forms it as `<session>:train:<model_seq_id>`, and the id of
    its training run is the same text. Treat it as opaque.
     """
    adam_params: AdamParams | None | Unset = UNSET
    """ Settings of a step of Adam. Clients before 0.30 always send it, `{}` for all defaults. """
    seq_id: int | None | Unset = UNSET
    """ Place of the request in the model's training order, from 1. Absent or null leaves it to the server. """
    optimizer_params: DimuonParams | None | OtherOptimizerParams | Unset = UNSET
    """ Settings of a step of another optimizer. """
    type_: Literal["optim_step"] | Unset = "optim_step"
    """ The kind of request, always `optim_step`. """

    def to_dict(self) -> dict[str, Any]:
        from ..models.adam_params import AdamParams  # noqa: PLC0415
        from ..models.dimuon_params import DimuonParams  # noqa: PLC0415
        from ..models.other_optimizer_params import OtherOptimizerParams  # noqa: PLC0415

        model_id = self.model_id

        adam_params: dict[str, Any] | None | Unset
        if isinstance(self.adam_params, Unset):
            adam_params = UNSET
        elif isinstance(self.adam_params, AdamParams):
            adam_params = self.adam_params.to_dict()
        else:
            adam_params = self.adam_params

        seq_id: int | None | Unset
        if isinstance(self.seq_id, Unset):
            seq_id = UNSET
        else:
            seq_id = self.seq_id

        optimizer_params: dict[str, Any] | None | Unset
        if isinstance(self.optimizer_params, Unset):
            optimizer_params = UNSET
        elif isinstance(self.optimizer_params, DimuonParams):
            optimizer_params = self.optimizer_params.to_dict()
        elif isinstance(self.optimizer_params, OtherOptimizerParams):
            optimizer_params = self.optimizer_params.to_dict()
        else:
            optimizer_params = self.optimizer_params

        type_ = self.type_

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "model_id": model_id,
            }
        )
        if adam_params is not UNSET:
            field_dict["adam_params"] = adam_params
        if seq_id is not UNSET:
            field_dict["seq_id"] = seq_id
        if optimizer_params is not UNSET:
            field_dict["optimizer_params"] = optimizer_params
        if type_ is not UNSET:
            field_dict["type"] = type_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.adam_params import AdamParams  # noqa: PLC0415
        from ..models.dimuon_params import DimuonParams  # noqa: PLC0415
        from ..models.other_optimizer_params import OtherOptimizerParams  # noqa: PLC0415

        d = dict(src_dict)
        model_id = d.pop("model_id")

        def _parse_adam_params(data: Any) -> AdamParams | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return AdamParams.from_dict(data)

        adam_params = _parse_adam_params(d.pop("adam_params", UNSET))

        seq_id = cast(int | None | Unset, d.pop("seq_id", UNSET))

        def _parse_optimizer_params(data: Any) -> DimuonParams | None | OtherOptimizerParams | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            tag = data["type"]
            if tag == "dimuon":
                return DimuonParams.from_dict(data)
            return OtherOptimizerParams.from_dict(data)

        optimizer_params = _parse_optimizer_params(d.pop("optimizer_params", UNSET))

        type_ = cast(Literal["optim_step"] | Unset, d.pop("type", UNSET))
        if type_ != "optim_step" and not isinstance(type_, Unset):
            raise ValueError(f"type must match const 'optim_step', got '{type_}'")

        optim_step_request = cls(
            model_id=model_id,
            adam_params=adam_params,
            seq_id=seq_id,
            optimizer_params=optimizer_params,
            type_=type_,
        )

        return optim_step_request
