"""SLA, OLA and UC clocks: what is promised, and how each promise stands, worked out of events."""
