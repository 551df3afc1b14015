"""QR codes on pages."""
