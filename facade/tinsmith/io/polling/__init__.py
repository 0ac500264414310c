"""Waiting for promises: which are asked for, when, and what an answer means."""
