"""Radiomic features in groups: which column belongs to which, and all of them on one scale."""
