"""Prescriptions on pages."""
