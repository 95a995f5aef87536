"""OAuth 2.0 at suppliers (RFC 6749): client credentials, and refresh tokens that are never lost."""
