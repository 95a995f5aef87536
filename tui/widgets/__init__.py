"""Parts of a screen: each takes data in and sends messages out, and knows no other."""
