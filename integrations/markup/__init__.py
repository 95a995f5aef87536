"""What we write, as each kind of system shows it, and what they write, as plain text.

Our words are plain text: a star is a star and a # is a #. So nothing in them is read as anybody's markup;
each format here says them so that whoever looks at the ticket sees the very lines that were written.
"""
