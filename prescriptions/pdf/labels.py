"""The fixed words of the printed prescription, in both languages."""

from collections.abc import Mapping

from common.languages import Language
from prescriptions.sig import PluralForms

LABELS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "title": "Prescription",
        "number": "Prescription number",
        "version": "Version {n}",
        "replaces": "Version {n}, replaces version {before}",
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
        "controlled": "Controlled medicine",
        "notes": "Notes",
        "safety": "Safety check",
        "reason": "Prescribed all the same:",
        "end": "End of prescription",
        "signature": "Signature and stamp",
        "verify": "Verify this prescription",
        "verify_how": "Scan the code with a phone camera. The page must open at:",
        "verify_state": "Only that page shows whether the prescription is still valid.",
        "qr": "QR code that opens the verification page of this prescription",
        "copy": "Copy for reading",
        "copy_why": "The patient has the original.",
        "not_dispensed": "No medicine is handed out on it.",
        "fingerprint": "Content fingerprint",
        "continued": "continued",
        "page": "Page {page} of {pages}",
    },
    "ar": {
        "title": "وصفة طبية",
        "number": "رقم الوصفة",
        "version": "النسخة {n}",
        "replaces": "النسخة {n}، تحل محل النسخة {before}",
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
        "controlled": "دواء خاضع للرقابة",
        "notes": "ملاحظات",
        "safety": "فحص السلامة",
        "reason": "سبب وصفه رغم ذلك:",
        "end": "نهاية الوصفة",
        "signature": "التوقيع والختم",
        "verify": "تحقق من هذه الوصفة",
        "verify_how": "امسح الرمز بكاميرا الهاتف. يجب أن تُفتح الصفحة على العنوان:",
        "verify_state": "تلك الصفحة وحدها تبيّن هل الوصفة سارية حتى الآن.",
        "qr": "رمز QR يفتح صفحة التحقق من هذه الوصفة",
        "copy": "نسخة للاطلاع",
        "copy_why": "الأصل لدى المريض.",
        "not_dispensed": "لا تُصرف بها أدوية.",
        "fingerprint": "بصمة المحتوى",
        "continued": "تابع",
        "page": "صفحة {page} من {pages}",
    },
}

# By how it ended.
ENDINGS: Mapping[Language, Mapping[str, str]] = {
    "en": {
        "stopped": "Stopped on {day} – do not dispense",
        "superseded": "Replaced by version {after} – do not dispense",
        "entered-in-error": "Written by mistake – do not dispense",
    },
    "ar": {
        "stopped": "أُوقفت بتاريخ {day} – لا تُصرف",
        "superseded": "حلّت محلها النسخة {after} – لا تُصرف",
        "entered-in-error": "كُتبت بطريق الخطأ – لا تُصرف",
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
