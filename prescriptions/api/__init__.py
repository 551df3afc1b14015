"""Prescriptions over REST."""
