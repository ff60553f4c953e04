"""What a deployment sets reaches the search; what cannot be followed is refused."""

import pytest

from nlp_redaction.errors import SettingsRefused
from nlp_redaction.pipeline import Finder
from nlp_redaction.settings import Settings


def write(tmp_path, content):
    path = tmp_path / "redaction.toml"
    path.write_text(content, "utf-8")
    return path


def test_a_file_is_read_and_followed(tmp_path):
    path = write(
        tmp_path,
        """
        hospital_number_patterns = ['\\bQX-\\d{3}\\b']
        hospital_number_cues = ["chart"]
        extra_names = ["Wobble", "Zed Blip"]
        longest_text = 1000
        seconds_per_text = 5
        """,
    )
    settings = Settings.read(path)
    assert settings.seconds_per_text == 5.0
    text = "QX-123, chart 4471, wobble and zed blip"
    found = [text[s.start : s.end] for s in Finder("rules", settings).find(text).spans]
    assert found == ["QX-123", "4471", "wobble", "zed blip"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("extra_name = []", "extra_name is unknown"),
        ("extra_names = 'Wobble'", "extra_names has the wrong type; it is a list"),
        ("extra_names = ['']", "extra_names holds an empty text"),
        ("longest_text = true", "longest_text has the wrong type; it is a whole"),
        ("seconds_per_text = true", "seconds_per_text has the wrong type"),
        ("seconds_per_text = nan", "must be positive"),
        ("seconds_per_text = inf", "must be positive"),
        ("longest_text = 0", "must be positive"),
        ("hospital_number_patterns = ['[']", "patterns[0] is not a regular"),
        ("longest_text = ", "cannot be read as TOML"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(tmp_path, content, told):
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(write(tmp_path, content))
    assert told in str(refused.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsRefused, match="cannot be read"):
        Settings.read(tmp_path / "nothing.toml")
