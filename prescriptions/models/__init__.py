"""Prescriptions, what pharmacies do with them, and what patients ask for."""

from prescriptions.models.dispensing import (
    ApprovedPharmacy,
    DispenseClaim,
    DispenseClaimQuerySet,
    MedicationDispense,
    MedicationDispenseQuerySet,
)
from prescriptions.models.orders import (
    GOES_ON,
    FrequencyUnit,
    Prescription,
    PrescriptionItem,
    PrescriptionQuerySet,
    ReplacedCode,
    Route,
    StatusChange,
    StopReason,
)
from prescriptions.models.refills import CourseReminder, RefillRequest, RefillRequestQuerySet
from prescriptions.models.templates import PrescriptionTemplate, PrescriptionTemplateQuerySet

__all__ = [
    "GOES_ON",
    "ApprovedPharmacy",
    "CourseReminder",
    "DispenseClaim",
    "DispenseClaimQuerySet",
    "FrequencyUnit",
    "MedicationDispense",
    "MedicationDispenseQuerySet",
    "Prescription",
    "PrescriptionItem",
    "PrescriptionQuerySet",
    "PrescriptionTemplate",
    "PrescriptionTemplateQuerySet",
    "RefillRequest",
    "RefillRequestQuerySet",
    "ReplacedCode",
    "Route",
    "StatusChange",
    "StopReason",
]
