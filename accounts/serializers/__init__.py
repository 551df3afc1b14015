"""Shapes of identity, in and out."""
