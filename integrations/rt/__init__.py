"""What the Request Tracker connector is made of: its configuration, RT's shapes, and its transactions."""
