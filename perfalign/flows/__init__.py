"""Flows that a coupling teaches, and bridged models (chapters 13, 14)."""

from perfalign.flows._flows import (
    ConditionalFlow,
    GaussianFlow,
    UnconditionalFlow,
    as_coupling,
    perceptron,
)
from perfalign.flows._model_bridge import ModelBridge, votes

__all__ = [
    "ConditionalFlow",
    "GaussianFlow",
    "ModelBridge",
    "UnconditionalFlow",
    "as_coupling",
    "perceptron",
    "votes",
]
