"""The corpus: fictional notes, each composed by itself, with their identifiers marked."""

from importlib import resources

from nlp_redaction.evaluation.annotated_notes import Note, read_notes


def read_corpus() -> list[Note]:
    """Read every note of the corpus that lies in this package, in a fixed order."""
    folder = resources.files(__package__) / "notes"
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".txt"))
    return [
        note
        for file in files
        for note in read_notes((folder / file).read_text("utf-8"))
    ]
