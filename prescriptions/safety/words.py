"""Free text as words that can be compared, in English and in Arabic.

People write one medicine in many ways. What never tells two medicines apart is folded away here:
case, accents, Arabic vowel signs and letter variants, invisible marks, older spellings.
"""

from __future__ import annotations

import re
import unicodedata

SEPARATOR = "+"
ARTICLE = "ال"

# Arabic letters that are written for one another. Hamza and madda are marks by Unicode, and go
# with the others.
_LETTERS = str.maketrans("ٱىة", "ايه")
_TATWEEL = "\u0640"
_MARKS = {"Mn", "Cf"}  # accents and vowel signs; marks that nobody sees

_SEPARATORS = re.compile(r"[+/&,;،؛]|\b(?:and|و|with)\b")
# A number written to its medicine, as in "panadol500mg"; not the one of vitamin b12.
# Looked for from the beginning of a word alone: from each of its letters, it would take long.
_GLUED = re.compile(r"(?<![^\W\d_])([^\W\d_]{3,})(?=\d)")
_PIECE = re.compile(r"\+|[^\W_]+")
_STRENGTH = re.compile(
    r"\d+(?:x\d+|mg|gm?|kg|mcg|[uμ]g|ng|m?l|iu|u|units?|meq|mmol|cc|x|d|h|hrs?|k|tabs?|caps?|مجم|جم|مل)?"
)


def fold(text: str) -> str:
    """The text in one spelling. What is folded already stays as it is."""
    if text.isascii() and text.isprintable():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    shown = "".join(sign for sign in decomposed if unicodedata.category(sign) not in _MARKS)
    plain = shown.replace(_TATWEEL, "").translate(_LETTERS)
    return "".join(_digit(sign) for sign in plain)


def pieces(text: str) -> list[str]:
    """Its words in order, and a `+` wherever it separates one medicine from the next."""
    return [_stem(piece) for piece in _pieces(text)]


def key(name: str) -> str:
    """The words of a name as they are compared."""
    return " ".join(piece for piece in pieces(name) if piece != SEPARATOR)


def plain(name: str) -> str:
    """The words of a name as they are written, but for signs that look alike."""
    return " ".join(piece for piece in _pieces(name) if piece != SEPARATOR)


def is_strength(word: str) -> bool:
    """Whether it only says how much, such as 500, 500mg or 1x3."""
    return _STRENGTH.fullmatch(word) is not None


def _pieces(text: str) -> list[str]:
    separated = _SEPARATORS.sub(f" {SEPARATOR} ", fold(text))
    return _PIECE.findall(_GLUED.sub(r"\1 ", separated))


def _digit(sign: str) -> str:
    return str(unicodedata.digit(sign)) if sign.isdigit() else sign


def _stem(word: str) -> str:
    """Without the Arabic article, and in the newer of two spellings of one stem."""
    while len(word) >= 5 and word.startswith(ARTICLE):
        word = word.removeprefix(ARTICLE)
    return word.replace("sulph", "sulf").replace("ceph", "cef")
