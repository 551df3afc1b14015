"""Doctor and patient, connected: the consent that every other access stands on."""
