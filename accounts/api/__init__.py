"""Identity over REST."""
