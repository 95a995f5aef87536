"""The suite that every connector must pass: a `Suite` with a `World`. See docs/conformance.md."""
