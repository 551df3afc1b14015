"""Who saw or did what to whose data: rows that can only be added."""
