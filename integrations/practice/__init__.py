"""Practice Desk: a made-up supplier's ticketing system, to learn with, to test against, to misbehave."""
