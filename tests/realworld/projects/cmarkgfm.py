"""Render Markdown."""

import cmarkgfm

assert cmarkgfm.markdown_to_html("*hi*\n") == "<p><em>hi</em></p>\n"
assert "<table>" in cmarkgfm.github_flavored_markdown_to_html("|a|b|\n|-|-|\n|1|2|\n")
text = "# Head\n\nSome *words* and `code`, a [link](http://x.y).\n\n- one\n- two\n\n" * 500


def loop() -> None:
    cmarkgfm.github_flavored_markdown_to_html(text)
