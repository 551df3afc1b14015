"""Whole numbers up to a thousand in words, so that a figure changed by hand shows."""

from collections.abc import Iterator

from common.languages import Language

_UP_TO_NINETEEN: dict[Language, tuple[str, ...]] = {
    "en": (
        *("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
        *("eighteen", "nineteen"),
    ),
    "ar": (
        *("بدون", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة"),
        *("عشرة", "أحد عشر", "اثنا عشر", "ثلاثة عشر", "أربعة عشر", "خمسة عشر", "ستة عشر"),
        *("سبعة عشر", "ثمانية عشر", "تسعة عشر"),
    ),
}
_TENS: dict[Language, tuple[str, ...]] = {
    "en": ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
    "ar": ("عشرون", "ثلاثون", "أربعون", "خمسون", "ستون", "سبعون", "ثمانون", "تسعون"),
}
_ARABIC_HUNDREDS = (
    *("مئة", "مئتان", "ثلاثمئة", "أربعمئة", "خمسمئة", "ستمئة", "سبعمئة", "ثمانمئة", "تسعمئة"),
)
_THOUSAND: dict[Language, str] = {"en": "one thousand", "ar": "ألف"}


def in_words(number: int, language: Language) -> str:
    """The words for 0 (as *none*) to 1000."""
    if number == 1000:
        return _THOUSAND[language]
    joint = {"en": " and ", "ar": " و"}[language]
    return joint.join(_parts(number, language))


def _parts(number: int, language: Language) -> Iterator[str]:
    hundreds, rest = divmod(number, 100)
    if hundreds:
        yield _hundreds(hundreds, language)
    if rest or not hundreds:
        yield _below_hundred(rest, language)


def _hundreds(hundreds: int, language: Language) -> str:
    if language == "ar":
        return _ARABIC_HUNDREDS[hundreds - 1]
    return f"{_UP_TO_NINETEEN['en'][hundreds]} hundred"


def _below_hundred(number: int, language: Language) -> str:
    if number < 20:
        return _UP_TO_NINETEEN[language][number]
    tens, ones = divmod(number, 10)
    ten = _TENS[language][tens - 2]
    if not ones:
        return ten
    one = _UP_TO_NINETEEN[language][ones]
    # Arabic says the ones first: five and twenty.
    return f"{ten}-{one}" if language == "en" else f"{one} و{ten}"
