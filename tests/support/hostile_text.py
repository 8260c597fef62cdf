"""Text with control characters, which commands and logs must not print."""

from unicodedata import category

# Escape sequences for the title of the window and a clear screen, line ends, C1 controls, and reordering characters.
HOSTILE = "bad\x1b]0;x\x07\x1b[2J\r\nforged\x9b31m\x85\u202eevil\u2066\u200f\u2028\u2029\x0b\x0c\t\x7f\ufeffend"
UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def unsafe(text: str) -> set[str]:
    return {char for char in text if category(char) in UNSAFE} - {"\n", "\t"}
