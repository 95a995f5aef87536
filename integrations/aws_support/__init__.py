"""What the connector of AWS Support is made of: configuration, signature, JSON, feed, check."""
