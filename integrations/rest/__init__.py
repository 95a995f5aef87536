"""What the connector without code is made of: its block, its templates, its requests, its feed."""
