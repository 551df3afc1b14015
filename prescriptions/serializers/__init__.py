"""Shapes of prescriptions, in and out."""
