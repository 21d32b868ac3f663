"""Estimators without parameters."""
