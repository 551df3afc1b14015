"""The verbs of identity, and the only writers of its rows."""
