"""What the pages of identity ask people for: coming in, the own account, and what administrators
decide."""
