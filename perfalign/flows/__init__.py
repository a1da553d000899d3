"""Flows that a coupling teaches, and bridged models (chapters 13, 14).

A coupling says which source and target latents belong together. A flow makes
it a map with chance in it: from a source latent x and noise ξ to a target
latent, distributed as the coupling's partners of x. The two spaces need no
dimension in common, since x only conditions the velocity.
"""

from perfalign.flows._base import Flow
from perfalign.flows._conditional import ConditionalFlow
from perfalign.flows._gaussian import GaussianFlow
from perfalign.flows._learned import perceptron
from perfalign.flows._model_bridge import ModelBridge, votes
from perfalign.flows._unconditional import UnconditionalFlow

__all__ = [
    "ConditionalFlow",
    "Flow",
    "GaussianFlow",
    "ModelBridge",
    "UnconditionalFlow",
    "perceptron",
    "votes",
]
