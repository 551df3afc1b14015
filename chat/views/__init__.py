"""Conversations on pages; without JavaScript, too."""
