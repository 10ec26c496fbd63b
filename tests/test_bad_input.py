"""What a user can get wrong ends in one line and exit code 1, and costs nothing that was there.

Each mistake goes through the whole command line, in process, with a two-layer model. The line says
what was expected, what was received, and the way out.
"""

import hashlib
import json
import random
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import pytest

from headtune.artifact.manifest import seal_of
from headtune.cli.app import run

ROWS = [f"see you at dinner number {i},ham\nclaim your prize number {i},spam\n" for i in range(24)]
TABLE = ("text,label\n" + "".join(ROWS)).encode()
BINARY = random.Random(0).randbytes(4_000)
DISTINCT = "text,label\n" + "".join(f"a text of its own {i},topic {i}\n" for i in range(1_000))


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that a mistake ends in."""
        lines = self.err.splitlines()
        assert self.code == 1, self.err
        assert "Traceback" not in self.err
        assert [line for line in lines if line.startswith("Error")] == lines[-1:], self.err
        assert not lines[-1].startswith("Error: unexpected"), "that is a bug, not a mistake"
        return lines[-1]


Headtune = Callable[..., Result]


@pytest.fixture
def headtune(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tiny_llama: Path,
) -> Headtune:
    """``headtune("train", "messages.csv")`` in a folder that has that table, and ``model``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_, **__: None)
    (tmp_path / "messages.csv").write_bytes(TABLE)
    (tmp_path / "model").symlink_to(tiny_llama)

    def call(*arguments: str) -> Result:
        code = run(arguments)
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, tiny_llama: Path) -> Path:
    """A run, made once."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "messages.csv").write_bytes(TABLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headtune.cli.app.QUIET", {})
        code = run(
            ["train", str(folder / "messages.csv"), "--model", str(tiny_llama), "--max-steps", "2",
             "--out", str(folder / "run")]
        )  # fmt: skip
    assert code == 0
    return folder / "run"


@pytest.fixture
def run_folder(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may damage: ``run`` in its folder."""
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder with the hash of its bytes."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Tables


@dataclass(frozen=True, slots=True)
class Mistake:
    """Arguments behind ``train`` (a file of that name has ``content``), and parts of the line."""

    arguments: str
    says: tuple[str, ...]
    content: bytes | None = None


BAD_TABLES = {
    "missing file": Mistake(
        "mesages.csv", ("There is no file mesages.csv.", "Did you mean messages.csv?")
    ),
    "empty file": Mistake("a.csv", ("a.csv is empty: expected a table", "received 0 bytes"), b""),
    "header only": Mistake(
        "a.csv", ("a.csv has a header (text, label) and no rows", "--header no"), b"text,label\n"
    ),
    "wrong text column": Mistake(
        "messages.csv --text txt",
        ("Column 'txt' is not in messages.csv.", "It has: text, label.", "--text text?"),
    ),
    "wrong label column": Mistake(
        "messages.csv --label lable",
        ("Column 'lable' is not in messages.csv.", "It has: text, label.", "--label label?"),
    ),
    "no label column": Mistake(
        "a.csv",
        ("a.csv has no column for the label", "it has: text", "Training needs a label"),
        b"text\nsee you at dinner\nclaim your prize\n",
    ),
    "one label only": Mistake(
        "a.csv",
        ("at least two labels; the data has one label, 'ham'.", "--label"),
        b"text,label\n" + b"see you at dinner,ham\n" * 9,
    ),
    "a label with a single row": Mistake(
        "a.csv",
        ("Label 'maybe' has a single row (row 49)", "Remove or merge that label", "100/0/0"),
        TABLE + b"is it or is it not,maybe\n",
    ),
    "1,000 distinct labels": Mistake(
        "a.csv",
        ("Column 'label'", "1,000 distinct values in 1,000 rows", "with --label"),
        DISTINCT.encode(),
    ),
    "binary file": Mistake("a.csv", ("a.csv is a binary file, not a table",), BINARY),
    "workbook": Mistake(
        "a.xlsx", ("a.xlsx cannot be read as an archive", "again."), b"PK\x03\x04" + BINARY
    ),
    "wrong encoding": Mistake(
        "a.csv",
        (
            "a.csv is not utf-8: byte 0xe9",
            "(line 50, the first of 6 such lines)",
            "--encoding cp1252",
        ),
        TABLE + "un café très fort,ham\nun thé glacé,spam\n".encode("cp1252") * 3,
    ),
    "a directory": Mistake(
        ".", ("is the folder of a model; expected texts or tables.", "belongs to --model.")
    ),
    "too few rows": Mistake(
        "a.csv",
        ("4 rows are too few for --split 70/10/20", "Give more rows"),
        b"text,label\na b,ham\nc d,ham\ne f,spam\ng h,spam\n",
    ),
}


@pytest.mark.parametrize("mistake", BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_table_that_cannot_be_learned_from(
    headtune: Headtune, tmp_path: Path, mistake: Mistake
) -> None:
    source, *options = mistake.arguments.split()
    if mistake.content is not None:
        (tmp_path / source).write_bytes(mistake.content)
    before = contents(tmp_path)
    error = headtune("train", source, "--model", "model", "--out", "out", *options).error
    for part in mistake.says:
        assert part in error
    assert contents(tmp_path) == before


# Models


def gguf_model(path: Path) -> bytes:
    """A two-layer Llama of random weights, whole, as a GGUF file."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(2)
    writer.add_context_length(256)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(48)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    tokens = ["<|end|>", *(chr(code) for code in range(33, 127)), "th", "an"]
    writer.add_token_list(tokens)
    writer.add_token_merges(["t h", "a n"])
    writer.add_eos_token_id(0)
    block = {"attn_q": (32, 32), "attn_k": (16, 32), "attn_v": (16, 32), "attn_output": (32, 32)}
    block |= {"ffn_gate": (48, 32), "ffn_up": (48, 32), "ffn_down": (32, 48)}
    shapes: dict[str, tuple[int, ...]] = {"token_embd": (len(tokens), 32), "output_norm": (32,)}
    for i in range(2):
        shapes |= {f"blk.{i}.{name}": shape for name, shape in block.items()}
        shapes |= {f"blk.{i}.attn_norm": (32,), f"blk.{i}.ffn_norm": (32,)}
    generator = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", generator.normal(size=shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def test_a_whole_gguf_file_is_read(headtune: Headtune, tmp_path: Path) -> None:
    """Else the next test would pass for another reason."""
    gguf_model(tmp_path / "model.gguf")
    result = headtune("train", "messages.csv", "--model", "model.gguf", "--dry-run", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["model"]["trainable_parameters"] > 0


@pytest.mark.parametrize("share", [0.0001, 0.001, 0.01, 0.1, 0.5, 0.99])
def test_a_gguf_file_cut_short(headtune: Headtune, tmp_path: Path, share: float) -> None:
    whole = gguf_model(tmp_path / "whole.gguf")
    (tmp_path / "model.gguf").write_bytes(whole[: max(4, int(share * len(whole)))])
    error = headtune("train", "messages.csv", "--model", "model.gguf", "--out", "out").error
    assert error.startswith("Error: model.gguf cannot be read as a GGUF model; it may be cut short")
    assert error.endswith("Download it again.")
    assert not list(tmp_path.glob("**/.converting-*"))


@pytest.mark.parametrize("n_bytes", [0, 4, 200, 20_000, -1])
def test_a_safetensors_file_cut_short(
    headtune: Headtune, tmp_path: Path, tiny_llama: Path, n_bytes: int
) -> None:
    weights = Path(shutil.copytree(tiny_llama, tmp_path / "cut")) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:n_bytes])
    error = headtune("train", "messages.csv", "--model", "cut", "--out", "out").error
    assert error.startswith("Error: The weights of 'cut' cannot be read (")
    assert "They may be cut short: fetch them again, or look at cut" in error


@dataclass(frozen=True, slots=True)
class Damage:
    """Files of a model folder, None to remove one, and parts of the line."""

    files: Mapping[str, bytes | None]
    says: tuple[str, ...]


BAD_MODELS = {
    "no config.json": Damage(
        {"config.json": None}, ("Folder broken is not a model: it has no config.json.",)
    ),
    "config.json cut": Damage({"config.json": b'{"model_type": "lla'}, ("'broken'", "config.json")),
    "unknown architecture": Damage(
        {"config.json": b'{"model_type": "mind"}'}, ("'broken'", "`mind`")
    ),
    "no tokenizer": Damage(
        {"tokenizer.json": None, "tokenizer_config.json": None},
        ("The tokenizer of 'broken' cannot be loaded",),
    ),
    "tokenizer cut": Damage(
        {"tokenizer.json": b'{"version": "1.0", "model": {"ty'},
        ("The tokenizer of 'broken' cannot be loaded",),
    ),
    "tokenizer inconsistent": Damage(
        {"tokenizer.json": b'{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["t h"]}}'},
        ("The tokenizer of 'broken' cannot be loaded",),
    ),
    "no weights": Damage(
        {"model.safetensors": None}, ("has no weights in safetensors: it has none", "broken")
    ),
    "pickled weights": Damage(
        {"model.safetensors": None, "pytorch_model.bin": b"\x80\x04"},
        ("its weights are in pytorch_model.bin, which is never read", "convert it yourself"),
    ),
    "code of its own": Damage(
        {"config.json": b'{"model_type": "mind", "auto_map": {"AutoConfig": "mind.MindConfig"}}',
         "mind.py": b"raise SystemExit('run')"},
        ("'broken' brings its own Python code", "--trust-remote-code", "Read the code first."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("damage", BAD_MODELS.values(), ids=BAD_MODELS)
def test_a_model_folder_that_cannot_be_used(
    headtune: Headtune, tmp_path: Path, tiny_llama: Path, damage: Damage
) -> None:
    folder = Path(shutil.copytree(tiny_llama, tmp_path / "broken"))
    for name, data in damage.files.items():
        if data is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(data)
    error = headtune("train", "messages.csv", "--model", "broken", "--out", "out").error
    for part in damage.says:
        assert part in error
    assert not (tmp_path / "out").exists()


def test_an_unknown_model_with_no_hub_in_reach(
    headtune: Headtune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    error = headtune("train", "messages.csv", "--model", "nobody/nothing").error
    assert "Model 'nobody/nothing' is not on this machine" in error
    assert "the hub (http://127.0.0.1:9) cannot be reached" in error
    assert "Give a folder or a GGUF file, or use --model smollm2-135m." in error


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("./models/llama", "There is no model file './models/llama'. Check the path."),
        ("llama.gguf", "There is no model file 'llama.gguf'."),
        ("messages.csv", "expected a GGUF file, or a folder with config.json and safetensors"),
        ("model/model.safetensors", "is one weight file. Give its folder: --model model"),
        ("run", "run is a headtune run; --model wants the pretrained model it started from."),
    ],
)
def test_what_is_no_model(headtune: Headtune, run_folder: Path, name: str, says: str) -> None:
    assert says in headtune("train", "messages.csv", "--model", name).error


# Options


BAD_OPTIONS = {
    "max length": (
        "--max-length 9999",
        "--max-length 9999 is more than this model reads: at most 256 tokens.",
    ),
    "lora target": (
        "--tune lora --lora-targets q_prog",
        "--lora-targets q_prog: no such linear layers in this model. It has: down_proj, gate_proj, "
        "k_proj, o_proj, q_proj, up_proj, v_proj.",
    ),
    "one of two lora targets": (
        "--tune lora --lora-targets q_proj v_prog",
        "--lora-targets v_prog: no such linear layers in this model.",
    ),
    "lora on a norm": (
        "--tune lora --lora-targets input_layernorm",
        "--lora-targets input_layernorm: no such linear layers in this model.",
    ),
    "too many blocks": (
        "--tune last-99",
        "--tune last-99 asks for more blocks than this model has: 2.",
    ),
    "unknown way of tuning": (
        "--tune everything",
        "--tune takes head, last-N (last-1, last-2, …), lora or full; received 'everything'.",
    ),
    "nothing to resume": (
        "--resume",
        "There is no unfinished run of out to go on with. Leave out --resume.",
    ),
    "batch size": ("--batch-size 0", "--batch-size must be at least 1; received 0."),
    "split": ("--split 70/10", "--split must add up to 100 (or to 1); '70/10' adds up to 80."),
    "unknown tracker": ("--report-to wandbb", "wandbb"),
    "no such device": ("--device cuda:77", "--device cuda:77 cannot be used here"),
    "file as folder": ("--out messages.csv/out", "messages.csv cannot be made"),
}


@pytest.mark.parametrize(("options", "says"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_options_that_cannot_be_used(
    headtune: Headtune, tmp_path: Path, options: str, says: str
) -> None:
    before = contents(tmp_path)
    out = () if "--out" in options else ("--out", "out")
    arguments = ("train", "messages.csv", "--model", "model", *out, *options.split())
    assert says in headtune(*arguments).error
    assert contents(tmp_path) == before


def test_a_recipe_with_an_unknown_key(headtune: Headtune, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("train: {learning_rat: 1e-4}")
    assert headtune("train", "messages.csv", "--config", "bad.yaml").error == (
        "Error: bad.yaml: Unknown option under 'train': 'learning_rat'. "
        "Did you mean 'learning_rate'?"
    )


# Training


DIVERGES = ("--tune", "full", "--learning-rate", "1e30", "--batch-size", "4", "--warmup", "0")


def test_a_loss_that_is_not_a_number_names_the_step_and_the_rows(headtune: Headtune) -> None:
    error = headtune("train", "messages.csv", "--model", "model", "--out", "out", *DIVERGES).error
    said = re.fullmatch(
        r"Error: The loss of step (\d+) is (?:nan|inf); the step's data rows are ([\d, ]+)\. "
        "Lower --learning-rate, or look at these rows.",
        error,
    )
    assert said, error
    assert 2 <= int(said[1]) <= 5
    assert len({int(row) for row in said[2].split(", ")} & set(range(1, 49))) == 4


def test_a_mistake_before_the_first_checkpoint_is_no_unfinished_run(headtune: Headtune) -> None:
    """It would stand in the way of the same command without the mistake."""
    command = ("train", "messages.csv", "--model", "model", "--out", "out")
    assert "last-99" in headtune(*command, "--tune", "last-99").error
    assert "The loss of step" in headtune(*command, *DIVERGES).error
    assert not list(Path().glob(".out*"))


# What is there already


def test_a_run_that_is_there_is_not_replaced_unasked(
    headtune: Headtune, run_folder: Path, tmp_path: Path
) -> None:
    before = contents(tmp_path)
    error = headtune("train", "messages.csv", "--model", "model", "--out", "run").error
    assert error.startswith("Error: run exists already. Choose another folder with --out")
    assert "--overwrite" in error
    assert contents(tmp_path) == before


def test_what_is_no_run_is_never_replaced(headtune: Headtune, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("Years of work.")
    before = contents(tmp_path)
    command = ["train", "messages.csv", "--model", "model", "--overwrite", "--out"]
    for name in ("thesis", "messages.csv"):
        assert f"{name} is not a headtune run, so it is not overwritten." in (
            headtune(*command, name).error
        )
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "mistake",
    [("--text", "txt"), ("--model", "messages.csv"), ("--tune", "last-99"), DIVERGES],
    ids=["column", "model", "blocks", "loss"],
)
def test_a_run_outlives_an_attempt_to_replace_it(
    headtune: Headtune, run_folder: Path, tmp_path: Path, mistake: tuple[str, ...]
) -> None:
    before = contents(tmp_path)
    model = () if "--model" in mistake else ("--model", "model")
    command = ["train", "messages.csv", "--out", "run", "--overwrite", *model, *mistake]
    assert headtune(*command).error
    assert contents(tmp_path) == before
    assert headtune("predict", "run", "claim your prize").code == 0


@pytest.mark.fresh_process
def test_a_run_outlives_a_replacement_that_does_not_load(
    headtune: Headtune, run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last step of all, the fresh process, says no."""
    monkeypatch.setattr("headtune.artifact.verify.sys.executable", "false")
    before = contents(run_folder)
    command = ("train", "messages.csv", "--model", "model", "--max-steps", "1", "--overwrite")
    error = headtune(*command, "--out", "run").error
    assert "The saved classifier does not load in a fresh process" in error
    assert contents(run_folder) == before


# Predicting


def predictions(headtune: Headtune, *arguments: str) -> str:
    return headtune("predict", "run", *arguments).error


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text(headtune: Headtune, run_folder: Path, text: str) -> None:
    assert predictions(headtune, text) == (
        "Error: Text 1 of 1 is empty; there is nothing to classify."
    )


def test_a_text_of_100_000_words_is_cut(
    headtune: Headtune, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "long.csv").write_text("text\n" + "prize " * 100_000 + "\na short one\n")
    result = headtune("predict", "run", "long.csv", "--out", "labelled.csv")
    assert result.code == 0, result.err
    with (tmp_path / "labelled.csv").open() as file:
        lengths = [len(line.split()) for line in file]
    assert lengths == [1, 100_001, 3]
    result = headtune("predict", "run", "prize " * 20_000)  # the most that Linux lets through
    assert result.code == 0, result.err


BAD_FILES = {
    "no text column": (
        "number,label\n1,ham\n2,spam\n",
        ("No column of new.csv looks like text", "'text', which was trained on",
         "It has: number, label.", "--text"),
    ),
    "two could be it": (
        "first,second\nsee you at nine,dinner is at nine\nclaim it,your prize is here\n",
        ("More than one column of new.csv could be the text", "Choose one: --text"),
    ),
    "empty": ("", ("new.csv is empty",)),
}  # fmt: skip


@pytest.mark.parametrize(("content", "says"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_without_the_text_column(
    headtune: Headtune, run_folder: Path, tmp_path: Path, content: str, says: tuple[str, ...]
) -> None:
    (tmp_path / "new.csv").write_text(content)
    (tmp_path / "labelled.csv").write_text("the result of yesterday")
    before = contents(tmp_path)
    error = predictions(headtune, "new.csv", "--out", "labelled.csv")
    for part in says:
        assert part in error
    assert contents(tmp_path) == before


def test_a_file_that_is_not_there(headtune: Headtune, run_folder: Path) -> None:
    assert "There is no file new.csv." in predictions(headtune, "new.csv")


def test_an_unknown_kind_of_output(headtune: Headtune, run_folder: Path) -> None:
    error = predictions(headtune, "messages.csv", "--out", "labelled.xlsx")
    assert "--out labelled.xlsx: expected a name in .csv, .tsv, .jsonl or .parquet." in error


def test_labels_the_classifier_does_not_know(
    headtune: Headtune, run_folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "new.csv").write_text("text,label\nsee you,ham\nat dinner,eggs\n")
    error = headtune("evaluate", "run", "new.csv").error
    assert "does not know the label 'eggs' (first in row 2). It knows: ham, spam." in error


# Run folders


def flip(path: Path) -> None:
    """Change one byte, in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "name", ["trained.safetensors", "tokenizer.json", "probes.safetensors", "report.json"]
)
def test_a_changed_byte(headtune: Headtune, run_folder: Path, name: str) -> None:
    flip(run_folder / name)
    error = predictions(headtune, "claim your prize")
    assert error.startswith(f"Error: run/{name} is not the file that was written: its sha256")
    assert error.endswith("Copy the run folder again.")


def test_a_missing_file(headtune: Headtune, run_folder: Path) -> None:
    (run_folder / "trained.safetensors").unlink()
    assert predictions(headtune, "claim your prize") == (
        "Error: run/trained.safetensors is missing from this run."
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["spam", "ham"]}, "labels changed"),
        ({"labels": ["ham"]}, "'labels' must be two or more, all different"),
        ({"format_version": 99}, "Upgrade: pip install -U headtune"),
        ({"max_length": 3}, "turns the probe texts into other tokens"),
        ({"pooling": "first"}, "does not answer as it did when it was saved"),
        ({"files": {"../secret": ""}}, "file name '../secret' leaves the folder"),
        ({"tune": {"tune": "sideways"}}, "received 'sideways'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_changed_manifest(
    headtune: Headtune, run_folder: Path, change: dict[str, object], says: str
) -> None:
    manifest = run_folder / "headtune.json"
    values = json.loads(manifest.read_text()) | change
    manifest.write_text(json.dumps(values | {"seal": seal_of(values)}))
    assert says in predictions(headtune, "claim your prize")


def test_a_manifest_changed_by_hand(headtune: Headtune, run_folder: Path) -> None:
    manifest = run_folder / "headtune.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"labels": ["spam", "ham"]}))
    assert predictions(headtune, "claim your prize") == (
        "Error: run/headtune.json was changed after it was written: its seal is not that of its "
        "content. Copy the run folder again."
    )


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_a_manifest_that_is_none(headtune: Headtune, run_folder: Path, content: str) -> None:
    (run_folder / "headtune.json").write_text(content)
    assert "run" in predictions(headtune, "claim your prize")


def test_a_run_that_is_not_there(headtune: Headtune, run_folder: Path) -> None:
    assert headtune("predict", "rum", "claim your prize").error == (
        "Error: There is no run folder rum. In . there are: run."
    )


def test_a_base_model_that_has_moved_or_changed(
    headtune: Headtune, run_folder: Path, tmp_path: Path, tiny_llama: Path
) -> None:
    manifest = run_folder / "headtune.json"
    values = json.loads(manifest.read_text())
    values["base_model"]["name"] = "/models/moved"
    manifest.write_text(json.dumps(values | {"seal": seal_of(values)}))
    error = predictions(headtune, "claim your prize")
    assert "run holds what was trained on top of '/models/moved', which is needed too." in error
    assert error.endswith("If it is elsewhere: --model FOLDER")
    assert headtune("predict", "run", "claim your prize", "--model", "model").code == 0
    flip(Path(shutil.copytree(tiny_llama, tmp_path / "other")) / "model.safetensors")
    error = predictions(headtune, "claim your prize", "--model", "other")
    assert "The base model at other is not the one run was trained on" in error
