"""What a demonstration's patients and doctors say to each other."""

from __future__ import annotations

from typing import NamedTuple

from medisync.demo.names import Text


class Said(NamedTuple):
    """One message; some are withdrawn at once."""

    by_doctor: bool
    text: Text
    is_withdrawn: bool = False


class Talk(NamedTuple):
    """One conversation, which the patient begins."""

    messages: tuple[Said, ...]


def _patient(en: str, ar: str, *, is_withdrawn: bool = False) -> Said:
    return Said(by_doctor=False, text=Text(en, ar), is_withdrawn=is_withdrawn)


def _doctor(en: str, ar: str) -> Said:
    return Said(by_doctor=True, text=Text(en, ar))


TALKS: tuple[Talk, ...] = (
    Talk(
        (
            _patient(
                "Good morning, doctor. Do I take the tablet before or after breakfast?",
                "صباح الخير يا دكتور. هل آخذ القرص قبل الإفطار أم بعده؟",
            ),
            _doctor(
                "Good morning. After breakfast, with a glass of water.",
                "صباح النور. بعد الإفطار مع كوب من الماء.",
            ),
            _patient("Thank you.", "شكرًا جزيلًا."),
        )
    ),
    Talk(
        (
            _patient(
                "I forgot yesterday's dose. Shall I take two today?",
                "نسيت جرعة أمس. هل آخذ جرعتين اليوم؟",
            ),
            _patient("Sorry, wrong chat.", "عذرًا، محادثة أخرى.", is_withdrawn=True),
            _doctor(
                "No, never two at once. Take today's as usual.",
                "لا، لا تأخذ جرعتين معًا أبدًا. خذ جرعة اليوم كالمعتاد.",
            ),
            _patient("I see. Thank you!", "فهمت. شكرًا لك!"),
            _doctor("You are welcome.", "على الرحب والسعة."),
        )
    ),
    Talk(
        (
            _patient(
                "The result of the blood test is here. Shall I bring it on Sunday?",
                "ظهرت نتيجة تحليل الدم. هل أحضرها يوم الأحد؟",
            ),
            _doctor(
                "Yes, please. Come without breakfast; we measure once more.",
                "نعم من فضلك. تعال صائمًا، وسنقيس مرة أخرى.",
            ),
        )
    ),
    Talk(
        (
            _patient(
                "Since this morning I feel a little dizzy when I get up.",
                "أشعر منذ الصباح بدوار خفيف عند القيام.",
            ),
            _doctor(
                "Get up slowly, and drink more. How is your pressure today?",
                "قم ببطء وأكثر من شرب الماء. كم ضغطك اليوم؟",
            ),
            _patient("120 over 75.", "١٢٠ على ٧٥."),
        )
    ),
)
# What the published patients last wrote, or read from their doctor.
LEFT_OPEN = Talk(
    (
        _patient("The headache is better since Friday.", "تحسن الصداع منذ يوم الجمعة."),
        _doctor("I am glad to hear it. And the sleep?", "يسعدني ذلك. وكيف النوم؟"),
        _patient(
            "Better, too. Is it all right to take the tablets for another week?",
            "أفضل أيضًا. هل أستمر على الأقراص أسبوعًا آخر؟",
        ),
    )
)
ANSWERED = Talk(
    (
        _patient(
            "I am going away for ten days. What do I do about the measurements?",
            "سأسافر عشرة أيام. ماذا أفعل بشأن القياسات؟",
        ),
        _doctor(
            "Measure every second day, and write the numbers down. Have a good journey!",
            "قس كل يومين واكتب الأرقام. رحلة سعيدة!",
        ),
    )
)
# Under which title a doctor keeps which words.
PREPARED: tuple[tuple[Text, Text], ...] = (
    (
        Text("Come and see me", "زيارة العيادة"),
        Text(
            "Please come and see me about this. My hours are on your connection's page.",
            "يرجى زيارة العيادة لهذا الأمر. المواعيد في صفحة ارتباطك معي.",
        ),
    ),
    (
        Text("Emergency", "طوارئ"),
        Text(
            "This cannot wait for a message. Please call 123, or go to the nearest hospital.",
            "هذا لا ينتظر رسالة. اتصل بالإسعاف ١٢٣ أو توجه إلى أقرب مستشفى.",
        ),
    ),
)
