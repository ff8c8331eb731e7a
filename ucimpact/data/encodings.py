"""Text of a file by rule, never by guess.

A byte-order mark says UTF-8 or UTF-16. Without one the file is UTF-8 if every byte fits, else
Windows-1252, which is what spreadsheets in this country write. Zero bytes say UTF-16 without its mark
where they stand at every other place, and otherwise that the file is no text.
"""

from __future__ import annotations

from ucimpact.errors import DataError, Problem

UTF16 = (b"\xff\xfe", b"\xfe\xff")
MARK = "\ufeff"
END_OF_FILE = "\x1a"
"""What old software writes after the last line."""
UNREADABLE = "\ufffd"


def decoded(content: bytes, file: str) -> tuple[str, list[str]]:
    """The text of a file, and notes of how it was read.

    Raises
    ------
    DataError
        Where it is no text.
    """
    not_text = Problem("this is not a text file", "Save the sheet as CSV", file=file)
    notes = []
    try:
        if content.startswith(UTF16):
            text = content.decode("utf-16")
        elif b"\x00" in content:
            text = content.decode(_without_mark(content))
            notes.append("the file is UTF-16 without the mark that says so")
        else:
            text = content.decode("utf-8")
    except UnicodeDecodeError:
        if b"\x00" in content:
            raise DataError(not_text) from None
        text = content.decode("cp1252", errors="replace")
        notes.append("the file is not UTF-8 and was read as Windows-1252")
        if lost := text.count(UNREADABLE):
            notes.append(f"{lost:,} character{'s' if lost > 1 else ''} could not be read")
    if "\x00" in text:
        raise DataError(not_text)
    return text.removeprefix(MARK).rstrip(END_OF_FILE), notes


def _without_mark(content: bytes) -> str:
    """Which way round the bytes of UTF-16 stand; ASCII where they are not in pairs."""
    first, second = content[0::2].count(0), content[1::2].count(0)
    half = len(content) / 4
    if second > half > first:
        return "utf-16-le"
    return "utf-16-be" if first > half > second else "ascii"
