"""QR codes: connecting by one, and proving a prescription by one."""
