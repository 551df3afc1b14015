"""The fixed words of the printed prescription, in both languages."""

from collections.abc import Mapping

from prescriptions.sig import Language, PluralForms

LABELS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Prescription",
        "number": "Prescription number",
        "version": "Version",
        "patient": "Patient",
        "prescriber": "Prescriber",
        "birth_date": "Born",
        "licence": "Licence",
        "issued": "Issued",
        "valid_until": "Valid until",
        "diagnosis": "Diagnosis",
        "medicines": "Medicines",
        "quantity": "Quantity",
        "refills": "Refills",
        "notes": "Notes",
        "end": "End of prescription",
        "signature": "Signature and stamp",
        "verify": "Verify this prescription",
        "verify_how": "Scan the code with a phone camera. The page must open at:",
        "qr": "QR code that opens the verification page of this prescription",
        "fingerprint": "Content fingerprint",
        "continued": "continued",
        "page": "Page {page} of {pages}",
    },
    "ar": {
        "title": "وصفة طبية",
        "number": "رقم الوصفة",
        "version": "النسخة",
        "patient": "المريض",
        "prescriber": "الطبيب",
        "birth_date": "تاريخ الميلاد",
        "licence": "رقم الترخيص",
        "issued": "تاريخ الإصدار",
        "valid_until": "صالحة حتى",
        "diagnosis": "التشخيص",
        "medicines": "الأدوية",
        "quantity": "الكمية",
        "refills": "إعادة الصرف",
        "notes": "ملاحظات",
        "end": "نهاية الوصفة",
        "signature": "التوقيع والختم",
        "verify": "تحقق من هذه الوصفة",
        "verify_how": "امسح الرمز بكاميرا الهاتف. يجب أن تُفتح الصفحة على العنوان:",
        "qr": "رمز QR يفتح صفحة التحقق من هذه الوصفة",
        "fingerprint": "بصمة المحتوى",
        "continued": "تابع",
        "page": "صفحة {page} من {pages}",
    },
}

SEXES: Mapping[Language, Mapping[str, str]] = {
    "en": {"MALE": "Male", "FEMALE": "Female", "": ""},
    "ar": {"MALE": "ذكر", "FEMALE": "أنثى", "": ""},
}

MEDICINE_COUNT: Mapping[Language, PluralForms] = {
    "en": {"one": "1 medicine", "other": "{n} medicines"},
    "ar": {
        "one": "دواء واحد",
        "two": "دواءان",
        "few": "{n} أدوية",
        "many": "{n} دواءً",
        "other": "{n} دواء",
    },
}

# Month names are spelt out: 03/04 is a different day on either side of the Mediterranean.
MONTHS: Mapping[Language, tuple[str, ...]] = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "ar": (
        "يناير",
        "فبراير",
        "مارس",
        "إبريل",
        "مايو",
        "يونيو",
        "يوليو",
        "أغسطس",
        "سبتمبر",
        "أكتوبر",
        "نوفمبر",
        "ديسمبر",
    ),
}
