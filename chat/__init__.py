"""What doctor and patient write to each other."""
