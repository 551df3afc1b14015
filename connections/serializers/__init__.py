"""Shapes of the circle of care."""
