"""What the connector of GitHub is made of: its configuration, its JSON, its feed, its check."""
