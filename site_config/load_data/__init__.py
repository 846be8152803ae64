"""A shop of any size for looking at and for measuring, made by the database itself."""
