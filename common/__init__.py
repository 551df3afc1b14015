"""Ground floor: what every app builds on. It has no models of its own."""
