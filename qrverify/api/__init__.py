"""QR codes over REST."""
