"""Acknowledging a page from where one is: a link that is used once, or a reply to a mail."""
