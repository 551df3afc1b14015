"""Pages of the circle of care."""
