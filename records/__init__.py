"""The patient's own medical records."""
