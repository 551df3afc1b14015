"""The demonstration clinic: sample people, conditions and prescriptions."""
