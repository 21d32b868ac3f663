"""Radiomic features patch by patch: read from the image, and encoded by a small transformer."""
