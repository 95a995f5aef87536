"""Suppliers' systems, played: honest, strict and with a memory, as their own documentation describes them."""
