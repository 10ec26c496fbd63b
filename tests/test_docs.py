"""The documentation is a test input: what it shows is parsed, run, and compared with the program.

    options.md, cli.md   what docs/generate.py makes today
    shell blocks         every command and flag is known; train, predict and evaluate are run
    python blocks        run, page by page, from top to bottom
    links                lead to a file, and to a heading in it
    report.md, artifact.md   name every key and file that a run has

Everything is run in one process and a folder of small tables, where ``smollm2-135m`` is a folder
with a two-layer model. The transcript's training runs for two steps; elsewhere it is planned only
(``--dry-run``). A block below ``<!-- not run: reason -->`` is parsed and not run.
"""

import csv
import io
import json
import re
import runpy
import shlex
import shutil
import sqlite3
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from headtune import RunConfig, train_run
from headtune.cli.app import COMMANDS, _standard_input_last, command_line, run
from headtune.data.reading.opening.sources import SAMPLES
from headtune.pretrained import ALIASES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "DEVELOPERS.md", *sorted(DOCS.glob("*.md"))]
BLOCK = re.compile(r"(<!-- not run[^\n]*-->\n\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")

GENERATE: dict[str, Any] = runpy.run_path(str(DOCS / "generate.py"))


@dataclass(frozen=True)
class Block:
    """A fenced block, the line it begins at, and whether it is to be run."""

    language: str
    text: str
    line: int
    runs: bool

    def commands(self) -> list[str]:
        """The shell commands of the block, one a line; a transcript marks them with ``$``."""
        if self.language == "console":
            return [line[2:] for line in self.text.splitlines() if line.startswith("$ ")]
        return [line for line in self.text.splitlines() if line] if self.language == "sh" else []


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        line = text.count("\n", 0, match.start(3))
        yield Block(match[2], match[3], line, runs=match[1] is None)


def programs(command: str) -> list[list[str]]:
    """The programs of a pipe, with their arguments; where the output goes is left out."""
    words = shlex.shlex(command, posix=True, punctuation_chars="|>")
    words.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            found.append([])
        elif word == ">":
            break
        else:
            found[-1].append(word)
    return found


def shell_commands() -> list[Any]:
    return [
        pytest.param(command, id=f"{page.name}: {command[:60]}")
        for page in PAGES
        for block in blocks(page)
        for command in block.commands()
    ]


def check_headtune(arguments: list[str]) -> None:
    command_line().parse_args(
        _standard_input_last(arguments), exit_on_error=False, print_error=False
    )


def check_make(targets: list[str]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        variable, is_set, _ = target.partition("=")
        pattern = rf"\$\({variable}\)" if is_set else rf"^{target}:"
        assert re.search(pattern, makefile, re.MULTILINE), target


def check_pip(arguments: list[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installable = {project["name"], *(alias.install.split()[-1] for alias in ALIASES.values())}
    installable |= {f"{project['name']}[{extra}]" for extra in project["optional-dependencies"]}
    command, *others = arguments
    assert command == "install"
    assert set(others) - {"--no-deps"} <= installable


def check_script(arguments: list[str]) -> None:
    """A benchmark: the file is there, and its parser knows the options."""
    script, *options = arguments
    runpy.run_path(str(ROOT / script))["options"]().parse_args(options)


def check_torchrun(arguments: list[str]) -> None:
    """headtune as a module, in several processes."""
    from torch.distributed.run import get_args_parser

    given = get_args_parser().parse_args(arguments)
    assert (given.module, given.training_script) == (True, "headtune")
    check_headtune(given.training_script_args)


def check_pytest(arguments: list[str]) -> None:
    """Folders of tests are there; options are left to pytest."""
    for argument in arguments:
        assert not argument.startswith("tests") or (ROOT / argument).exists(), argument


CHECKS: dict[str, Callable[[list[str]], None]] = {
    "headtune": check_headtune,
    "make": check_make,
    "pip": check_pip,
    "pytest": check_pytest,
    "python": check_script,
    "torchrun": check_torchrun,
    "cat": lambda files: None,
}
"""Program -> what its arguments must be."""


def test_options_page_is_current() -> None:
    written = (DOCS / "options.md").read_text(encoding="utf-8")
    assert written == GENERATE["options_page"](), "run: python docs/generate.py"


def test_help_blocks_are_current() -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert written == GENERATE["with_help"](written), "run: python docs/generate.py"


def test_every_command_has_a_section_and_its_help() -> None:
    page = (DOCS / "cli.md").read_text(encoding="utf-8")
    for command in ["", *COMMANDS]:
        assert f"\n## {f'headtune {command}'.strip()}\n" in page
        assert f"<!-- help: {command} -->\n" in page
        assert GENERATE["help_of"](command) in page


def test_a_transcript_gets_its_output_again() -> None:
    page = "a\n\n<!-- run -->\n\n```console\n$ one 1\nold\n\nold\n$ two\n```\n\nb\n"
    again = GENERATE["with_transcript"](page, lambda command: f"output of {command}\n")
    assert again == (
        "a\n\n<!-- run -->\n\n```console\n"
        "$ one 1\noutput of one 1\n\n$ two\noutput of two\n```\n\nb\n"
    )


def test_readme_has_a_transcript_that_can_be_made_again() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    again = GENERATE["with_transcript"](page, lambda command: "marked\n")
    assert again.count("marked") == 3


@pytest.mark.parametrize("command", shell_commands())
def test_shell_command_is_understood(command: str) -> None:
    for program, *arguments in programs(command):
        CHECKS[program.removeprefix(".venv/bin/")](arguments)


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if link.startswith("http"):
            continue
        path, _, heading = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.is_relative_to(ROOT), link
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> list[str]:
    """The names by which a page's headings are linked to."""
    found = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found]


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert f"(docs/{page.name})" in readme
    for recipe in (ROOT / "recipes").glob("*.yaml"):
        assert f"(recipes/{recipe.name})" in readme


HAM = ("are you coming home for dinner {}", "see you at the station in {} minutes")
SPAM = ("win a free prize of {} pounds, call now", "urgent: claim your cash award number {}")


def write_csv(path: Path, *rows: tuple[object, ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def write_packed_tables(folder: Path, texts: list[tuple[str, str]]) -> None:
    """A workbook, a database and an archive."""
    book = openpyxl.Workbook()
    book.create_sheet("Sheet1")
    for row in [("text", "label"), *texts]:
        book["Sheet1"].append(row)
    book.save(folder / "book.xlsx")
    with closing(sqlite3.connect(folder / "texts.db")) as database:
        database.execute("CREATE TABLE messages(body, kind)")
        database.executemany("INSERT INTO messages VALUES (?, ?)", texts)
        database.commit()
    with zipfile.ZipFile(folder / "archive.zip", "w") as archive:
        archive.write(folder / "messages.csv", "messages.csv")


def write_tables(folder: Path) -> None:
    """The tables that the pages speak of."""
    texts = [
        (text.format(n), "spam" if text in SPAM else "ham")
        for n in range(20)
        for text in HAM + SPAM
    ]
    held_back = [
        (text.format(n), "spam" if text in SPAM else "ham") for n in (50, 51) for text in HAM + SPAM
    ]
    write_csv(folder / "messages.csv", ("text", "label"), *texts)
    write_csv(folder / "held-back.csv", ("text", "label"), *held_back)
    write_csv(folder / "new.csv", ("id", "text"), (1, "win a prize"), (2, ""), (3, "see you"))
    write_csv(
        folder / "export.csv",
        ("subject", "body", "topic"),
        *((f"note {n}", text, label) for n, (text, label) in enumerate(texts)),
    )
    write_csv(
        folder / "tweets.csv",
        ("id", "keyword", "location", "text", "target"),
        *((n, "fire", "", text, int(label == "spam")) for n, (text, label) in enumerate(texts)),
    )
    parts = ("train", "train", "train", "dev", "test")
    write_csv(
        folder / "parted.csv",
        ("text", "label", "part"),
        *((*row, parts[n % 5]) for n, row in enumerate(texts)),
    )
    write_csv(
        folder / "dated.csv",
        ("text", "label", "date"),
        *((*row, f"2024-{1 + n // 20:02}-{1 + n % 20:02}") for n, row in enumerate(texts)),
    )
    write_packed_tables(folder, texts)
    nested = ({"data": {"text": text, "label": label}} for text, label in texts)
    (folder / "nested.jsonl").write_text("\n".join(map(json.dumps, nested)), encoding="utf-8")
    with (folder / "sms_spam.tsv").open("w", encoding="utf-8") as file:
        file.writelines(f"{label}\t{text}\n" for text, label in texts)
    write_folders(folder, texts)


def write_folders(folder: Path, texts: list[tuple[str, str]]) -> None:
    """A folder a label, parts of such folders, and texts and labels in two files."""
    for n, (text, label) in enumerate(texts):
        for above in (f"mail/{label}", f"aclImdb/{'train' if n % 9 else 'test'}/{label}"):
            (folder / above).mkdir(parents=True, exist_ok=True)
            (folder / above / f"{n}.txt").write_text(text, encoding="utf-8")
    (folder / "tweets").mkdir()
    for name, lines in zip(("text", "labels"), zip(*texts, strict=True), strict=True):
        (folder / "tweets" / f"train_{name}.txt").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def made_folder(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tables, a model, the recipes, and a run of each kind."""
    folder = tmp_path_factory.mktemp("docs")
    write_tables(folder)
    shutil.copytree(ROOT / "recipes", folder / "recipes")
    for name in ("smollm2-135m", "path/to/model"):
        shutil.copytree(tiny_llama, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, tune in (("messages", "last-1"), ("lora", "lora"), ("full", "full")):
            values = {"source": "messages.csv", "tune": {"tune": tune}, "train": {"max_steps": 2}}
            train_run(RunConfig.from_dict(values), out=Path("runs") / name)
    return folder


@pytest.fixture
def folder(made_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in, for the command line in this process."""
    own = tmp_path / "docs"
    shutil.copytree(made_folder, own)
    monkeypatch.chdir(own)
    monkeypatch.setattr("headtune.cli.app.QUIET", {})
    monkeypatch.setattr("warnings.filterwarnings", lambda *_, **__: None)
    monkeypatch.setitem(SAMPLES, "sms-spam", str(own / "sms_spam.tsv"))
    monkeypatch.setenv("HEADTUNE_MAX_STEPS", "2")
    return own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_runs_from_top_to_bottom(
    page: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace: dict[str, Any] = {}
    for block in blocks(page):
        if block.language == "python" and block.runs:
            source = "\n" * block.line + block.text  # so that a traceback has the page's line
            exec(compile(source, str(page), "exec"), namespace)
        for command in block.commands() if block.runs else ():
            code = run_headtune(command, block, monkeypatch)
            assert code == 0, f"{command}\n{capsys.readouterr().err}"


def run_headtune(command: str, block: Block, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command, 0 for one that is not headtune's."""
    *before, (program, *arguments) = programs(command)
    if program != "headtune":
        return 0
    for _, file in before:
        content = io.BytesIO(Path(file).read_bytes())
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(content))
    if arguments[0] == "train" and block.language != "console" and "--dry-run" not in arguments:
        arguments.append("--dry-run")
    return run(arguments)


def keys_of(values: Any) -> set[str]:
    return set(values) if isinstance(values, dict) else set()


def test_report_page_names_every_key(made_folder: Path) -> None:
    page = (DOCS / "report.md").read_text(encoding="utf-8")
    report = json.loads((made_folder / "runs/messages/report.json").read_text(encoding="utf-8"))
    metrics, data = report["after"]["test"], report["data"]
    keys = keys_of(report) | keys_of(data) | keys_of(report["model"]) | keys_of(report["speed"])
    keys |= keys_of(metrics) | keys_of(metrics["per_label"]["ham"]) | keys_of(report["baselines"])
    keys |= keys_of(data["columns"]) | keys_of(data["set_aside"]) | keys_of(data["parts"]["test"])
    keys |= keys_of(data["leaks"]) | keys_of(data["leaks"]["test"])
    keys |= {key for example in data["leaks"]["examples"] for key in example}
    keys |= {key for row in report["history"] for key in row}
    assert {key for key in keys if f"`{key}`" not in page} == set()


def test_artifact_page_names_every_key_and_file(made_folder: Path) -> None:
    page = (DOCS / "artifact.md").read_text(encoding="utf-8")
    for run_folder in (made_folder / "runs").iterdir():
        manifest = json.loads((run_folder / "headtune.json").read_text(encoding="utf-8"))
        names = {path.name for path in run_folder.iterdir()}
        names |= keys_of(manifest) | keys_of(manifest["base_model"])
        assert {name for name in names if f"`{name}`" not in page} == set()
