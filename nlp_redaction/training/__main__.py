"""``python -m nlp_redaction.training``: makes lists, models and thresholds again.

Run it with the extra ``training`` installed. The data folder is the one that
``README.md`` beside the models describes; the corpus lies in this package.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
DataFolder = Annotated[Path, typer.Option(help="Public data: lists/, ner/, text/.")]
OutputFolder = Annotated[Path, typer.Option(help="Where the model is written.")]


def _read_writers(text: str) -> set[str]:
    return {name for name in text.split(",") if name}


@app.command()
def corpus(
    *,
    check: Annotated[
        bool, typer.Option(help="End with 1 if a rule is broken.")
    ] = False,
    output: Annotated[Path | None, typer.Option(help="Write JSON lines here.")] = None,
) -> None:
    """Count and validate the corpus; write it as JSON lines."""
    from nlp_redaction.training.corpus import read_corpus  # noqa: PLC0415 - its command only
    from nlp_redaction.training.corpus.validation import (  # noqa: PLC0415
        validate_corpus,
        write_json_lines,
    )

    notes = read_corpus()
    report = validate_corpus(notes)
    counts = {
        "notes": report.notes,
        "words": report.words,
        "styles": dict(report.by_style),
        "marks": dict(report.by_label),
        "words_by_writer": dict(report.by_writer),
    }
    print(json.dumps(counts, indent=2))
    for error in report.errors:
        print(error)
    if output is not None:
        write_json_lines(notes, output)
    if check and report.errors:
        raise typer.Exit(1)


@app.command()
def lexicons(data: DataFolder) -> None:
    """Compile the word lists into the package."""
    from nlp_redaction.training.lexicons import compile_lexicons  # noqa: PLC0415

    folder = Path(__file__).parents[1] / "lexicons" / "data"
    print(json.dumps(compile_lexicons(data, folder), indent=2))


@app.command()
def thorough(
    data: DataFolder,
    output: OutputFolder,
    hold_out: Annotated[str, typer.Option(help="Writers left out, with commas.")] = "",
    epochs: int = 5,
    seed: int = 20,
) -> None:
    """Teach the encoder and write it as int8 ONNX."""
    from nlp_redaction.training.schedule import TrainingData, train_thorough  # noqa: PLC0415

    training_data = TrainingData(data, _read_writers(hold_out), seed)
    train_thorough(training_data, output, epochs, seed)


@app.command()
def fast(
    data: DataFolder,
    output: OutputFolder,
    teacher: Annotated[Path, typer.Option(help="Folder of a thorough model.")],
    hold_out: Annotated[str, typer.Option(help="Writers left out, with commas.")] = "",
    epochs: int = 12,
    seed: int = 20,
) -> None:
    """Teach the compact CNN by gold and by a thorough model."""
    from nlp_redaction.training.schedule import TrainingData, train_compact  # noqa: PLC0415

    training_data = TrainingData(data, _read_writers(hold_out), seed)
    train_compact(training_data, output, teacher, epochs, seed)


@app.command()
def thresholds(
    model: Annotated[Path, typer.Option(help="Folder of a model.")],
    hold_out: Annotated[str, typer.Option(help="Writers it has not learnt from.")],
    price: Annotated[float, typer.Option(help="Needless words worth one saved.")] = 3.0,
) -> None:
    """Choose a model's thresholds on the notes of writers it has not learnt from."""
    from nlp_redaction.training.schedule import tune  # noqa: PLC0415

    print(json.dumps(tune(model, _read_writers(hold_out), price), indent=2))


if __name__ == "__main__":
    app()
