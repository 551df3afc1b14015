"""Prescriptions: issued once, never edited."""
