"""Weights that are no safetensors: refused, with the command that converts them.

Pickles (``pytorch_model.bin``) can run code when they are read, so headtune never reads one. Their
owner may: transformers reads them without running code (``weights_only``), and writes safetensors.
"""

from pathlib import Path

from headtune.errors import ModelFileError

__all__ = ["check_safetensors"]

OTHER_WEIGHTS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")


def check_safetensors(folder: Path, name: str, target: str) -> None:
    """Raises ``ModelFileError`` where a model folder has no safetensors.

    Args:
        folder: Where the files lie.
        name: What transformers finds the model by.
        target: The folder that converted weights would go to.
    """
    if any(folder.glob("*.safetensors")):
        return
    others = sorted(path.name for pattern in OTHER_WEIGHTS for path in folder.glob(pattern))
    has = f"its weights are in {others[0]}, which is never read" if others else "it has none"
    raise ModelFileError(
        f"Model {name!r} has no weights in safetensors: {has}.",
        option="model",
        way_out=_conversion(name, target),
    )


def _conversion(name: str, target: str) -> str:
    code = (
        "from transformers import AutoModelForCausalLM as M, AutoTokenizer as T; "
        f"[C.from_pretrained({name!r}).save_pretrained({target!r}) for C in (M, T)]"
    )
    then = "" if name == target else f" Then give {target}."
    return f'If you trust who made it, convert it yourself: python -c "{code}"{then}'
