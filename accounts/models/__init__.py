"""The tables of identity."""

from accounts.models.directory import DirectoryEntry, DirectoryWord
from accounts.models.exports import AccountListExport, DataExport
from accounts.models.factors import (
    ExternalIdentity,
    Passkey,
    PasskeyChallenge,
    RecoveryCode,
    SecondFactorReset,
    SpentIdToken,
    Totp,
)
from accounts.models.health import (
    AllergyIntolerance,
    Condition,
    EmergencyContact,
    HealthEntry,
    MedicationStatement,
)
from accounts.models.profiles import (
    BloodType,
    DoctorProfile,
    Governorate,
    Licence,
    PatientProfile,
    SpokenLanguage,
)
from accounts.models.registration import (
    CodeHolder,
    EmailChange,
    OneTimeCode,
    PasswordReset,
    Registration,
)
from accounts.models.review import (
    AccountChange,
    ApplicationReview,
    Check,
    CorrectionStep,
    RejectReason,
)
from accounts.models.sessions import (
    AttemptCount,
    DeviceSession,
    Factor,
    PendingSignIn,
    SignInMethod,
)
from accounts.models.users import (
    CLOSED,
    OPEN_ROLES,
    Language,
    Role,
    Sex,
    Status,
    StatusChange,
    User,
)

__all__ = [
    "CLOSED",
    "OPEN_ROLES",
    "AccountChange",
    "AccountListExport",
    "AllergyIntolerance",
    "ApplicationReview",
    "AttemptCount",
    "BloodType",
    "Check",
    "CodeHolder",
    "Condition",
    "CorrectionStep",
    "DataExport",
    "DeviceSession",
    "DirectoryEntry",
    "DirectoryWord",
    "DoctorProfile",
    "EmailChange",
    "EmergencyContact",
    "ExternalIdentity",
    "Factor",
    "Governorate",
    "HealthEntry",
    "Language",
    "Licence",
    "MedicationStatement",
    "OneTimeCode",
    "Passkey",
    "PasskeyChallenge",
    "PasswordReset",
    "PatientProfile",
    "PendingSignIn",
    "RecoveryCode",
    "Registration",
    "RejectReason",
    "Role",
    "SecondFactorReset",
    "Sex",
    "SignInMethod",
    "SpentIdToken",
    "SpokenLanguage",
    "Status",
    "StatusChange",
    "Totp",
    "User",
]
