"""Reading prompt texts as people's editors write them."""

from __future__ import annotations

import codecs
from pathlib import Path

from ipvg_eval.findings import Finding, Severity

# UTF-32 first: its little-endian mark begins with UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode_text(data: bytes) -> str:
    """Text of a small file: UTF-8, or UTF-16/32 with a byte order mark.

    Line ends become line feeds; byte order marks and outer white space are removed.

    Raises:
        UnicodeError: the bytes are none of these, or hold NUL characters.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(encoding)
            break
    else:
        text = data.decode("utf-8")
    if "\0" in text:
        raise UnicodeError("it holds NUL characters, as UTF-16 without a byte order mark would")
    return clean_text(text)


def clean_text(text: str) -> str:
    """The text with line feeds for line ends, without outer white space and byte order marks."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip(" \t\n\r\f\v\ufeff\u00a0\u3000")


def read_prompt(path: Path, *, shown: str, sample: str) -> str | Finding:
    """A prompt file's text, or what is wrong with it.

    Args:
        path: the text file.
        shown: its path inside the test set, for the finding.
        sample: id of the sample it belongs to.
    """
    try:
        text = decode_text(path.read_bytes())
    except UnicodeError as error:
        return Finding(
            code="prompt-undecodable",
            severity=Severity.ERROR,
            path=shown,
            message=f"The prompt is not UTF-8 text ({error}).",
            action="Save it as UTF-8.",
            sample=sample,
        )
    except OSError as error:
        return Finding(
            code="prompt-unreadable",
            severity=Severity.ERROR,
            path=shown,
            message=f"The prompt cannot be read ({error.strerror or error}).",
            action="Check the file and its permissions.",
            sample=sample,
        )
    return text or empty_prompt(shown, sample)


def empty_prompt(shown: str, sample: str) -> Finding:
    """The finding for a prompt without text."""
    return Finding(
        code="prompt-empty",
        severity=Severity.ERROR,
        path=shown,
        message="The prompt is empty.",
        action="Restore the prompt from the original test set.",
        sample=sample,
    )
