"""The fixed words of the printed card, in both languages."""

from collections.abc import Mapping

from common.languages import Language

LABELS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Emergency card",
        "heading": "Emergency medical information",
        "how": "Scan with a phone camera. No app and no account needed.",
        "address": "The page must open at:",
        "call": "Call an ambulance first.",
        "told": "Each opening is recorded, and the owner is told.",
        "owner": "This card belongs to",
        "qr": "QR code that opens the emergency card",
        "sheet_cut": "Cut along the outer line.",
        "sheet_fold": "Fold backwards along the dashed line, so that both sides can be read.",
        "sheet_keep": "Keep it where somebody looks first: in your wallet, behind your phone.",
        "sheet_secret": (
            "Whoever has this card can read what you chose to show. If you lose it, make a new "
            "one: the old one then opens nothing."
        ),
    },
    "ar": {
        "title": "بطاقة الطوارئ",
        "heading": "معلومات طبية للطوارئ",
        "how": "امسح الرمز بكاميرا الهاتف. لا تحتاج إلى تطبيق ولا إلى حساب.",
        "address": "يجب أن تُفتح الصفحة على العنوان:",
        "call": "اطلب الإسعاف أولًا.",
        "told": "يُسجَّل كل فتح للبطاقة ويُبلَّغ به صاحبها.",
        "owner": "هذه بطاقة",
        "qr": "رمز QR يفتح بطاقة الطوارئ",
        "sheet_cut": "قصّ على الخط الخارجي.",
        "sheet_fold": "اطوِ إلى الخلف على الخط المتقطع بحيث يمكن قراءة الوجهين.",
        "sheet_keep": "احفظها حيث ينظر الناس أولًا: في محفظتك أو خلف هاتفك.",
        "sheet_secret": (
            "من يحمل هذه البطاقة يستطيع قراءة ما اخترت إظهاره. إن فقدتها فاصنع بطاقة جديدة، "
            "وعندها لا تفتح القديمة شيئًا."
        ),
    },
}
