"""The sentence that tells a patient how to take a medicine (its *sig*), in English and in Arabic.

Pages and paper say the same words, so both call :func:`dosage_sentence`. The wording follows the
language of the document asked for, not that of the request, which is why it is kept in tables here
and not in the message catalogues. Digits are Western in both languages: a dose is never re-spelt.
"""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

from common.languages import Language

PluralForms: TypeAlias = Mapping[str, str]


class Dosage(Protocol):
    """What the sentence reads of a prescribed item; a model row or a plain value both do."""

    @property
    def route(self) -> str: ...
    @property
    def frequency(self) -> int | None: ...
    @property
    def frequency_unit(self) -> str: ...
    @property
    def as_needed(self) -> bool: ...
    @property
    def duration_days(self) -> int | None: ...


_ROUTES: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "ORAL": "Take by mouth",
        "SUBLINGUAL": "Place under the tongue",
        "TOPICAL": "Apply to the skin",
        "INHALATION": "Inhale",
        "NASAL": "Use in the nose",
        "OPHTHALMIC": "Use in the eye",
        "OTIC": "Use in the ear",
        "RECTAL": "Insert into the rectum",
        "VAGINAL": "Insert into the vagina",
        "SUBCUTANEOUS": "Inject under the skin",
        "INTRAMUSCULAR": "Inject into a muscle",
        "INTRAVENOUS": "Inject into a vein",
        "TRANSDERMAL": "Stick the patch on the skin",
        "OTHER": "Use as directed",
    },
    "ar": {
        "ORAL": "يؤخذ عن طريق الفم",
        "SUBLINGUAL": "يوضع تحت اللسان",
        "TOPICAL": "يوضع على الجلد",
        "INHALATION": "يُستنشق",
        "NASAL": "يُستعمل في الأنف",
        "OPHTHALMIC": "يُستعمل في العين",
        "OTIC": "يُستعمل في الأذن",
        "RECTAL": "يُستعمل عن طريق الشرج",
        "VAGINAL": "يُستعمل عن طريق المهبل",
        "SUBCUTANEOUS": "يُحقن تحت الجلد",
        "INTRAMUSCULAR": "يُحقن في العضل",
        "INTRAVENOUS": "يُحقن في الوريد",
        "TRANSDERMAL": "تُلصق اللصقة على الجلد",
        "OTHER": "يُستعمل حسب الإرشادات",
    },
}

_TIMES: Mapping[Language, PluralForms] = {
    "en": {"one": "once", "other": "{n} times"},
    "ar": {
        "one": "مرة واحدة",
        "two": "مرتين",
        "few": "{n} مرات",
        "many": "{n} مرة",
        "other": "{n} مرة",
    },
}

_PER_UNIT: Mapping[Language, Mapping[str, str]] = {
    "en": {"DAY": "{times} a day", "WEEK": "{times} a week"},
    "ar": {"DAY": "{times} يوميًا", "WEEK": "{times} أسبوعيًا"},
}

_DURATION: Mapping[Language, PluralForms] = {
    "en": {"one": "for 1 day", "other": "for {n} days"},
    "ar": {
        "one": "لمدة يوم واحد",
        "two": "لمدة يومين",
        "few": "لمدة {n} أيام",
        "many": "لمدة {n} يومًا",
        "other": "لمدة {n} يوم",
    },
}

_AS_NEEDED: Mapping[Language, str] = {"en": "as needed", "ar": "عند اللزوم"}
_AT_MOST: Mapping[Language, str] = {
    "en": "{route} as needed, up to {frequency}",
    "ar": "{route} عند اللزوم، بما لا يزيد على {frequency}",
}
_COMMA: Mapping[Language, str] = {"en": ", ", "ar": "، "}


def plural_category(n: int, language: Language) -> str:
    """The CLDR plural category of a whole number above zero."""
    if n == 1:
        return "one"
    if language == "en":
        return "other"
    if n == 2:
        return "two"
    if 3 <= n % 100 <= 10:
        return "few"
    return "many" if n % 100 >= 11 else "other"


def counted(n: int, forms: PluralForms, language: Language) -> str:
    """The form that agrees with ``n``, with the number in its place."""
    return forms[plural_category(n, language)].format(n=n)


def _frequency(item: Dosage, language: Language) -> str:
    if item.frequency is None:
        return ""
    times = counted(item.frequency, _TIMES[language], language)
    return _PER_UNIT[language][item.frequency_unit].format(times=times)


def dosage_sentence(item: Dosage, language: Language) -> str:
    """How to take the item: by which way, how often, for how long; without a full stop.

    With both a frequency and *as needed*, the frequency is a ceiling and the sentence says so.
    """
    route = _ROUTES[language][item.route]
    frequency = _frequency(item, language)
    duration = ""
    if item.duration_days is not None:
        duration = counted(item.duration_days, _DURATION[language], language)
    if item.as_needed and frequency:
        ceiling = _AT_MOST[language].format(route=route, frequency=frequency)
        return _COMMA[language].join(filter(None, (ceiling, duration)))
    when = _AS_NEEDED[language] if item.as_needed else frequency
    return " ".join(filter(None, (route, when, duration)))
