"""Who people are: users, registration, device sessions, profiles."""
