"""A patient's chart, as a doctor sees it who was let see it: for API, page, file and preview."""
