"""The verbs around QR codes, and the only writers of their rows."""
