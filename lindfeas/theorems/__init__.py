"""Answers written down for anyone to check: certificates, boxes."""
