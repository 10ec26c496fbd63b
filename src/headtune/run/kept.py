"""Frozen layers of a run, once: all its texts with what these gave, from the cache or run now."""

from collections.abc import Sequence

from headtune.model import FrozenTrunk, Keeper, KeptTexts, attach_trunk, open_store
from headtune.progress import Progress, Stopwatch
from headtune.run.loading import Loaded
from headtune.training import count_steps
from headtune.types import TokenizedExample

__all__ = ["keep_texts", "keep_trunk", "say_kept"]


def keep_trunk(loaded: Loaded, progress: Progress, clock: Stopwatch) -> KeptTexts | None:
    """All examples with the output of the frozen layers, where it pays and fits; else None."""
    config, encoded = loaded.config, loaded.encoded
    n_train = len(encoded.parts["train"])
    steps = count_steps(config.train, n_train)
    sees_all = steps * config.train.batch_size >= n_train
    if not sees_all or config.train.gradient_checkpointing:  # which runs blocks again, unhooked
        return None
    trunk = attach_trunk(loaded.classifier, config.tune)
    if trunk is None:
        return None
    with clock.stage("trunk", "Running the frozen layers, once"):
        kept = keep_texts(trunk, loaded, encoded.examples, progress)
        say_kept(kept, progress)
    return kept


def keep_texts(
    trunk: FrozenTrunk,
    loaded: Loaded,
    examples: Sequence[TokenizedExample],
    progress: Progress,
) -> KeptTexts | None:
    """The examples with what ``trunk`` makes of them, from the cache or run now; see ``Keeper``."""
    config = loaded.config
    store = open_store(
        trunk,
        loaded.encoded.folder,
        config.model,
        config.machine,
        loaded.compute,
        config.train.seed,
        progress.say,
    )
    kept = Keeper(
        trunk,
        config.machine.max_tokens_per_batch or 1,
        store,
        on_start=lambda n_texts, n_tokens: progress.start(n_texts, "examples", n_tokens),
        on_batch=progress.advance,
    ).keep(examples)
    progress.finish()
    return kept


def say_kept(kept: KeptTexts | None, progress: Progress) -> None:
    """Of how many texts an earlier run has kept what frozen layers gave."""
    if kept is None:
        progress.say(
            "Their output fits neither into memory nor on the disk, so they run again in every "
            "epoch: same result, more work."
        )
        return
    found = []
    if kept.n_reused:
        found.append(f"{kept.n_reused:,} texts went through them in an earlier run")
    if kept.n_begun:
        found.append(f"{kept.n_begun:,} texts went part of the way in an earlier run")
    if found:
        progress.say(f"{'; '.join(found)}; {kept.n_run - kept.n_begun:,} are new.")
