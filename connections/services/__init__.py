"""The verbs of the circle of care, and the only writers of its rows."""
