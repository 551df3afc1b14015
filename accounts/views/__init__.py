"""Pages of identity: coming in, registering, the own account."""
