"""Shapes around QR codes, in and out."""
