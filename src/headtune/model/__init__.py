"""Stage 4, packed batches to logits: backbone, packed attention, pooling, head, what is trained."""

from headtune.model.backbone import Backbone, load_backbone, load_config
from headtune.model.hardware import Compute, choose_compute, matrix_product_rate
from headtune.model.inference import (
    default_token_budget,
    is_out_of_memory,
    predict_logits,
    predict_states,
)
from headtune.model.int8 import quantize
from headtune.model.keeping import Keeper, KeptTexts, open_store
from headtune.model.kept_states import StateStore, TrunkIdentity, text_key
from headtune.model.memory import peak_memory_bytes
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.model.trainable import (
    ParameterCounts,
    load_trained_state,
    lora_config,
    make_trainable,
    trained_state,
    useful_flops_per_token,
)
from headtune.model.trunk import FrozenTrunk, attach_trunk

__all__ = [
    "Backbone",
    "Compute",
    "FrozenTrunk",
    "Keeper",
    "KeptTexts",
    "ParameterCounts",
    "SequenceClassifier",
    "StateStore",
    "TrunkIdentity",
    "attach_trunk",
    "choose_compute",
    "default_token_budget",
    "is_out_of_memory",
    "load_backbone",
    "load_config",
    "load_trained_state",
    "lora_config",
    "make_trainable",
    "matrix_product_rate",
    "open_store",
    "peak_memory_bytes",
    "predict_logits",
    "predict_states",
    "quantize",
    "text_key",
    "trained_state",
    "useful_flops_per_token",
]
