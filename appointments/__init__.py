"""Visits: what is booked, and never twice."""
