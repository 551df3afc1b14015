"""SMART Health Cards and Links: the formats, with no table and no request in sight.

Services and whatever stands above them import this package; it imports models only.
"""
