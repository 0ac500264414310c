"""Bodies as plain data, which both clients build from and are compared with. Imports neither of them.

Every float is exact in 32 bits. In results a tensor is [dtype, shape, numbers].
"""

from typing import Any

PNG = "iVBORw0KGgo="

REQUESTS: dict[str, dict[str, Any]] = {
    "text": {
        "loss_fn": "cross_entropy",
        "data": [
            {
                "chunks": [{"type": "encoded_text", "tokens": [1, 2, 2147483647]}],
                "inputs": {
                    "target_tokens": {"dtype": "int64", "data": [2, 3, 2**40], "shape": [3]},
                    "weights": {"dtype": "float32", "data": [0.0, 0.5, -1.25], "shape": [3]},
                },
            },
            {"chunks": [], "inputs": {"unshaped": {"dtype": "float32", "data": [1.0, 2.0]}}},
        ],
    },
    "pieces": {
        "loss_fn": "ppo",
        "loss_fn_config": {"clip_low_threshold": 0.75, "mode": "token"},
        "data": [
            {
                "chunks": [
                    {"type": "encoded_text", "tokens": [7]},
                    {"type": "image", "data": PNG, "format": "png", "expected_tokens": 9},
                    {"type": "image", "data": PNG, "format": "jpeg"},
                    {"type": "dmel", "dmel": "AQIDBAUGBwgJCgsMDQ4PEA=="},
                    {"type": "encoded_text", "tokens": []},
                ],
                "inputs": {
                    "rows": {"dtype": "int64", "data": [1, -2, 3, -4, 5, -6], "shape": [3, 2]},
                    "empty": {"dtype": "float32", "data": [], "shape": [0]},
                },
                "model_input_spans": [["prompt", "s:1", 0, 5], ["sampled", "s:1", 5, 2**40]],
                "loss_fn_input_spans": [["sampled", "é", 3, 1]],
            }
        ],
    },
    "sparse": {
        "loss_fn": "cross_entropy",
        "data": [
            {
                "chunks": [{"type": "encoded_text", "tokens": [5, 6, 7]}],
                "inputs": {
                    "target_tokens": {
                        "dtype": "int64",
                        "data": [11, 12, 13],
                        "shape": [3, 4],
                        "sparse_crow_indices": [0, 2, 2, 3],
                        "sparse_col_indices": [0, 3, 1],
                    }
                },
            }
        ],
    },
}

OUTPUTS: dict[str, dict[str, Any]] = {
    "one-record": {
        "type": "a:b:TorchLossReturn",
        "records": [
            {
                "logprobs": [["float32", [2], [-0.5, -0.25]], ["float32", [3], [-1.0, -2.0, -4.0]]],
                "rows": [["int64", [1, 2], [1, 2]], ["int64", [0, 2], []]],
            }
        ],
        "metrics": {"loss:sum": 1.5, "tokens:sum": 1e300},
    },
    "two-records": {
        "type": "ArrayRecord",
        "records": [
            {"logprobs": [["float32", [1], [-0.5]]]},
            {"logprobs": [["float32", [1, 1], [-0.75]], ["float32", [2, 1], [0.0, 8.0]]]},
        ],
        "metrics": {},
    },
    "short-types": {
        "type": "ArrayRecord",
        "records": [
            {
                "half": [["bfloat16", [2], [1.0, -2.5]], ["bfloat16", [1], [0.0078125]]],
                "small": [["int32", [1], [-7]], ["int32", [2], [2147483647, 0]]],
            }
        ],
        "metrics": {"loss:sum": -1.0},
    },
}

SAMPLES: dict[str, dict[str, Any]] = {
    "plain": {
        "sequences": [
            {"stop_reason": "stop", "tokens": [1, 2, 3], "logprobs": [-0.5, -0.25, 0.0]},
            {"stop_reason": "length", "tokens": [4]},
        ],
    },
    "everything": {
        "sequences": [
            {
                "stop_reason": "length",
                "tokens": [1, 2147483647],
                "logprobs": [-0.5, -8.0],
                "topk": [[[1, -0.5], [0, -1.5]], [[9, -8.0]]],
            }
        ],
        "prompt_logprobs": [None, -1.0, -2.0],
        "topk_prompt": [None, [[3, -1.0], [4, -1.5], [5, -3.0]], [[6, -2.0]]],
        "cached": 2,
        "target": ["float32", [2, 2], [-1.0, -2.0, -3.0, -4.0]],
        "alternatives": [["int64", [3, 1], [7, 8, 9]], ["float32", [3, 1], [-1.0, -2.0, -4.0]]],
    },
}
