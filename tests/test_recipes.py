"""Every recipe can be read, and the published ones hold the published settings."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headtune.cli.recipe import load_recipe, merge
from headtune.options import RunConfig
from headtune.run.train import plan_run

RECIPES = sorted((Path(__file__).parents[1] / "recipes").glob("*.yaml"))


def read(name: str, source: str | None = None, **options: object) -> RunConfig:
    """A recipe, with other data or options put over it as the command line does."""
    return merge(load_recipe(RECIPES[0].parent / f"{name}.yaml"), source, options)


def test_there_is_a_recipe_for_each_reference_job_and_a_twin_for_a_laptop() -> None:
    assert [path.stem for path in RECIPES] == [
        "disaster-llama3-lora",
        "disaster-smollm2-lora",
        "quickstart",
        "spam-gpt2-last-block",
        "spam-smollm2-last-block",
    ]


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_is_a_run_and_says_what_to_expect_and_how_to_run_it(path: Path) -> None:
    config = read(path.stem)
    assert RunConfig.from_dict(config.to_dict()) == config
    comments = path.read_text(encoding="utf-8")
    assert "Expect:" in comments
    assert f"headtune train --config recipes/{path.name}" in comments


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_can_be_planned(
    path: Path, model_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    """``--dry-run`` of each recipe, with a tiny model of its family; tweets from a small table."""
    table = tmp_path / "tweets.csv"
    rows = [f"{number},tweet number {number},{number % 2}" for number in range(50)]
    table.write_text("\n".join(["id,text,target", *rows]), encoding="utf-8")
    family = "gpt2" if "gpt2" in path.stem else "llama"
    plan = plan_run(
        read(
            path.stem,
            source=str(table) if "disaster" in path.stem else None,
            model=str(model_folder(family)),
        )
    )
    parameters = plan["model"]
    assert 0 < parameters["trainable_parameters"] < parameters["total_parameters"]
    assert plan["training"]["steps"] > 0
    assert list(plan["data"]["labels"]) == (
        ["0", "1"] if "disaster" in path.stem else ["ham", "spam"]
    )


def test_spam_gpt2_is_as_published() -> None:
    config = read("spam-gpt2-last-block")
    assert (config.source, config.model.model) == ("sms-spam", "gpt2")
    assert (config.data.balance, config.data.split) == ("undersample", "70/10/20")
    assert (config.tune.tune, config.model.pooling) == ("last-1", "last")
    train = config.train
    assert (train.epochs, train.batch_size, train.learning_rate) == (5, 8, 5e-5)
    assert (train.weight_decay, train.schedule, train.warmup) == (0.1, "constant", 0)
    assert not train.keep_best


def test_disaster_llama3_is_as_published() -> None:
    config = read("disaster-llama3-lora")
    assert config.source == "mehdiiraqui/twitter_disaster"
    assert config.model.model == "meta-llama/Meta-Llama-3-8B-Instruct"
    assert (config.machine.device_map, config.machine.offload_folder) == (
        "auto",
        Path("runs/offload"),
    )
    data = config.data
    assert (data.text, data.label, data.split) == ("text", "target", "80/0/20")
    assert data.balance == "weights"
    tune = config.tune
    assert (tune.tune, tune.lora_rank, tune.lora_alpha, tune.lora_dropout) == ("lora", 2, 16, 0.1)
    assert (tune.lora_bias, tune.lora_targets) == ("none", ("q_proj", "v_proj"))
    train = config.train
    assert (train.epochs, train.batch_size, train.learning_rate) == (30, 8, 1e-4)
    assert train.evaluations_per_epoch == 1
