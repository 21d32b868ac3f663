"""The systems that RobSurv is compared with, written from their publications."""
