"""Numbers that stand beside the navigation, on pages, in the API and in scripts."""

from __future__ import annotations

# Nobody reads a larger number, and nobody should wait for it: it stands for that many or more.
COUNTED_TO = 100


def in_words(count: int) -> str:
    """As it is shown: `99+` for whatever was not counted to its end."""
    most = COUNTED_TO - 1
    return f"{most}+" if count > most else str(count)
