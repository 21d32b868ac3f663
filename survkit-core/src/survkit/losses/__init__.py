"""Losses: pure functions of tensors, and the thin components that recipes name."""
