"""Stage 4, packed batches to logits: backbone, packed attention, pooling, head, what is trained."""

from headtune.model.adapters import lora_config, lora_targets
from headtune.model.architecture import Architecture
from headtune.model.assemble import assemble
from headtune.model.backbone import Backbone, load_backbone, load_config
from headtune.model.frozen.keeping import Keeper, KeptTexts, open_store
from headtune.model.frozen.kept_states import StateStore, TrunkIdentity, text_key
from headtune.model.frozen.trunk import FrozenTrunk, attach_trunk
from headtune.model.hardware.budget import TokenBudget, bytes_per_token, token_budget
from headtune.model.hardware.compute import Compute, choose_compute
from headtune.model.hardware.memory import peak_memory_bytes
from headtune.model.hardware.yardstick import matrix_product_rate, rate_and_share
from headtune.model.inference import (
    is_out_of_memory,
    predict_logits,
    predict_states,
    predict_together,
)
from headtune.model.sequence_classifier import SequenceClassifier
from headtune.model.speed.few_rows import PackingOnDemand
from headtune.model.speed.int8 import quantize
from headtune.model.trainable import (
    ParameterCounts,
    load_trained_state,
    make_trainable,
    trained_state,
    useful_flops_per_token,
)

__all__ = [
    "Architecture",
    "Backbone",
    "Compute",
    "FrozenTrunk",
    "Keeper",
    "KeptTexts",
    "PackingOnDemand",
    "ParameterCounts",
    "SequenceClassifier",
    "StateStore",
    "TokenBudget",
    "TrunkIdentity",
    "assemble",
    "attach_trunk",
    "bytes_per_token",
    "choose_compute",
    "is_out_of_memory",
    "load_backbone",
    "load_config",
    "load_trained_state",
    "lora_config",
    "lora_targets",
    "make_trainable",
    "matrix_product_rate",
    "open_store",
    "peak_memory_bytes",
    "predict_logits",
    "predict_states",
    "predict_together",
    "quantize",
    "rate_and_share",
    "text_key",
    "token_budget",
    "trained_state",
    "useful_flops_per_token",
]
