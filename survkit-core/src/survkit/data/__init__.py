"""Cohorts: the table, its images, its checks, its splits and its cache."""
