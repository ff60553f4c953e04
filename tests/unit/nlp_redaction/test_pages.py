"""A page stands alone: no network, no script but its own, no title that acts."""

from nlp_redaction.pages import frame


def test_a_page_forbids_everything_from_outside() -> None:
    page = frame("Found & lost <b>", "<p>body</p>")
    assert "default-src 'none'" in page
    assert "<title>Found &amp; lost &lt;b&gt;</title>" in page
    assert "<p>body</p>" in page
    assert "<script>" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_its_own_script_comes_last() -> None:
    assert (
        frame("t", "b", "act()")
        .rstrip()
        .endswith("<script>act()</script>\n</body>\n</html>")
    )
