"""How long a sweep will take, from a few measured steps; and whether its first steps go well at all."""
