"""Owns the loss functions: from logprobs to loss and its gradient by logprob. Knows nothing of the model."""

LOSS_NAMES = ("cross_entropy", "importance_sampling", "ppo", "cispo", "dro", "gspo")
"""Every `loss_fn` that the engine computes."""
