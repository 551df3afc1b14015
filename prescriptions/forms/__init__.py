"""Forms of prescriptions."""
