"""Where pretrained weights and tokenizers come from: a name to one local folder.

names.py               what a model may be called
gguf.py hub.py         a file, or a repository of the hub, to a folder
find.py                any name to a folder
fingerprint.py         the sha256 by which a model is known
pickled.py             weights that are no safetensors
trust.py               whether its Python code may run, and the only calls that could run it
turns.py               who may compute while a model is put together
"""

from headtune.pretrained.find import find_pretrained, locate_pretrained
from headtune.pretrained.fingerprint import weights_sha256
from headtune.pretrained.names import ALIASES, public_name
from headtune.pretrained.pickled import check_safetensors
from headtune.pretrained.trust import (
    PretrainedFolder,
    Trust,
    forget_code,
    from_config,
    from_config_of_transformers,
    from_folder,
    needs_code_of_its_own,
)
from headtune.pretrained.turns import TURNS, alone, beside

__all__ = [
    "ALIASES",
    "TURNS",
    "PretrainedFolder",
    "Trust",
    "alone",
    "beside",
    "check_safetensors",
    "find_pretrained",
    "forget_code",
    "from_config",
    "from_config_of_transformers",
    "from_folder",
    "locate_pretrained",
    "needs_code_of_its_own",
    "public_name",
    "weights_sha256",
]
