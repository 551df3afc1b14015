"""Forms of the circle of care."""
