"""How fast it is, beside something that anybody knows: `make bench`. Ratios only; machines differ."""
