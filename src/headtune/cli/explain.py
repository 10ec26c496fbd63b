"""``headtune explain``: which words of a text moved the answer of a trained classifier."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import CycloptsError, Parameter

from headtune.cli.common import (
    GENERAL,
    RUNNING,
    BaseModel,
    DebugFlag,
    JsonFlag,
    RunFolder,
    print_json,
    results,
    say,
    waiting,
    write_page,
)
from headtune.cli.fields import Fields, fields_of, texts_with_fields
from headtune.cli.options import takes_options
from headtune.cli.predict import load_predictor
from headtune.cli.texts import TextIs, check_texts_only

if TYPE_CHECKING:
    from headtune.explain import Explanation

__all__ = ["explain"]


@takes_options(machine=RUNNING)
def explain(
    run: RunFolder,
    /,
    *texts: Annotated[str, Parameter(name="TEXT...", group=GENERAL, help="Texts to explain.")],
    text_is: TextIs = (),
    field: Fields = (),
    method: Annotated[
        Literal["occlusion", "gradients"],
        Parameter(
            group=GENERAL,
            help="occlusion leaves each word out. gradients integrates gradients over the input "
            "embeddings (needs the extra: pip install 'headtune[explain]').",
        ),
    ] = "occlusion",
    label: Annotated[
        str | None,
        Parameter(group=GENERAL, help="Label to explain. By default the most probable one."),
    ] = None,
    html: Annotated[
        Path | None, Parameter(group=GENERAL, help="Write the words in colour to this HTML file.")
    ] = None,
    model: BaseModel = None,
    json: JsonFlag = False,
    debug: DebugFlag = False,
    **options: Any,
) -> None:
    """Show which words of a text moved the answer of a trained classifier.

    For example:
      headtune explain runs/messages "Congratulations, you won a prize!"
      headtune explain runs/messages "See you at dinner" --label spam --json
      headtune explain runs/messages "Call now to claim" --html why.html

    Green words speak for the label, red ones against it. A number is how much
    a word adds to the label's log-odds. What looks like a file is an error;
    --text-is "data.csv", or -- before it, makes a text of it.
    """
    if not (texts or text_is or field):
        raise CycloptsError(msg='Give a text: headtune explain RUN "Your text".')
    check_texts_only(texts)
    fields = fields_of(field)
    with waiting("Loading the model"):
        from headtune.explain import explain as explain_text
        from headtune.explain import explanation_page

        predictor = load_predictor(run, model, options)
        items = texts_with_fields(predictor.template, (*texts, *text_is), fields)
        found = [explain_text(predictor, item, method=method, label=label) for item in items]
    for explanation in found:
        if json:
            print_json(asdict(explanation))
        else:
            _print(explanation)
    if html is not None:
        write_page(explanation_page(found), html)
        say(f"Written to {html}")


def _print(explanation: "Explanation") -> None:
    """The text in colour, then its strongest words with their numbers."""
    from rich.text import Text

    from headtune.explain.coloured import strength, strongest_words
    from headtune.wording.numbers import percent

    console = results()
    shown = Text(explanation.text)
    for word in explanation.words:
        share = strength(word, explanation)
        if abs(share) >= 0.1:
            weight = "bold " if abs(share) >= 0.5 else ""
            shown.stylize(f"{weight}{'green' if share > 0 else 'red'}", word.start, word.end)
    console.print(Text(f"{explanation.label}  {percent(explanation.probability)}", style="bold"))
    console.print(shown)
    for word in strongest_words(explanation):
        console.print(Text(f"  {word.effect:+7.2f}  {word.word}"))
