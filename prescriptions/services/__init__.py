"""The verbs of prescriptions, and the only writers of their rows."""
