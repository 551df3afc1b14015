"""Doctors, requests, connections and grants over REST."""
