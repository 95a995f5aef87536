"""What a person sees and types: the board, the screens, the command line."""
