"""Forms around QR codes."""
