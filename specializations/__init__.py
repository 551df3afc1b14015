"""Medical specialties, in both languages."""
