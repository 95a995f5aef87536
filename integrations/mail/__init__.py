"""Mail as a way to a supplier: SMTP out, IMAP in, what a mail says and what it means."""
