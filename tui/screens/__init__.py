"""One file a screen: its layout, its keys and what it does when told of a change."""
