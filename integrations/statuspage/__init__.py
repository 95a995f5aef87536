"""What the connector of Statuspage is made of: its configuration, its JSON, its check."""
