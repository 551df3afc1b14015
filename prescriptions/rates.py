"""Limits that pages and the API share."""

# Each check looks into a patient's record.
CHECK_RATE = "30/m"
CHECK_GROUP = "safety-check"

# Somebody types a medicine.
TYPING_RATE = "300/m"
TYPING_GROUP = "medicines"
