"""Removal of control characters."""

from openbooking.printable import clean_text


def test_only_control_characters_are_replaced() -> None:
    shown = "Zoë \N{MIDDLE DOT} 10 £ \N{PERSON IN LOTUS POSITION} \N{NO-BREAK SPACE}…"
    assert clean_text(shown) == shown
    assert clean_text("a\x1b[2Jb\ud800c\u202ed") == "a\ufffd[2Jb\ufffdc\ufffdd"
    assert clean_text("a\nb\tc", safe="\n") == "a\nb\ufffdc"
