"""What the connector of Opsgenie is made of: its configuration, its JSON, its feed, its check."""
